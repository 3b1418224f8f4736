"""Operations of the old asynchronous I/O begin, end, are waited for, and let go of their memory."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from errno import EBADF, EINTR, EINVAL
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    BYTES,
    POLL,
    RWF,
    SIG,
    SYS,
    AioContext,
    AioEvent,
    AioOperation,
    BlocksLoopError,
    FileFD,
    IoEvent,
    O,
    PipeFD,
    PointerInUseError,
    Task,
    Timespec,
    array_of,
)
from tests.support.blocking import cancelled_in, until_blocked

NOW = Timespec()
LATER = Timespec(10**9)
EVENTS = array_of(IoEvent)


@pytest.fixture
async def context(task: Task) -> AsyncGenerator[AioContext, None]:
    async with await task.aio.io_setup(8) as made:
        yield made


@pytest.fixture
async def file(task: Task, tmp_path: Path) -> AsyncGenerator[FileFD, None]:
    async with await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT) as made:
        yield made


@pytest.fixture
async def pipe(task: Task) -> AsyncGenerator[tuple[PipeFD, PipeFD], None]:
    reader, writer = await task.fs.pipe2()
    async with reader, writer:
        yield reader, writer


Pipe = tuple[PipeFD, PipeFD]


def waiting(task: Task, number: int = SYS.io_getevents) -> Callable[[], Awaitable[None]]:
    """Return what returns once somebody waits for events."""
    if task.sysif.same_thread:
        return wait_all_tasks_blocked
    return lambda: until_blocked(task, number)


async def test_a_file_is_written_and_read(task: Task, context: AioContext, file: FileFD) -> None:
    data, into = await task.ptr(b"hello", BYTES), await task.ptr(bytes(8), BYTES)

    numbers = await context.io_submit(
        AioOperation.pwrite(file, data, 3), AioOperation.pwrite(file, data, 8, RWF.DSYNC)
    )
    assert [await context.io_getevents(2)] == [[AioEvent(number, 5) for number in numbers]]
    (number,) = await context.io_submit(AioOperation.pread(file, into, 1))
    assert await context.io_getevents() == [AioEvent(number, 8)]

    assert into.peek() == b"\0\0hellohe"[:8]
    assert context.in_flight == 0
    data.free()
    into.free()


async def test_pieces_are_written_and_read(task: Task, context: AioContext, file: FileFD) -> None:
    pieces = [await task.ptr(b"one", BYTES), await task.ptr(b"three", BYTES)]
    places = b"".join(struct.pack("<QQ", one.near.value, one.size()) for one in pieces)
    iovec = await task.ptr(places, BYTES)

    await context.io_submit(AioOperation.pwritev(file, iovec, pieces, 1))
    assert [event.res for event in await context.io_getevents()] == [8]
    for piece in pieces:
        piece.poke(bytes(piece.size()))
    await context.io_submit(AioOperation.preadv(file, iovec, pieces))
    assert [event.res for event in await context.io_getevents()] == [8]

    assert [piece.peek() for piece in pieces] == [b"\0on", b"ethre"]
    for one in (*pieces, iovec):
        one.free()


@pytest.mark.parametrize("datasync", [False, True])
async def test_a_file_is_synced(context: AioContext, file: FileFD, *, datasync: bool) -> None:
    operation = AioOperation.fsync(file, datasync=datasync)
    (number,) = await context.io_submit(operation)

    assert await context.io_getevents() == [AioEvent(number, 0)]


async def test_readiness_is_waited_for(context: AioContext, pipe: Pipe) -> None:
    reader, writer = pipe
    (number,) = await context.io_submit(AioOperation.poll(reader, POLL.IN))
    assert await context.io_getevents(0) == []
    assert await context.io_getevents(1, timeout=NOW) == []
    assert await context.io_getevents(1, 4, Timespec(0, 1)) == []
    await writer.write(b"a")

    (found,) = await context.io_getevents(1, timeout=LATER)
    assert (found.number, found.res & POLL.IN) == (number, POLL.IN)


async def test_a_waiter_is_told_when_it_ends(task: Task, context: AioContext, local: Task) -> None:
    reader, writer = await task.fs.pipe2()
    async with reader, writer, await writer.pass_to(local) as ours:
        await context.io_submit(AioOperation.poll(reader, POLL.IN))
        found: list[AioEvent] = []

        async def wait() -> None:
            found.extend(await context.io_getevents())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await waiting(task)()
            await ours.write(b"a")
        assert [event.res & POLL.IN for event in found] == [POLL.IN]


async def test_a_cancel_ends_only_the_wait(task: Task, context: AioContext, pipe: Pipe) -> None:
    reader, writer = pipe
    (number,) = await context.io_submit(AioOperation.poll(reader, POLL.IN))

    await cancelled_in(task, context.io_getevents, waiting(task))

    await writer.write(b"a")
    assert [event.number for event in await context.io_getevents()] == [number]


async def test_what_the_interpreter_has_taken_is_told_to_the_next(
    local: Task,
) -> None:
    reader, writer = await local.fs.pipe2()
    async with reader, writer, await local.aio.io_setup(8) as context:
        polls = AioOperation.poll(writer, POLL.OUT), AioOperation.poll(reader, POLL.IN)
        numbers = await context.io_submit(*polls)

        await cancelled_in(local, lambda: context.io_getevents(2), wait_all_tasks_blocked)

        await writer.write(b"a")
        assert [event.number for event in await context.io_getevents(2)] == numbers


async def test_events_are_given_in_portions(context: AioContext, pipe: Pipe) -> None:
    _, writer = pipe
    numbers = await context.io_submit(*[AioOperation.poll(writer, POLL.OUT)] * 3)

    found = [await context.io_getevents(1, 1) for _ in range(3)]

    assert sorted(event.number for some in found for event in some) == numbers
    assert [len(some) for some in found] == [1, 1, 1]


async def test_events_are_filled_into_the_callers_memory(
    task: Task, context: AioContext, pipe: Pipe
) -> None:
    _, writer = pipe
    (number,) = await context.io_submit(AioOperation.poll(writer, POLL.OUT))
    memory = await task.malloc(EVENTS, 4 * IoEvent.sizeof())

    filled = await context.io_getevents(into=memory)

    assert not memory.valid
    assert [(event.data, event.res) for event in filled.peek()] == [(number, POLL.OUT)]
    assert context.in_flight == 0
    filled.free()


async def test_an_eventfd_counts(task: Task, context: AioContext, pipe: Pipe) -> None:
    reader, writer = pipe
    async with await task.fds.eventfd() as counter:
        await context.io_submit(
            AioOperation.poll(writer, POLL.OUT).counted_by(counter),
            AioOperation.poll(reader, POLL.IN).counted_by(counter),
        )
        assert await counter.eventfd_read() == 1
        assert [event.res for event in await context.io_getevents(1)] == [POLL.OUT]
        if task.sysif.same_thread:
            with pytest.raises(BlocksLoopError):
                await context.io_getevents()
        await writer.write(b"a")
        assert await counter.eventfd_read() == 1
        assert [one.res & POLL.IN for one in await context.io_getevents(1)] == [POLL.IN]


async def test_an_operation_has_a_priority_of_its_own(
    task: Task, context: AioContext, file: FileFD
) -> None:
    data = await task.ptr(b"a", BYTES)
    best_effort, none_such = 2 << 13 | 7, -1
    await context.io_submit(AioOperation.pwrite(file, data).with_ioprio(best_effort))
    assert [event.res for event in await context.io_getevents()] == [1]
    with pytest.raises(OSError, match="io_submit") as caught:
        await context.io_submit(AioOperation.pwrite(file, data).with_ioprio(none_such))
    assert caught.value.errno == EINVAL
    data.free()


# signal masks


async def test_a_child_waits_with_a_mask(task: Task, context: AioContext, pipe: Pipe) -> None:
    reader, writer = pipe
    await context.io_submit(AioOperation.poll(reader, POLL.IN))
    assert await context.io_pgetevents(1, timeout=NOW) == []
    wait = partial(context.io_pgetevents, sigmask=[SIG.USR1])
    if task.sysif.same_thread:
        with pytest.raises(BlocksLoopError):
            await wait()
    else:
        await cancelled_in(task, wait, waiting(task, SYS.io_pgetevents))
    await writer.write(b"a")
    assert len(await context.io_pgetevents()) == 1


# memory


async def test_memory_is_held_until_the_end_was_told(
    task: Task, context: AioContext, file: FileFD
) -> None:
    data = await task.ptr(b"a", BYTES)
    await context.io_submit(AioOperation.pwrite(file, data), AioOperation.pwrite(file, data))
    assert len(await context.io_getevents(1, 1)) == 1
    with pytest.raises(PointerInUseError):
        data.free()
    await context.io_getevents()
    data.free()


async def test_what_did_not_begin_lets_go(task: Task, context: AioContext, file: FileFD) -> None:
    data = await task.ptr(b"a", BYTES)
    async with await task.fs.open("/dev/null") as unwritable:
        bad = AioOperation.fsync(unwritable)
        with pytest.raises(OSError, match="io_submit") as caught:
            await context.io_submit(AioOperation.pwrite(file, data), bad, bad)
        assert caught.value.errno == EINVAL
    assert context.in_flight == 1
    assert [event.res for event in await context.io_getevents()] == [1]
    data.free()


async def test_a_file_that_is_not_open_for_writing_is_not_written(
    task: Task, context: AioContext
) -> None:
    data = await task.ptr(b"a", BYTES)
    async with await task.fs.open("/proc/self/maps") as file:
        with pytest.raises(OSError, match="io_submit") as caught:
            await context.io_submit(AioOperation.pwrite(file, data))
        assert caught.value.errno == EBADF
    assert context.in_flight == 0
    data.free()


async def test_the_interpreter_reads_no_pipe_so(local: Task) -> None:
    into = await local.malloc(BYTES, 1)
    reader, writer = await local.fs.pipe2()
    async with reader, writer, await local.aio.io_setup(1) as context:
        with pytest.raises(BlocksLoopError):
            await context.io_submit(AioOperation.pread(reader, into))
    into.free()


async def test_a_cancel_ends_a_read_that_a_child_waits_in(child: Task) -> None:
    into = await child.malloc(BYTES, 1)
    reader, writer = await child.fs.pipe2()
    async with reader, writer, await child.aio.io_setup(1) as context:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(context.io_submit, AioOperation.pread(reader, into))
            await until_blocked(child, SYS.io_submit)
            nursery.cancel_scope.cancel()
        assert [event.res for event in await context.io_getevents()] == [-EINTR]
    into.free()
