"""Tests of rsyscall_ns.cli."""
