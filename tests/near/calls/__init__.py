"""Tests of rsyscall_ns.near.calls."""
