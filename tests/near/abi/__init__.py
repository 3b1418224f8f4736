"""Tests of rsyscall_ns.near.abi: what it says is what the C headers of this machine say."""
