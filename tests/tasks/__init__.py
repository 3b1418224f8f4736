"""Tests of rsyscall_ns.tasks."""
