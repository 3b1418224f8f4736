"""The two fds that one call has made."""

from __future__ import annotations

from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.fdpair import FDPair
from rsyscall_ns.near.ids import FileDescriptor

__all__ = ["two_made"]


def two_made(pair: FDPair | Pointer[FDPair]) -> tuple[FileDescriptor, FileDescriptor]:
    """Return their near ids, as the kernel has just written them there."""
    first, second = pair.peek() if isinstance(pair, Pointer) else pair
    return FileDescriptor(first), FileDescriptor(second)
