"""A child execs while nothing else is under way in it, and then something is."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from errno import EMFILE
from pathlib import Path
from signal import SIGINT, SIGKILL

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    SYS,
    ChildBusyError,
    ChildProcess,
    ChildTask,
    Command,
    FileDescriptor,
    O,
    Program,
    Task,
    TaskLostError,
    UnresponsiveTaskError,
    open_local_task,
)
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near.ffi import BLOCK_SIZE
from tests.support.blocking import current_call, until_blocked
from tests.support.census import nothing_left
from tests.support.children import TRUE
from tests.support.limits import fd_table_full

NOWHERE = Command("/nowhere", ["nowhere"])


@contextmanager
def all_that_is_free(arena: Arena, wanted: int) -> Generator[memoryview]:
    """Allocate blocks until one lies where it is wanted, and yield that."""
    blocks: list[int] = []
    while wanted not in blocks:
        assert len(blocks) < 1000
        blocks.append(arena.allocate(BLOCK_SIZE, BLOCK_SIZE))
    try:
        yield arena.view(wanted, BLOCK_SIZE)
    finally:
        for block in blocks:
            arena.release(block, BLOCK_SIZE)


@asynccontextmanager
async def child_and_pipe(
    local: Task, *inherit: FileDescriptor
) -> AsyncGenerator[tuple[ChildTask, Program, FileDescriptor]]:
    """Yield a child that has made no call, what blocks it, and what ends that when written to."""
    reading, writing = await local.fs.pipe2()
    async with reading, writing, local.spawn(inherit=[reading, *inherit]) as child:
        program = Program()
        program.calls.read(reading.inherit(child), program.room(1), 1)
        yield child, program, writing


async def test_a_call_that_comes_later_learns_that_the_child_is_gone(local: Task) -> None:
    with nothing_left(local):
        async with child_and_pipe(local) as (child, blocking, writing):
            processes: list[ChildProcess] = []

            async def become() -> None:
                processes.append(await child.exec(TRUE, before=blocking))

            async def call() -> None:
                with pytest.raises(TaskLostError):
                    await child.cred.getuid()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(become)
                await until_blocked(child)
                nursery.start_soon(call)
                await wait_all_tasks_blocked()
                await writing.write(b"x")
            await processes[0].check()


async def test_a_call_that_comes_later_is_answered_when_the_exec_fails(local: Task) -> None:
    async with child_and_pipe(local) as (child, blocking, writing):
        answers: list[int] = []

        async def become() -> None:
            with pytest.raises(FileNotFoundError):
                await child.exec(NOWHERE, before=blocking)

        async def call() -> None:
            answers.append(await child.cred.getuid())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(become)
            await until_blocked(child)
            nursery.start_soon(call)
            await wait_all_tasks_blocked()
            await writing.write(b"x")
        assert answers == [os.getuid()]
        await (await child.exec(TRUE)).check()


async def test_an_exec_that_is_refused_leaves_the_news_to_the_first(local: Task) -> None:
    async with child_and_pipe(local) as (child, blocking, writing):
        failed = trio.Event()

        async def become() -> None:
            with pytest.raises(FileNotFoundError):
                await child.exec(NOWHERE, before=blocking)
            failed.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(become)
            await until_blocked(child)
            await wait_all_tasks_blocked()
            os.write(writing.near.number, b"x")
            while current_call(child.process.near.id) != SYS.futex:
                pass  # it has failed and said so, and the loop has not turned since
            with pytest.raises(ChildBusyError):
                await child.exec(TRUE)
            with trio.fail_after(5):
                await failed.wait()
        assert await child.cred.getuid() == os.getuid()


async def test_the_memory_of_one_that_dies_on_the_way_is_left_alone(local: Task) -> None:
    changed: list[bytes] = []
    for _ in range(8):  # who learns of it first is a matter of chance
        async with child_and_pipe(local) as (child, blocking, _):
            stack = child.process.used_stack.near.value

            async def become(child: ChildTask = child, blocking: Program = blocking) -> None:
                await child.exec(TRUE, before=blocking)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(become)
                await until_blocked(child)
                await wait_all_tasks_blocked()
                os.kill(child.process.near.id, SIGKILL)
                await child.process.wait()
                with all_that_is_free(local.arena, stack) as memory:
                    memory[:] = bytes(BLOCK_SIZE)
                    await wait_all_tasks_blocked()
                    changed.append(bytes(memory))
    assert not any(map(any, changed))


async def test_a_cancel_waits_for_the_exec_until_the_child_is_given_up(local: Task) -> None:
    with nothing_left(local):
        async with child_and_pipe(local) as (child, blocking, _), trio.open_nursery() as nursery:
            child.set_grace(0)

            async def cancel(scope: trio.CancelScope) -> None:
                await until_blocked(child)
                scope.cancel()

            with trio.CancelScope() as scope:
                nursery.start_soon(cancel, scope)
                with pytest.raises(UnresponsiveTaskError):
                    await child.exec(TRUE, before=blocking)
            assert scope.cancel_called


async def test_a_cancel_that_comes_too_late_changes_nothing(local: Task) -> None:
    processes: list[ChildProcess] = []
    async with child_and_pipe(local) as (child, blocking, writing):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def cancel() -> None:
                    await until_blocked(child)
                    scope.cancel()
                    with trio.CancelScope(shield=True):
                        await wait_all_tasks_blocked()
                        await writing.write(b"x")

                nursery.start_soon(cancel)
                processes.append(await child.exec(TRUE, before=blocking))
        assert scope.cancel_called
        await processes[0].check()


async def test_no_fd_to_wait_with_is_an_error_that_names_the_call(local: Task) -> None:
    async with local.spawn() as child:
        with fd_table_full(os.getpid()):
            with pytest.raises(OSError, match=r"epoll_create1\(2\) in this interpreter") as caught:
                await child.exec(TRUE)
            assert caught.value.errno == EMFILE
        await (await child.exec(TRUE)).check()


async def test_a_child_that_has_died_unseen_does_not_exec(local: Task) -> None:
    async with local.spawn() as child:
        pid = child.process.near.id
        os.kill(pid, SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - SIGKILL is obeyed
        with pytest.raises(TaskLostError):
            await child.exec(TRUE)


@trio.lowlevel.enable_ki_protection  # it comes out of the main task
async def press(child: ChildTask, writing: FileDescriptor) -> None:
    await until_blocked(child, SYS.read)
    os.kill(os.getpid(), SIGINT)
    with trio.CancelScope(shield=True):
        await wait_all_tasks_blocked()
        await writing.write(b"x")


def test_ctrl_c_comes_when_the_exec_is_done() -> None:
    done: list[ChildProcess] = []

    async def main() -> None:
        async with (
            open_local_task() as local,
            child_and_pipe(local) as (child, blocking, writing),
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(press, child, writing)
            done.append(await child.exec(TRUE, before=blocking))
            await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as caught:
        trio.run(main)
    assert caught.group_contains(KeyboardInterrupt)
    assert done


def test_ctrl_c_comes_when_what_has_failed_was_undone() -> None:
    found: list[list[str]] = []

    def note(child: ChildTask) -> None:
        place = Path(f"/proc/{child.process.near.id}")
        ignored = [line for line in (place / "status").read_text().split("\n") if "SigIgn" in line]
        streams = [str((place / "fd" / str(number)).readlink()) for number in range(3)]
        found.append(
            [*ignored, *streams, *sorted(entry.name for entry in (place / "fd").iterdir())]
        )

    async def main() -> None:
        async with (
            open_local_task() as local,
            await local.fs.open("/dev/null", O.RDWR) as null,
            child_and_pipe(local, null) as (child, blocking, writing),
            trio.open_nursery() as nursery,
        ):
            output = null.inherit(child)
            note(child)
            nursery.start_soon(press, child, writing)
            with pytest.raises(FileNotFoundError):
                await child.exec(NOWHERE, before=blocking, stdout=output)
            note(child)
            await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as caught:
        trio.run(main)
    assert caught.group_contains(KeyboardInterrupt)
    before, after = found
    assert before == after
