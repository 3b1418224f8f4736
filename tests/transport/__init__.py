"""Tests of rsyscall_ns.transport."""
