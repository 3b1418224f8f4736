"""Tests of rsyscall_ns.handle.calls: every public method, in the interpreter and in a child."""
