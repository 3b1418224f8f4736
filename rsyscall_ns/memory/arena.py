"""Memory that this interpreter and its children see at the same addresses.

Owns the mappings: anonymous and shared, so that a child has them also when it does not share
the rest of our address space; or one that it was given. They are unmapped with the last scope
that uses the arena.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from typing import Final, final

import trio

from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ffi import Mapped, address_of, lib
from rsyscall_ns.near.ids import Address

from .allocator import FreeList

__all__ = ["RESERVED", "SLOT", "Arena", "ArenaClosedError", "ArenaFullError", "Slot"]

CHUNK: Final = 1 << 20  # bytes
RESERVED: Final = 1 << 30  # bytes of an arena that can't grow; what is not used takes no memory
NORESERVE: Final = 0x4000  # MAP_NORESERVE: what was not touched is not accounted for
SLOT: Final = 256  # bytes
ALIGNMENT: Final = 16  # what any C type needs


class ArenaFullError(RsyscallError, MemoryError):
    """A child with memory of its own has used up what it shares with us."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"{size} bytes are not free in the {RESERVED} that a child with memory of its own "
            "shares with this interpreter: free some, or map memory in it"
        )


class ArenaClosedError(RsyscallError):
    """Memory was asked for after the scope that owned it had been left."""

    def __init__(self) -> None:
        super().__init__("the arena is closed: its open_local_task() scope was left")


@final
class Slot:
    """A small piece that is kept, to be used again and again."""

    __slots__ = ("address", "mapping", "place", "start", "view")

    def __init__(self, chunk: _Chunk, address: int) -> None:
        self.address = address
        self.place = Address(address)
        self.mapping = chunk.mapping
        self.start = address - chunk.start  # in the mapping: slices of that are bytes
        self.view = chunk.view[self.start : self.start + SLOT]


@final
class _Chunk:
    """One mapping and what is free in it."""

    __slots__ = ("free", "mapping", "start", "view")

    def __init__(self, mapping: mmap.mmap | Mapped, start: int, size: int) -> None:
        self.mapping: mmap.mmap | Mapped | bytes = mapping
        self.view = memoryview(mapping)
        self.start = start
        self.free = FreeList(start, start + size)

    @classmethod
    def anonymous(cls, size: int, flags: int = 0) -> _Chunk:
        mapping = mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | flags)
        return cls(mapping, address_of(mapping), size)

    def close(self) -> None:
        try:
            self.view.release()
            mapping, self.mapping = self.mapping, b""
            if isinstance(mapping, mmap.mmap):
                mapping.close()  # the others go with the last who knows them
        except BufferError:
            pass  # somebody still holds a view: the mapping goes when that one does


@final
class Arena:
    """Allocates from shared mappings, and makes more of them when they are full.

    ``grows=False``: for a child that does not share our memory, but what was mapped before it
    was made. All is mapped at once then. ``place``: where it is, for a child that shares nothing
    else (``apart``), with what is mapped there.

    ``entry`` is the address at which servers begin in the memory that this is a part of.
    """

    __slots__ = (
        "_chunks",
        "_closed",
        "_given",
        "_held_back",
        "_late",
        "_late_slots",
        "_slots",
        "_starts",
        "apart",
        "entry",
        "grows",
    )

    def __init__(self, *, grows: bool = True, place: tuple[int, Mapped] | None = None) -> None:
        self._chunks: list[_Chunk] = []
        self._starts: list[int] = []
        self._closed = False
        self._held_back = 0
        self._late: list[tuple[int, int]] = []
        self._slots: list[Slot] = []  # not in use
        self._late_slots: list[Slot] = []
        self._given: list[Slot] = []  # all that there are of a stub, which has gone before us
        self.grows = grows and place is None
        self.apart = place is not None
        self.entry = lib.rs_entry_point()
        if place is not None:
            self._add(_Chunk(place[1], place[0], memoryview(place[1]).nbytes))
        elif not grows:
            self._add(_Chunk.anonymous(RESERVED, NORESERVE))

    @property
    def used(self) -> int:
        """How many bytes are allocated."""
        taken = sum(c.free.end - c.free.start - c.free.free for c in self._chunks)
        return taken - SLOT * len(self._slots)

    @property
    def mapped(self) -> int:
        """How many bytes are mapped."""
        return sum(c.free.end - c.free.start for c in self._chunks)

    @trio.lowlevel.enable_ki_protection
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
        if not self.grows:
            raise ArenaFullError(size)
        need = -(-(size + alignment) // mmap.PAGESIZE) * mmap.PAGESIZE
        chunk = _Chunk.anonymous(max(CHUNK, need))
        self._add(chunk)
        address = chunk.free.allocate(size, alignment)
        assert address is not None, "a fresh chunk was made large enough"
        return address

    def _add(self, chunk: _Chunk) -> None:
        index = bisect_right(self._starts, chunk.start)
        self._chunks.insert(index, chunk)
        self._starts.insert(index, chunk.start)

    @trio.lowlevel.enable_ki_protection
    def release(self, address: int, size: int) -> None:
        """Free ``size`` bytes at ``address``."""
        if self._held_back:
            self._late.append((address, size))
        elif size:  # a part that was split off may be empty: it owns nothing
            self._chunk(address).free.release(address, size)

    def take_slot(self) -> Slot:
        """Return ``SLOT`` bytes, with whatever is in them; ``give_slot`` them back."""
        if self._slots:
            return self._slots.pop()
        address = self.allocate(SLOT)
        slot = Slot(self._chunk(address), address)
        if self.apart:
            self._given.append(slot)
        return slot

    def give_slot(self, slot: Slot) -> None:
        """Keep a slot for the next one who takes one."""
        (self._late_slots if self._held_back else self._slots).append(slot)

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
            self._slots += self._late_slots
            self._late_slots = []
            late, self._late = self._late, []
            for address, size in late:
                self.release(address, size)

    def close(self) -> None:
        """Unmap everything. Idempotent."""
        self._closed = True
        for slot in (*self._slots, *self._given):
            slot.view.release()
            slot.mapping = b""  # somebody may know it for longer
        self._given = []
        self._slots = []
        chunks, self._chunks = self._chunks, []
        self._starts = []
        for chunk in chunks:
            chunk.close()
