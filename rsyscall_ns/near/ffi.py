"""The one module that imports the compiled extension; everything here is typed.

Owns nothing: the functions are those of ``ffi/host/host.h``. Calling one releases the GIL.
"""

from __future__ import annotations

import os
from mmap import mmap
from typing import TYPE_CHECKING, Final

from rsyscall_ns._ffi import ffi, lib

if TYPE_CHECKING:
    from rsyscall_ns._ffi import Mapped, Ring  # types that only the stub of the compiled module has
else:
    Mapped = Ring = object

__all__ = ["BLOCK_SIZE", "ENTRIES", "RING_SIZE", "Mapped", "Ring", "address_of", "lib", "map_at"]
__all__ += ["RING_USED", "map_shown", "mapped_at", "ring_at"]

BLOCK_SIZE: Final = lib.RS_BLOCK_SIZE
RING_SIZE: Final = lib.RS_RING_SIZE
RING_USED: Final = ffi.sizeof("struct rs_ring")  # of RING_SIZE
ENTRIES: Final = lib.RS_ENTRIES


def ring_at(address: int) -> Ring:
    """Return the ring at this address of our own memory."""
    return ffi.cast("struct rs_ring *", address)


def map_at(address: int, size: int, fd: int) -> Mapped | int:
    """Map a file at this address, for as long as somebody has what is returned, or a view of it.

    Or return the errno, which is EEXIST where something lies already.
    """
    failure = lib.rs_map_at(address, size, fd)
    if failure:
        return -failure
    place = ffi.cast("char *", address)
    return ffi.buffer(ffi.gc(place, lambda memory: lib.rs_unmap(memory, size)), size)


def map_shown(size: int, fd: int) -> Mapped:
    """Map the beginning of a file, for as long as somebody has what is returned, to look at it."""
    address = lib.rs_map_shown(size, fd)
    if address < 0:
        raise OSError(-address, os.strerror(-address))
    place = ffi.cast("char *", address)
    return ffi.buffer(ffi.gc(place, lambda memory: lib.rs_unmap(memory, size)), size)


def mapped_at(address: int, size: int) -> Mapped:
    """Return a part of what is mapped already; that must outlive whatever uses it."""
    return ffi.buffer(ffi.cast("char *", address), size)


def address_of(mapping: mmap) -> int:
    """Return where a mapping begins; it must outlive whatever uses the address."""
    return int(ffi.cast("uintptr_t", ffi.from_buffer(mapping)))
