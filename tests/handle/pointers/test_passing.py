"""What is given to a call: values as they are, and memory that is large enough for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    AF,
    BYTES,
    SOCK,
    Flock,
    Itimerspec,
    O,
    PathError,
    Pointer,
    PointerInUseError,
    SerializerError,
    Stat,
    Task,
    struct_of,
)
from tests.support.census import nothing_left


@pytest.mark.parametrize("size", [1, struct_of(Stat).size - 1])
async def test_memory_that_is_too_small_for_a_struct_is_not_filled(task: Task, size: int) -> None:
    with nothing_left(task):
        both = await task.ptr(bytes(2 * struct_of(Stat).size), BYTES)
        small, behind = both.as_type(struct_of(Stat)).split(size)
        behind = behind.as_type(BYTES)

        with pytest.raises(SerializerError, match="at least"):
            await task.fs.stat("/", into=small)

        assert not any(behind.as_bytes())
        assert small.valid
        small.free()
        behind.free()


async def test_memory_of_another_type_is_not_filled_if_it_is_too_small(task: Task) -> None:
    wrong: Pointer[Any] = await task.malloc(struct_of(Stat))
    with pytest.raises(SerializerError, match="at least"):
        await task.fs.statx("/", into=wrong)
    wrong.free()


async def test_memory_that_is_too_small_for_its_struct_is_not_read(task: Task) -> None:
    async with await task.fds.timerfd_create() as timer:
        small = await task.malloc(struct_of(Itimerspec), 8)
        with pytest.raises(SerializerError, match="at least"):
            await timer.timerfd_settime(small)
        small.free()


async def test_a_lock_in_memory_that_is_too_small_is_refused(task: Task) -> None:
    async with await task.fds.memfd_create("lock") as file:
        small, rest = (await task.malloc(struct_of(Flock))).split(4)
        with pytest.raises(SerializerError, match="at least"):
            await file.getlk(small)
        small.merge(rest).free()


async def test_an_offset_takes_eight_bytes(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    async with reader, writer, await task.fds.memfd_create("source") as file:
        small = await task.malloc(BYTES, 7)
        with pytest.raises(SerializerError, match="at least 8 bytes"):
            await file.splice(writer, 1, offset=small)
        small.free()


async def test_both_times_of_a_file_take_their_bytes(task: Task) -> None:
    async with await task.fds.memfd_create("times") as file:
        small = await task.malloc(BYTES, 31)
        with pytest.raises(SerializerError, match="at least 32 bytes"):
            await file.futimens(small)
        small.free()


async def test_a_handles_memory_is_as_large_as_it_says(task: Task) -> None:
    lying = await task.ptr((128).to_bytes(4, "little") + bytes(8))
    with pytest.raises(SerializerError, match="a file handle"):
        await task.fs.name_to_handle_at("/", into=lying)
    async with await task.fs.open("/") as root:
        with pytest.raises(SerializerError, match="a file handle"):
            await root.open_by_handle_at(lying)
    lying.free()


async def test_a_path_in_memory_has_an_end(task: Task) -> None:
    endless = await task.ptr(b"/proc")
    with pytest.raises(PathError, match="no NUL"):
        await task.fs.stat(endless)
    with pytest.raises(PathError, match="no NUL"):
        await task.fs.getxattr("/", endless)
    endless.free()


async def test_numbers_are_no_buffers(task: Task) -> None:
    reader, writer = await task.fs.pipe2(O.NONBLOCK)
    numbers: Any = b"ab"  # a sequence of ints
    async with reader, writer:
        with pytest.raises(TypeError):
            await writer.writev(numbers)
        with pytest.raises(TypeError):
            await writer.pwrite(numbers[0], 0)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
async def test_a_message_of_any_kind_of_bytes_is_sent_as_it_is(
    task: Task, kind: Callable[[bytes], Any]
) -> None:
    ours, theirs = await task.net.socketpair(AF.UNIX, SOCK.DGRAM)
    async with ours, theirs:
        await ours.sendmsg(kind(b"ab"))
        assert await theirs.recv() == b"ab"


async def test_memory_that_a_read_will_consume_is_refused_to_another_read(task: Task) -> None:
    """Else what the second has read would be there, but nobody would know how much it is."""
    reader, writer = await task.fs.pipe2()
    ours, theirs = await task.net.socketpair()
    memory = await task.malloc(BYTES, 64)
    async with reader, writer, ours, theirs:
        await theirs.send(b"not lost")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader.read, memory)
            await wait_all_tasks_blocked()
            with pytest.raises(PointerInUseError):
                await ours.recv(memory)
            with pytest.raises(PointerInUseError):
                await ours.read(memory)
            nursery.cancel_scope.cancel()

        filled = await ours.recv(memory)
        assert filled.peek() == b"not lost"
        filled.free()


async def test_the_same_memory_is_not_filled_twice_by_one_call(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    async with reader, writer:
        await writer.write(b"12345678")
        with pytest.raises(PointerInUseError):
            await reader.readv([memory, memory])
        assert await reader.read() == b"12345678"
    memory.free()
