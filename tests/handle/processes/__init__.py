"""Tests of rsyscall_ns.handle.processes."""
