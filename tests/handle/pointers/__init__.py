"""Tests of rsyscall_ns.handle.pointers."""
