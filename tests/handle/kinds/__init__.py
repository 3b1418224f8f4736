"""Tests of rsyscall_ns.handle.kinds."""
