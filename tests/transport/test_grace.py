"""A process that does not answer an interrupt does not hang the cancel for ever."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator

import pytest
import trio
import trio.testing

from rsyscall_ns import (
    SIG,
    SYS,
    ChildTask,
    FileDescriptor,
    Program,
    Task,
    TaskLostError,
    UnresponsiveTaskError,
    W,
)
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left
from tests.support.children import is_alive

GRACE = 0.05  # seconds
SIZE = 4096  # bytes


@pytest.fixture
async def stopped(local: Task) -> AsyncGenerator[ChildTask, None]:
    """Give a child that can be stopped, and that gets little time to answer."""
    async with local.spawn() as child:
        child.set_grace(GRACE)
        yield child


async def stop(child: ChildTask) -> None:
    """Stop it, and wait until it is."""
    await child.process.kill(SIG.STOP)
    assert await child.process.waitid(W.STOPPED) is not None


async def have_a_waiting_thread(local: Task) -> None:
    """Have what waits for stops, which is kept for the next one."""
    async with local.spawn() as child:
        await stop(child)


async def give_up(child: ChildTask, read: FileDescriptor) -> None:
    """Cancel a read that blocks in a stopped child."""

    async def reader() -> None:
        with pytest.raises(UnresponsiveTaskError):
            await read.read(SIZE)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        await until_blocked(child)
        await stop(child)
        nursery.cancel_scope.cancel()


async def test_the_caller_gets_a_named_error_and_the_task_is_lost(stopped: ChildTask) -> None:
    read, _write = await stopped.fs.pipe2()
    outcome: list[BaseException] = []

    async def reader() -> None:
        try:
            await read.read(1)
        except UnresponsiveTaskError as error:
            outcome.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        await until_blocked(stopped)
        await stop(stopped)
        nursery.cancel_scope.cancel()
    assert [type(error) for error in outcome] == [UnresponsiveTaskError]
    assert "has not answered" in str(outcome[0])
    with pytest.raises(TaskLostError):
        await stopped.cred.getuid()
    await stopped.process.kill(SIG.CONT)  # the process is still ours
    assert await stopped.process.waitid(W.CONTINUED) is not None


async def test_memory_of_the_call_is_not_given_to_others_before_the_child_is_dead(
    local: Task,
) -> None:
    await have_a_waiting_thread(local)
    with nothing_left(local):
        async with local.spawn() as child:
            child.set_grace(GRACE)
            read, _write = await child.fs.pipe2()
            used = local.arena.used
            await give_up(child, read)
            assert local.arena.used >= used + SIZE
            pointer = await local.ptr(b"of somebody else")
            pointer.free()


async def test_one_that_answers_in_time_stays_usable(stopped: ChildTask) -> None:
    read, _write = await stopped.fs.pipe2()
    for _ in range(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read.read, 1)
            await until_blocked(stopped)
            nursery.cancel_scope.cancel()
        assert await stopped.cred.getuid() == os.getuid()


async def test_a_program_that_must_not_be_torn_is_taken_back_while_it_waits(
    stopped: ChildTask,
) -> None:
    read, write = await stopped.fs.pipe2()
    program = Program()
    program.call(SYS.write, write.near.number, 0, 0)
    program.interruptible = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read.read, 1)
        await until_blocked(stopped)
        with trio.CancelScope() as scope:
            nursery.start_soon(stopped.sysif.execute, program)
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
        nursery.cancel_scope.cancel()
    assert await stopped.cred.getuid() == os.getuid()


async def test_a_stopped_child_is_ended_with_its_scope(local: Task) -> None:
    await have_a_waiting_thread(local)
    with nothing_left(local):
        async with local.spawn() as child:
            child.set_grace(GRACE)
            read, _write = await child.fs.pipe2()
            await give_up(child, read)
            pid = child.process.near.id
        assert not is_alive(pid)
