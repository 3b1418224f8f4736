"""PerfRing: the records of a perf event, in memory that the kernel and this interpreter see."""

from __future__ import annotations

import mmap
import os
import select
import struct
from collections import deque
from typing import Final, Self, final

import trio

from rsyscall_ns.near.abi.perf_records import HEADER, PerfForm, PerfRecord
from rsyscall_ns.near.errors import RsyscallError, SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.transport.pace import pace

__all__ = ["PerfRing", "PerfRingClosedError"]

WORD: Final = struct.Struct("<Q")
HEAD, TAIL, OFFSET, SIZE = 1024, 1032, 1040, 1048  # of struct perf_event_mmap_page
MOST: Final = 2**16  # pages


class PerfRingClosedError(RsyscallError):
    """The records of a perf event were asked for after they had been closed."""

    def __init__(self) -> None:
        super().__init__("the records are closed: their scope was left")


@final
class PerfRing:
    """``async with await event.ring(attr) as ring: async for record in ring``.

    It ends when the process that the event is of has ended.
    """

    __slots__ = ("_form", "_here", "_memory", "_next", "_start", "_turn", "_whole")

    def __init__(self, here: int, form: PerfForm, pages: int) -> None:
        """Map ``pages`` of records, a power of 2. ``here``: the fd in this interpreter, owned."""
        self._here = -1  # until nothing can fail any more
        check_pages(pages)
        self._form = form
        self._memory = mmap.mmap(here, (1 + pages) * mmap.PAGESIZE)
        self._start, self._whole = self._word(OFFSET), self._word(SIZE)
        self._next: deque[PerfRecord] = deque()
        self._turn = trio.Lock()
        self._here = here

    def __repr__(self) -> str:
        return f"PerfRing({self._form!r})"

    def __del__(self) -> None:
        here, self._here = getattr(self, "_here", -1), -1
        if here >= 0:
            os.close(here)

    def take(self) -> list[PerfRecord]:
        """Return the records that are there, without a checkpoint."""
        if self._here < 0:
            raise PerfRingClosedError
        head, tail = self._word(HEAD), self._word(TAIL)
        found: list[PerfRecord] = []
        while tail < head:
            size = HEADER.unpack(self._bytes(tail, HEADER.size))[2]
            if not HEADER.size <= size <= head - tail:
                raise SerializerError("a record of a perf event", size, head - tail)
            found.append(self._form.unpack(self._bytes(tail, size)))
            tail += size
        WORD.pack_into(self._memory, TAIL, head)  # the kernel writes there again
        return found

    @trio.lowlevel.enable_ki_protection
    async def read_records(self) -> list[PerfRecord]:
        """Wait until there are records, and return them; none at the end of the process.

        How many there must be before that is ``wakeup_events`` of the event's attributes.
        """
        await pace()
        async with self._turn:
            while not (found := self.take()):
                try:
                    await trio.lowlevel.wait_readable(self._here)
                except trio.ClosedResourceError:
                    raise PerfRingClosedError from None
                if self._ended():
                    return self.take()
        return found

    def _ended(self) -> bool:
        poller = select.poll()
        poller.register(self._here, select.POLLIN)
        return any(events & (select.POLLHUP | select.POLLERR) for _, events in poller.poll(0))

    def _word(self, offset: int) -> int:
        word: int = WORD.unpack_from(self._memory, offset)[0]
        return word

    def _bytes(self, place: int, size: int) -> bytes:
        at = place % self._whole
        first = self._memory[self._start + at : self._start + min(at + size, self._whole)]
        return first + self._memory[self._start : self._start + size - len(first)]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PerfRecord:
        await pace()
        if not self._next:
            self._next.extend(await self.read_records())
        if not self._next:
            raise StopAsyncIteration
        return self._next.popleft()

    @trio.lowlevel.enable_ki_protection
    async def close(self) -> None:
        """Unmap the records; the event stays. Idempotent."""
        here, self._here = self._here, -1
        if here >= 0:
            self._memory.close()
            trio.lowlevel.notify_closing(here)
            os.close(here)
        await pace()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def check_pages(pages: int) -> None:
    """Refuse a number that is no power of 2."""
    fit("pages", pages, 1, MOST)
    if pages & (pages - 1):
        raise SerializerError.malformed(f"a ring of {pages} pages", "must have a power of 2")
