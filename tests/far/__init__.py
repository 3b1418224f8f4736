"""Tests of rsyscall_ns.far."""
