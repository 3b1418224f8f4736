"""Tests of rsyscall_ns.memory."""
