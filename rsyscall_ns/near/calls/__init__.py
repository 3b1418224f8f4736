"""One thin function per system call: near ids in, near ids or ints out.

Each makes the call through an interface and raises the OSError of a failure. Buffers are the
caller's. The docstrings name the manual page.
"""
