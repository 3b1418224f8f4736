"""RingQueues: the two queues of an io_uring, in memory that the kernel and this interpreter see.

Owns their mapping, and who may move which end. It knows no handles and waits for nothing.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence
from typing import Final, final

from rsyscall_ns.near.abi.io_uring_h import (
    IORING_OFF_CQ_RING,
    IORING_OFF_SQ_RING,
    IORING_OFF_SQES,
)
from rsyscall_ns.near.abi.io_uring_structs import IoUringCqe, IoUringParams, IoUringSqe

__all__ = ["RingQueues"]

WORD: Final = struct.Struct("<I")
MASK: Final = 2**32 - 1


@final
class RingQueues:
    """What is to be submitted, and what is complete."""

    __slots__ = ("_cq", "_params", "_sq", "_sqes", "_start")

    def __init__(self, here: int, params: IoUringParams) -> None:
        """Map them. ``here``: the io_uring's fd in this interpreter."""
        self._params = params
        self._start = 0
        sq, cq = params.sq_off, params.cq_off
        cqes = cq.cqes + params.cq_entries * IoUringCqe.sizeof()
        sqes = params.sq_entries * IoUringSqe.sizeof()
        array = sq.array + params.sq_entries * WORD.size
        self._sq = mmap.mmap(here, array, offset=IORING_OFF_SQ_RING)
        self._cq = mmap.mmap(here, cqes, offset=IORING_OFF_CQ_RING)
        self._sqes = mmap.mmap(here, sqes, offset=IORING_OFF_SQES)

    def put(self, entries: Sequence[bytes]) -> None:
        """Offer entries to the kernel, which takes them when it is told to."""
        sq = self._params.sq_off
        tail = self._start = _word(self._sq, sq.tail)
        for data in entries:
            place = tail & _word(self._sq, sq.ring_mask)
            self._sqes[place * len(data) : (place + 1) * len(data)] = data
            WORD.pack_into(self._sq, sq.array + place * WORD.size, place)
            tail = (tail + 1) & MASK
        WORD.pack_into(self._sq, sq.tail, tail)

    def offered(self) -> int:
        """Return how many entries the kernel has not yet taken."""
        sq = self._params.sq_off
        return (_word(self._sq, sq.tail) - _word(self._sq, sq.head)) & MASK

    def take_back(self) -> int:
        """Offer the rest no longer; returns how many of what was ``put`` last the kernel took."""
        head = _word(self._sq, self._params.sq_off.head)
        WORD.pack_into(self._sq, self._params.sq_off.tail, head)
        return (head - self._start) & MASK

    def ready(self) -> bool:
        """Return whether there is a completion to be taken."""
        cq = self._params.cq_off
        return _word(self._cq, cq.head) != _word(self._cq, cq.tail)

    def take(self) -> list[IoUringCqe]:
        """Take all completions that are there."""
        cq, size = self._params.cq_off, IoUringCqe.sizeof()
        head, tail = _word(self._cq, cq.head), _word(self._cq, cq.tail)
        count = min((tail - head) & MASK, self._params.cq_entries)
        mask = _word(self._cq, cq.ring_mask)
        places = [cq.cqes + ((head + index) & mask) * size for index in range(count)]
        found = [IoUringCqe.unpack(self._cq[place : place + size]) for place in places]
        WORD.pack_into(self._cq, cq.head, (head + count) & MASK)
        return found

    def close(self) -> None:
        """Unmap them. Idempotent."""
        for mapping in (self._sq, self._cq, self._sqes):
            mapping.close()


def _word(memory: mmap.mmap, offset: int) -> int:
    word: int = WORD.unpack_from(memory, offset)[0]
    return word
