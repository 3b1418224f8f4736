"""The allocator gives out each byte at most once, and ends whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from rsyscall_ns import DoubleFreeError, RsyscallError
from rsyscall_ns.memory.allocator import FreeList

START, END = 4096, 8192
Range = tuple[int, int]  # start, size
ALIGNMENTS = st.sampled_from([1, 2, 8, 16, 64, 1024])


class FreeListMachine(RuleBasedStateMachine):
    """Compares a FreeList with a set of all bytes."""

    taken = Bundle[Range]("taken")

    def __init__(self) -> None:
        super().__init__()
        self.list = FreeList(START, END)
        self.model = set(range(START, END))

    @rule(target=taken, size=st.integers(1, 1500), alignment=ALIGNMENTS)
    def allocate(self, size: int, alignment: int) -> Range | MultipleResults[Range]:
        start = self.list.allocate(size, alignment)
        if start is None:
            places = range(START, END - size + 1, alignment)
            assert not any(self.model.issuperset(range(at, at + size)) for at in places)
            return multiple()
        assert start % alignment == 0
        whole = set(range(start, start + size))
        assert whole <= self.model, "bytes were given out twice"
        self.model -= whole
        return (start, size)

    @rule(taken=consumes(taken))
    def release(self, taken: Range) -> None:
        start, size = taken
        self.list.release(start, size)
        self.model |= set(range(start, start + size))

    @rule(target=taken, taken=consumes(taken), data=st.data())
    def release_a_part(self, taken: Range, data: st.DataObject) -> MultipleResults[Range]:
        start, size = taken
        low = data.draw(st.integers(0, size - 1))
        high = data.draw(st.integers(low + 1, size))
        self.list.release(start + low, high - low)
        self.model |= set(range(start + low, start + high))
        rest = [(start, low), (start + high, size - high)]
        return multiple(*(part for part in rest if part[1]))

    @rule(start=st.integers(START - 64, END + 64), size=st.integers(1, 128))
    def release_what_is_not_all_taken(self, start: int, size: int) -> None:
        bytes_ = set(range(start, start + size))
        if bytes_ & self.model or start < START or start + size > END:
            with pytest.raises(DoubleFreeError):
                self.list.release(start, size)

    @invariant()
    def the_free_ranges_are_the_free_bytes(self) -> None:
        ranges = self.list.ranges
        assert {byte for low, high in ranges for byte in range(low, high)} == self.model
        assert self.list.free == len(self.model)

    @invariant()
    def the_free_ranges_are_sorted_and_never_touch(self) -> None:
        ranges = self.list.ranges
        assert all(low < high for low, high in ranges)
        pairs = pairwise(ranges)
        assert all(high < following for (_, high), (following, _) in pairs)

    def teardown(self) -> None:
        """Free what is left: one range must be the result."""
        left = sorted(set(range(START, END)) - self.model)
        for byte in left:
            self.list.release(byte, 1)
        assert self.list.ranges == [(START, END)]


TestFreeList = FreeListMachine.TestCase
TestFreeList.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_range_is_refused_when_it_is_freed_twice() -> None:
    free = FreeList(0, 1024)
    start = free.allocate(100, 16)
    assert start is not None
    free.release(start, 100)

    with pytest.raises(DoubleFreeError, match="not allocated") as caught:
        free.release(start, 100)

    assert isinstance(caught.value, RsyscallError)
    assert free.ranges == [(0, 1024)]


@pytest.mark.parametrize(("start", "size"), [(-8, 8), (1024, 8), (1020, 8), (0, 0), (0, -4)])
def test_a_range_outside_is_refused(start: int, size: int) -> None:
    free = FreeList(0, 1024)
    assert free.allocate(1024, 1) == 0

    with pytest.raises(DoubleFreeError):
        free.release(start, size)

    assert free.free == 0


def test_what_does_not_fit_is_not_given() -> None:
    free = FreeList(0, 1024)

    assert free.allocate(1025, 1) is None
    assert free.allocate(1024, 1) == 0
    assert free.allocate(1, 1) is None


def test_the_gap_before_an_aligned_range_stays_free() -> None:
    free = FreeList(8, 1024)

    assert free.allocate(100, 64) == 64
    assert free.ranges == [(8, 64), (164, 1024)]
