"""Tests of rsyscall_ns.handle.fds."""
