"""Memory that this interpreter and its children see at the same addresses.

Owns the mappings: anonymous and shared, so that a child has them also when it does not share
the rest of our address space. They are unmapped with the last scope that uses the arena.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from typing import Final, final

from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ffi import address_of

from .allocator import FreeList

__all__ = ["Arena", "ArenaClosedError"]

CHUNK: Final = 1 << 20  # bytes
ALIGNMENT: Final = 16  # what any C type needs


class ArenaClosedError(RsyscallError):
    """Memory was asked for after the scope that owned it had been left."""

    def __init__(self) -> None:
        super().__init__("the arena is closed: its open_local_task() scope was left")


@final
class _Chunk:
    """One mapping and what is free in it."""

    __slots__ = ("_map", "free", "start", "view")

    def __init__(self, size: int) -> None:
        self._map = mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        self.view = memoryview(self._map)
        self.start = address_of(self._map)
        self.free = FreeList(self.start, self.start + size)

    def close(self) -> None:
        try:
            self.view.release()
            self._map.close()
        except BufferError:
            pass  # somebody still holds a view: the mapping goes when that one does


@final
class Arena:
    """Allocates from shared mappings, and makes more of them when they are full."""

    __slots__ = ("_chunks", "_closed", "_held_back", "_late", "_starts")

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._starts: list[int] = []
        self._closed = False
        self._held_back = 0
        self._late: list[tuple[int, int]] = []

    @property
    def used(self) -> int:
        """How many bytes are allocated."""
        return sum(c.free.end - c.free.start - c.free.free for c in self._chunks)

    @property
    def mapped(self) -> int:
        """How many bytes are mapped."""
        return sum(c.free.end - c.free.start for c in self._chunks)

    def allocate(self, size: int, alignment: int = ALIGNMENT) -> int:
        """Return the address of ``size`` bytes; ``release`` frees them, in one or many parts."""
        size = max(size, 1)
        for chunk in self._chunks:
            address = chunk.free.allocate(size, alignment)
            if address is not None:
                return address
        return self._grow(size, alignment)

    def _grow(self, size: int, alignment: int) -> int:
        if self._closed:
            raise ArenaClosedError
        need = -(-(size + alignment) // mmap.PAGESIZE) * mmap.PAGESIZE
        chunk = _Chunk(max(CHUNK, need))
        index = bisect_right(self._starts, chunk.start)
        self._chunks.insert(index, chunk)
        self._starts.insert(index, chunk.start)
        address = chunk.free.allocate(size, alignment)
        assert address is not None, "a fresh chunk was made large enough"
        return address

    def release(self, address: int, size: int) -> None:
        """Free ``size`` bytes at ``address``."""
        if self._held_back:
            self._late.append((address, size))
        elif size:  # a part that was split off may be empty: it owns nothing
            self._chunk(address).free.release(address, size)

    def view(self, address: int, size: int) -> memoryview:
        """Return the bytes themselves; valid until they are freed."""
        chunk = self._chunk(address)
        offset = address - chunk.start
        return chunk.view[offset : offset + size]

    def same_mapping(self, one: int, other: int) -> bool:
        """Return whether two addresses are of one mapping: two may lie side by side."""
        return self._chunk(one) is self._chunk(other)

    def _chunk(self, address: int) -> _Chunk:
        if not self._starts:
            raise ArenaClosedError
        return self._chunks[max(bisect_right(self._starts, address) - 1, 0)]

    # what transport.scratch.ScratchMemory asks for
    def take(self, size: int) -> int:
        """Allocate for the time of one program."""
        return self.allocate(size)

    def give_back(self, address: int, size: int) -> None:
        """Free what ``take`` gave."""
        self.release(address, size)

    def hold_back(self) -> None:
        """Release nothing until ``let_go``, as often as this was called."""
        self._held_back += 1

    def let_go(self) -> None:
        """Release what was to be released since ``hold_back``."""
        self._held_back -= 1
        if not self._held_back:
            late, self._late = self._late, []
            for address, size in late:
                self.release(address, size)

    def close(self) -> None:
        """Unmap everything. Idempotent."""
        self._closed = True
        chunks, self._chunks = self._chunks, []
        self._starts = []
        for chunk in chunks:
            chunk.close()
