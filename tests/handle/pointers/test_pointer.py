"""Pointers own their memory once, and say so when they are used wrongly."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio

from rsyscall_ns import (
    BYTES,
    CLONE,
    INT32,
    SIGINFO,
    AddressSpaceMismatchError,
    ArenaClosedError,
    ArgumentRangeError,
    NamespaceMismatchError,
    O,
    Pointer,
    PointerInUseError,
    PointerNotAdjacentError,
    SerializerError,
    Siginfo,
    Task,
    UseAfterFreeError,
    WrittenPointer,
    open_local_task,
)
from rsyscall_ns.far.namespaces import AddressSpace
from rsyscall_ns.memory.arena import CHUNK
from tests.support.census import nothing_left
from tests.support.steps import Counting


async def test_a_value_that_was_written_is_read_back(local: Task) -> None:
    pointer = await local.malloc(INT32)
    assert pointer.size() == 4

    written = await pointer.write(-7)

    assert isinstance(written, WrittenPointer)
    assert written.value == -7
    assert await written.read() == -7
    written.free()


async def test_ptr_allocates_and_writes_in_one_step(local: Task) -> None:
    siginfo = Siginfo(17, 0, 1, 5, 6, 7)

    with nothing_left(local):
        first, second = await local.ptr(b"some bytes"), await local.ptr(siginfo, SIGINFO)
        assert await first.read() == b"some bytes"
        assert await second.read() == siginfo
        first.free()
        second.free()


async def test_ptr_that_fails_keeps_no_memory(local: Task) -> None:
    with nothing_left(local), pytest.raises(ArgumentRangeError):
        await local.ptr(2**31, INT32)


async def test_ptr_that_is_cancelled_keeps_no_memory(local: Task) -> None:
    with nothing_left(local):
        with trio.CancelScope() as scope:
            scope.cancel()
            await local.ptr(b"never written")
        assert scope.cancelled_caught


@pytest.mark.parametrize("size", [-1, 0, 2**63])
async def test_memory_of_an_impossible_size_is_refused(local: Task, size: int) -> None:
    with nothing_left(local), pytest.raises(ArgumentRangeError, match="size"):
        await local.malloc(BYTES, size)


async def test_every_use_after_free_is_refused(local: Task) -> None:
    pointer = await local.malloc(INT32)
    following = await local.malloc(INT32)
    pointer.free()

    assert not pointer.valid
    assert "gone" in repr(pointer)
    with pytest.raises(UseAfterFreeError):
        pointer.free()
    with pytest.raises(UseAfterFreeError):
        await pointer.read()
    with pytest.raises(UseAfterFreeError):
        await pointer.write(1)
    with pytest.raises(UseAfterFreeError):
        pointer.split(2)
    with pytest.raises(UseAfterFreeError):
        pointer.merge(following)
    with pytest.raises(UseAfterFreeError):
        following.merge(pointer)
    with pytest.raises(UseAfterFreeError), pointer.borrow(local):
        pass
    with pytest.raises(UseAfterFreeError):
        pointer.hold("a test")
    with pytest.raises(UseAfterFreeError):
        pointer.as_type(BYTES)
    with pytest.raises(UseAfterFreeError):
        _ = pointer.near
    assert following.valid
    following.free()


async def test_what_write_consumed_is_gone_and_what_it_returned_owns_the_memory(
    local: Task,
) -> None:
    with nothing_left(local):
        pointer = await local.malloc(INT32)
        written = await pointer.write(1)

        assert not pointer.valid
        again = await written.write(2)
        assert not written.valid
        assert await again.read() == 2
        again.free()


async def test_split_makes_two_owners_and_merge_one(local: Task) -> None:
    with nothing_left(local):
        whole = await local.ptr(b"0123456789abcdef")
        start = whole.near

        first, second = whole.split(10)

        assert (first.near, first.size()) == (start, 10)
        assert (second.near, second.size()) == (start + 10, 6)
        assert await first.read() == b"0123456789"
        assert await second.read() == b"abcdef"
        assert not whole.valid
        merged = first.merge(second)
        assert not first.valid
        assert not second.valid
        assert await merged.read() == b"0123456789abcdef"
        merged.free()


async def test_the_parts_of_a_split_are_freed_one_by_one(local: Task) -> None:
    with nothing_left(local):
        first, second = (await local.malloc(BYTES, 64)).split(20)
        second.free()
        assert first.valid
        first.free()


@pytest.mark.parametrize("cut", [0, 32])
async def test_a_part_without_bytes_owns_nothing(local: Task, cut: int) -> None:
    before = await local.ptr(b"x" * 16)
    whole = await local.ptr(b"y" * 32)
    after = await local.ptr(b"z" * 16)
    used = local.arena.used

    for part in whole.split(cut):
        size = part.size()
        part.free()
        used -= size
        assert local.arena.used == used

    assert await before.read() == b"x" * 16
    assert await after.read() == b"z" * 16
    before.free()
    after.free()


async def test_a_part_without_bytes_is_merged_again(local: Task) -> None:
    with nothing_left(local):
        first, second = (await local.malloc(BYTES, 32)).split(32)
        first.merge(second).free()


@pytest.mark.parametrize("cut", [-1, 33])
async def test_a_cut_outside_is_refused_and_consumes_nothing(local: Task, cut: int) -> None:
    with nothing_left(local):
        whole = await local.malloc(BYTES, 32)
        with pytest.raises(ArgumentRangeError, match="first part"):
            whole.split(cut)
        assert whole.valid
        whole.free()


async def test_pieces_that_are_not_adjacent_are_not_merged(local: Task) -> None:
    with nothing_left(local):
        first, rest = (await local.malloc(BYTES, 48)).split(16)
        second, third = rest.split(16)

        with pytest.raises(PointerNotAdjacentError):
            first.merge(third)
        with pytest.raises(PointerNotAdjacentError):
            second.merge(first)
        with pytest.raises(PointerNotAdjacentError):
            first.merge(first)

        first.merge(second).merge(third).free()


async def test_pieces_of_two_mappings_are_not_merged_even_side_by_side(local: Task) -> None:
    pieces = [await local.malloc(BYTES, CHUNK - 16) for _ in range(6)]
    pieces += [await local.malloc(BYTES, 16) for _ in range(6)]
    pieces.sort(key=lambda pointer: pointer.near.value)
    try:
        for left, right in pairwise(pieces):
            if left.size() == 16 and left.near.value + 16 == right.near.value:
                with pytest.raises(PointerNotAdjacentError):
                    left.merge(right)
                break
    finally:
        for pointer in pieces:
            pointer.free()


async def test_a_merge_that_is_refused_consumes_neither_piece(local: Task) -> None:
    with nothing_left(local):
        first, second = (await local.malloc(BYTES, 32)).split(16)
        second.hold("a test")
        with pytest.raises(PointerInUseError, match="a test"):
            first.merge(second)
        second.let_go("a test")
        with first.borrow(local), pytest.raises(PointerInUseError, match="under way"):
            first.merge(second)

        assert first.valid
        assert second.valid
        first.merge(second).free()


async def test_what_is_borrowed_is_neither_freed_nor_consumed(local: Task) -> None:
    with nothing_left(local):
        pointer = await local.malloc(INT32)
        with pointer.borrow(local) as address, pointer.borrow(local):
            assert address == pointer.near
            with pytest.raises(PointerInUseError, match="under way"):
                pointer.free()
            with pytest.raises(PointerInUseError):
                pointer.split(2)
            with pytest.raises(PointerInUseError):
                await pointer.write(1)
            with pytest.raises(PointerInUseError):
                pointer.as_type(BYTES)
        assert pointer.valid
        pointer.free()


async def test_a_borrow_ends_with_its_block_also_by_an_error(local: Task) -> None:
    pointer = await local.malloc(INT32)
    with pytest.raises(KeyError), pointer.borrow(local):
        raise KeyError

    pointer.free()


async def test_what_is_held_is_kept_until_it_is_let_go(local: Task) -> None:
    pointer = await local.malloc(INT32)
    pointer.hold("child 7")

    for consume in (pointer.free, lambda: pointer.split(1), lambda: pointer.as_type(BYTES)):
        with pytest.raises(PointerInUseError, match="child 7"):
            consume()
    with pytest.raises(PointerInUseError, match="child 7"):
        await pointer.write(1)
    pointer.let_go("child 7")
    pointer.let_go("child 7")
    pointer.free()


async def test_what_several_hold_is_kept_until_all_have_let_go(local: Task) -> None:
    pointer = await local.malloc(INT32)
    first, second = object(), object()
    for holder in (first, second, first):
        pointer.hold(holder)
    for holder in (first, second, second):
        pointer.let_go(holder)
        assert pointer.held
        with pytest.raises(PointerInUseError):
            pointer.free()
    pointer.let_go(first)
    assert not pointer.held
    pointer.free()


async def test_a_value_that_is_too_long_is_refused_and_consumes_nothing(local: Task) -> None:
    pointer = await local.malloc(BYTES, 4)

    with pytest.raises(SerializerError):
        await pointer.write(b"five!")

    assert pointer.valid
    pointer.free()


async def test_memory_changes_its_type_with_its_owner(local: Task) -> None:
    with nothing_left(local):
        raw = await local.ptr(b"\x01\x00\x00\x00")
        typed: Pointer[int] = raw.as_type(INT32)
        assert not raw.valid
        assert await typed.read() == 1
        typed.free()


async def test_a_pointer_of_another_address_space_is_refused_before_any_call(local: Task) -> None:
    async with local.spawn() as child:
        foreign = await child.ptr(b"data")
        assert await foreign.read() == b"data"
        child.address_space = AddressSpace()  # what an exec makes of it
        counting = Counting(child.sysif)
        child.sysif = counting
        file = await child.fs.open("/dev/null")
        counting.calls = 0

        with pytest.raises(AddressSpaceMismatchError, match="address space") as caught:
            await file.write(foreign)

        assert counting.calls == 0
        child.sysif = counting.inner
        assert isinstance(caught.value, NamespaceMismatchError)
        assert foreign.valid
        foreign.free()
        await file.close()


async def test_two_local_tasks_do_not_share_their_pointers(local: Task) -> None:
    async with open_local_task() as other:
        pointer = await other.ptr(b"data")
        file = await local.fs.open("/dev/null")

        with pytest.raises(AddressSpaceMismatchError):
            await file.write(pointer)

        pointer.free()
        await file.close()


async def test_a_child_shares_our_memory_and_its_pointers(local: Task) -> None:
    async with local.spawn(CLONE.FILES) as child:
        pointer = await child.ptr(b"data")
        with pointer.borrow(local) as address:
            assert address == pointer.near
        pointer.free()


async def test_a_pointer_outlives_its_arena_as_a_value_only() -> None:
    async with open_local_task() as task:
        pointer = await task.malloc(INT32)

    for use in (pointer.peek, pointer.free):
        with pytest.raises(ArenaClosedError):
            use()


async def test_read_and_write_with_a_pointer_consume_it_and_return_the_filled_part(
    task: Task,
) -> None:
    reader, writer = await task.fs.pipe2()
    with nothing_left(task):
        source = await task.ptr(b"0123456789")
        assert await writer.write(source) == 10
        room = await task.malloc(BYTES, 64)

        filled = await reader.read(room)

        assert isinstance(filled, Pointer)
        assert not room.valid
        assert await filled.read() == b"0123456789"
        filled.free()
        source.free()
    await reader.close()
    await writer.close()


async def test_a_read_that_fills_the_whole_pointer_returns_it_all(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    neighbour = None
    with nothing_left(task):
        room = await task.malloc(BYTES, 16)
        neighbour = await task.ptr(b"n" * 16)
        await writer.write(b"0123456789abcdef and more")

        filled = await reader.read(room)

        assert isinstance(filled, Pointer)
        assert await filled.read() == b"0123456789abcdef"
        assert await neighbour.read() == b"n" * 16
        filled.free()
        neighbour.free()
    await reader.close()
    await writer.close()


async def test_a_read_that_fails_leaves_the_pointer_to_its_owner(task: Task) -> None:
    writer = await task.fs.open("/dev/null", O.WRONLY)
    room = await task.malloc(BYTES, 16)

    with pytest.raises(OSError, match="Bad file descriptor"):
        await writer.read(room)

    assert room.valid
    room.free()
