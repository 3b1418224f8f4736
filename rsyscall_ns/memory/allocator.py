"""Which ranges of an arena are free. Arithmetic only: no memory is touched here."""

from __future__ import annotations

from bisect import bisect_left
from typing import final

from rsyscall_ns.near.errors import RsyscallError

__all__ = ["DoubleFreeError", "FreeList"]


class DoubleFreeError(RsyscallError):
    """A range was freed that is free already, or never was part of the arena."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(f"range {start:#x} to {end:#x} is not allocated, so it can't be freed")


@final
class FreeList:
    """The free ranges of ``[start, end)``, sorted, never touching each other. First fit."""

    __slots__ = ("_ends", "_starts", "end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self._starts = [start]
        self._ends = [end]

    @property
    def free(self) -> int:
        """How many bytes are free."""
        return sum(self._ends) - sum(self._starts)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The free ranges in order."""
        return list(zip(self._starts, self._ends, strict=True))

    def allocate(self, size: int, alignment: int) -> int | None:
        """Take ``size`` bytes at a multiple of ``alignment``; None where nothing fits."""
        for index, low in enumerate(self._starts):
            start = -(-low // alignment) * alignment
            end = start + size
            high = self._ends[index]
            if end > high:
                continue
            if start == low and end == high:
                del self._starts[index], self._ends[index]
            elif start == low:
                self._starts[index] = end
            elif end == high:
                self._ends[index] = start
            else:
                self._ends[index] = start
                self._starts.insert(index + 1, end)
                self._ends.insert(index + 1, high)
            return start
        return None

    def release(self, start: int, size: int) -> None:
        """Free a range: what ``allocate`` gave, or any part of it."""
        end = start + size
        index = bisect_left(self._starts, start)
        before = index > 0 and self._ends[index - 1] > start
        behind = index < len(self._starts) and self._starts[index] < end
        if before or behind or start < self.start or end > self.end or size <= 0:
            raise DoubleFreeError(start, end)
        joins_before = index > 0 and self._ends[index - 1] == start
        joins_behind = index < len(self._starts) and self._starts[index] == end
        if joins_before and joins_behind:
            self._ends[index - 1] = self._ends[index]
            del self._starts[index], self._ends[index]
        elif joins_before:
            self._ends[index - 1] = end
        elif joins_behind:
            self._starts[index] = start
        else:
            self._starts.insert(index, start)
            self._ends.insert(index, end)
