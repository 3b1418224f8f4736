"""Arenas give aligned memory that never overlaps, grow when full, and end closed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from rsyscall_ns import ArenaClosedError, DoubleFreeError
from rsyscall_ns.memory.arena import ALIGNMENT, CHUNK, Arena
from tests.support.census import shared_mappings

Piece = tuple[int, int, bytes]  # address, size, content


class ArenaMachine(RuleBasedStateMachine):
    """Fills every piece with bytes of its own: an overlap would overwrite some."""

    pieces = Bundle[Piece]("pieces")

    def __init__(self) -> None:
        super().__init__()
        self.arena = Arena()
        self.live: dict[int, Piece] = {}
        self.fill = 0

    @rule(
        target=pieces,
        size=st.integers(1, 5000) | st.integers(CHUNK // 2, CHUNK + 5000),
        alignment=st.sampled_from([16, 64, 4096, 32768]),
    )
    def allocate(self, size: int, alignment: int) -> Piece:
        address = self.arena.allocate(size, alignment)
        assert address % alignment == 0
        self.fill = (self.fill + 1) % 256
        content = bytes([self.fill])
        view = self.arena.view(address, size)
        assert len(view) == size
        view[:1] = content
        view[-1:] = content
        piece = (address, size, content)
        self.live[address] = piece
        return piece

    @rule(piece=consumes(pieces))
    def release(self, piece: Piece) -> None:
        address, size, _ = piece
        self.arena.release(address, size)
        del self.live[address]
        with pytest.raises(DoubleFreeError):
            self.arena.release(address, size)

    @invariant()
    def every_piece_keeps_its_content(self) -> None:
        for address, size, content in self.live.values():
            view = self.arena.view(address, size)
            assert bytes(view[:1]) == bytes(view[-1:]) == content

    @invariant()
    def nothing_overlaps_and_everything_is_counted(self) -> None:
        ends = sorted((address, address + size) for address, size, _ in self.live.values())
        pairs = pairwise(ends)
        assert all(end <= following for (_, end), (following, _) in pairs)
        assert self.arena.used == sum(size for _, size, _ in self.live.values())
        assert self.arena.mapped >= self.arena.used

    def teardown(self) -> None:
        """Unmap: an arena closes whatever is left in it."""
        for address, size, _ in self.live.values():
            self.arena.release(address, size)
        assert self.arena.used == 0
        self.arena.close()


TestArena = ArenaMachine.TestCase
TestArena.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


def test_memory_is_aligned_for_any_c_type() -> None:
    arena = Arena()

    assert [arena.allocate(size) % ALIGNMENT for size in (1, 2, 3, 17)] == [0, 0, 0, 0]
    arena.close()


def test_memory_is_given_back_in_parts() -> None:
    arena = Arena()
    address = arena.allocate(64)

    arena.release(address, 16)
    arena.release(address + 48, 16)
    arena.release(address + 16, 32)

    assert arena.used == 0
    arena.close()


def test_an_arena_grows_by_mappings_and_unmaps_them_when_it_is_closed() -> None:
    before = shared_mappings()
    arena = Arena()
    pieces = [arena.allocate(CHUNK) for _ in range(3)]

    assert shared_mappings() > before
    assert arena.mapped >= 3 * CHUNK
    assert len(set(pieces)) == 3
    arena.close()
    assert shared_mappings() == before


def test_a_closed_arena_refuses_everything_and_closing_it_again_is_fine() -> None:
    arena = Arena()
    address = arena.allocate(16)
    arena.close()
    arena.close()

    with pytest.raises(ArenaClosedError):
        arena.allocate(16)
    with pytest.raises(ArenaClosedError):
        arena.view(address, 16)
    with pytest.raises(ArenaClosedError):
        arena.release(address, 16)


def test_a_view_that_is_still_held_survives_the_end_of_the_arena() -> None:
    arena = Arena()
    view = arena.view(arena.allocate(16), 16)
    view[:] = b"still here, so 1"

    arena.close()

    assert bytes(view) == b"still here, so 1"


def test_memory_that_was_never_allocated_is_not_freed() -> None:
    arena = Arena()
    address = arena.allocate(16)

    for wrong in (address - CHUNK, address + 16, address + 8):
        with pytest.raises(DoubleFreeError):
            arena.release(wrong, 16)

    assert arena.used == 16
    arena.close()


def test_what_is_held_back_is_released_when_all_have_let_go() -> None:
    arena = Arena()
    address = arena.allocate(64)
    arena.hold_back()
    arena.hold_back()
    arena.release(address, 64)
    assert arena.allocate(64) != address
    arena.let_go()
    assert arena.used == 128
    arena.let_go()
    assert arena.used == 64
    assert arena.allocate(64) == address
    arena.close()
