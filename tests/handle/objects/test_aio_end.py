"""Operations of the old asynchronous I/O are cancelled; contexts are destroyed, whoever forgets."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator
from errno import EINVAL

import pytest
import trio

from rsyscall_ns import (
    BYTES,
    POLL,
    SIG,
    SYS,
    AioClosedError,
    AioContext,
    AioEvent,
    AioNumberError,
    AioOperation,
    ArgumentRangeError,
    IoEvent,
    PipeFD,
    PointerInUseError,
    Task,
    TaskLostError,
    Timespec,
    W,
    open_local_task,
)
from rsyscall_ns.near.calls import ipc as near_ipc
from tests.support.blocking import until_blocked
from tests.support.census import open_fds
from tests.support.children import TRUE

Pipe = tuple[PipeFD, PipeFD]


@pytest.fixture
async def context(task: Task) -> AsyncGenerator[AioContext, None]:
    async with await task.aio.io_setup(8) as made:
        yield made


@pytest.fixture
async def pipe(task: Task) -> AsyncGenerator[tuple[PipeFD, PipeFD], None]:
    reader, writer = await task.fs.pipe2()
    async with reader, writer:
        yield reader, writer


async def is_there(task: Task, number: int) -> bool:
    """Return whether the task's memory has a context of this id."""
    with task.transient(IoEvent.sizeof() + Timespec.sizeof()) as memory:
        time = memory + IoEvent.sizeof()
        try:
            await near_ipc.io_getevents(task.sysif, number, 0, 1, memory.address, time)
        except OSError as error:
            return error.errno != EINVAL
    return True


async def test_a_poll_is_cancelled(context: AioContext, pipe: Pipe) -> None:
    reader, _ = pipe
    (number,) = await context.io_submit(AioOperation.poll(reader, POLL.IN))

    await context.io_cancel(number)

    assert await context.io_getevents() == [AioEvent(number, 0)]
    with pytest.raises(AioNumberError):
        await context.io_cancel(number)


async def test_what_has_ended_is_not_cancelled(context: AioContext, pipe: Pipe) -> None:
    _, writer = pipe
    (number,) = await context.io_submit(AioOperation.poll(writer, POLL.OUT))
    with pytest.raises(OSError, match="io_cancel") as caught:
        await context.io_cancel(number)

    assert caught.value.errno == EINVAL
    await context.io_getevents()


async def test_it_is_destroyed_once(task: Task, pipe: Pipe) -> None:
    reader, _ = pipe
    before, used = open_fds(), task.arena.used
    context = await task.aio.io_setup(1)
    number = context.near
    await context.io_submit(AioOperation.poll(reader, POLL.IN))
    assert await is_there(task, number)
    await context.io_destroy()
    await context.io_destroy()
    await context.close()

    assert (open_fds(), task.arena.used) == (before, used)
    assert context.in_flight == 0
    assert not context.valid
    assert not await is_there(task, number)
    for use in (context.io_getevents, context.io_submit):
        with pytest.raises(AioClosedError):
            await use()


async def test_one_that_was_forgotten_is_destroyed(task: Task) -> None:
    forgotten = await task.aio.io_setup(1)
    number = forgotten.near
    del forgotten
    gc.collect()

    async with await task.aio.io_setup(1) as other:
        while other.near != number and await is_there(task, number):
            await trio.lowlevel.checkpoint()  # a thread is at it


@pytest.mark.parametrize("way", ["death", "exec"])
async def test_it_does_not_outlive_its_child_in_the_interpreters_memory(
    local: Task, way: str
) -> None:
    async with local.spawn() as child:
        context = await child.aio.io_setup(1)
        number = context.near
        reader, _ = await child.fs.pipe2()
        await context.io_submit(AioOperation.poll(reader, POLL.IN))
        if way == "exec":
            await (await child.exec(TRUE)).check()
        else:
            await child.process.kill(SIG.KILL)
            await child.process.waitid(W.EXITED)
        assert await is_there(local, number)
        if way == "exec":
            await context.io_destroy()
    assert not await is_there(local, number)
    assert context.in_flight == 0


async def test_it_ends_with_the_interpreters_task(local: Task) -> None:
    kept: list[AioContext] = []
    async with open_local_task() as other:
        kept.append(await other.aio.io_setup(1))
        number = kept[0].near

    assert not await is_there(local, number)


async def test_numbers_that_can_t_be_are_refused(task: Task, context: AioContext) -> None:
    with pytest.raises(ArgumentRangeError):
        await task.aio.io_setup(0)
    with pytest.raises(ArgumentRangeError):
        await context.io_getevents(2, 1)
    with pytest.raises(ArgumentRangeError):
        await context.io_getevents(-1)
    with pytest.raises(ArgumentRangeError):
        await task.aio.io_setup(2**23 + 1)
    assert await context.io_submit() == []


async def test_the_machine_has_only_so_many(task: Task) -> None:
    async with await task.fs.open("/proc/sys/fs/aio-max-nr") as limit:
        most = int(await limit.read(32))
    if most > 2**23:
        pytest.skip("fs.aio-max-nr allows more than one context can have")
    with pytest.raises(BlockingIOError):
        await task.aio.io_setup(min(most + 1, 2**23))


async def test_memory_is_held_when_the_child_dies_before_it_has_told(local: Task) -> None:
    async with local.spawn() as child:
        reader, _ = await child.fs.pipe2()
        context, into = await child.aio.io_setup(1), await child.malloc(BYTES, 1)

        async def submit() -> None:
            with pytest.raises(TaskLostError):
                await context.io_submit(AioOperation.pread(reader, into))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await until_blocked(child, SYS.io_submit)
            await child.process.kill(SIG.KILL)

        with pytest.raises(PointerInUseError):
            into.free()
        await context.io_destroy()
        into.free()
