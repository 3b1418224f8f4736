"""Memory that a program of its own can map where this interpreter has it.

Owns the file behind it, until it is closed. Where it lies is chosen so that nothing is there in a
program that has just begun: far from where the kernel puts programs, heaps, libraries and stacks.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from errno import EEXIST
from functools import cache
from typing import Final, Self, final

from rsyscall_ns.near.errors import RsyscallError, kernel_error
from rsyscall_ns.near.ffi import address_of, map_at

from .arena import RESERVED, Arena
from .memfile import KEEPS_SIZE, new_memfile

__all__ = ["NoPlaceError", "PlacedFile"]

TRIES: Final = 64
RANDOM: Final = 4  # bytes


class NoPlaceError(RsyscallError, MemoryError):
    """No address was found for memory that a stub and this interpreter share."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(
            f"no {RESERVED} bytes were found free between {first:#x} and {last:#x}, where a stub "
            "and this interpreter share memory: end some stubs"
        )


@cache
def places() -> tuple[int, int]:
    """Return the first and the last of the addresses that are tried.

    Programs lie at the bottom of the address space or at two thirds of it, all else is at the top.
    """
    with mmap.mmap(-1, mmap.PAGESIZE) as sample:
        top = 1 << address_of(sample).bit_length()
    return top >> 4, (top >> 4) + (top >> 2)


@final
class PlacedFile:
    """A file in memory of the size of an arena, which can't change; and its ``address``.

    Nobody can make it shorter, which would kill this interpreter at its next look.
    """

    __slots__ = ("address", "arena", "number")

    def __init__(self, between: tuple[int, int] | None = None) -> None:
        """Make the file, and map it as an arena, at one of some addresses; close both."""
        self.number = new_memfile("rsyscall_ns-arena")
        try:
            os.ftruncate(self.number, RESERVED)
            fcntl.fcntl(self.number, fcntl.F_ADD_SEALS, KEEPS_SIZE)
            self.arena = self._map(*between or places())
        except BaseException:
            self.close()
            raise

    def _map(self, first: int, last: int) -> Arena:
        for _ in range(TRIES):
            number = int.from_bytes(os.urandom(RANDOM), "little")
            address = first + number % ((last - first) // RESERVED) * RESERVED
            mapped = map_at(address, RESERVED, self.number)
            if not isinstance(mapped, int):
                self.address = address
                return Arena(place=(address, mapped))
            if mapped != EEXIST:
                raise kernel_error(mapped, "mmap", "this interpreter")
        raise NoPlaceError(first, last)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what is mapped stays. Idempotent."""
        number, self.number = self.number, -1
        if number >= 0:
            os.close(number)
