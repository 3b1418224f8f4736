"""Tests of rsyscall_ns.handle.objects."""
