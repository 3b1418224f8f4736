"""Tests of rsyscall_ns.handle.streams."""
