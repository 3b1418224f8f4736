"""The one module that imports the compiled extension; everything here is typed.

Owns nothing: the functions are those of ``ffi/host/host.h``. Calling one releases the GIL.
"""

from __future__ import annotations

from mmap import mmap
from typing import TYPE_CHECKING, Final

from rsyscall_ns._ffi import ffi, lib

if TYPE_CHECKING:
    from rsyscall_ns._ffi import Ring  # a type that only the stub of the compiled module has
else:
    Ring = object

__all__ = ["BLOCK_SIZE", "ENTRIES", "RING_SIZE", "Ring", "address_of", "lib", "ring_at"]

BLOCK_SIZE: Final = lib.RS_BLOCK_SIZE
RING_SIZE: Final = lib.RS_RING_SIZE
ENTRIES: Final = lib.RS_ENTRIES


def ring_at(address: int) -> Ring:
    """Return the ring at this address of our own memory."""
    return ffi.cast("struct rs_ring *", address)


def address_of(mapping: mmap) -> int:
    """Return where a mapping begins; it must outlive whatever uses the address."""
    return int(ffi.cast("uintptr_t", ffi.from_buffer(mapping)))
