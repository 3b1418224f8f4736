"""Whatever way a scope is left, the child is killed and reaped, and nothing is left of it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio
import trio.testing

from rsyscall_ns import CLONE, SIG, SIGINFO, Task, W
from tests.support.census import children, nothing_left
from tests.support.children import FOREVER, end_by_exit, is_alive, same_state, shell, thread_of

STUBBORN = shell("trap '' TERM HUP INT; exec sleep 1000000")


@pytest.mark.parametrize("flags", [CLONE(0), CLONE.FILES, CLONE.NEWUSER | CLONE.NEWPID])
@pytest.mark.parametrize("execs", [True, False])
async def test_leaving_the_scope_kills_and_reaps(local: Task, flags: CLONE, *, execs: bool) -> None:
    pid = 0
    async with local.spawn(flags) as child:
        pid = child.process.near.id
        if execs:
            await child.exec(FOREVER)
        assert is_alive(pid)
    assert pid not in children()
    assert thread_of(child).death_state is not None


async def test_leaving_it_by_an_exception_kills_and_reaps(local: Task) -> None:
    async def fail() -> None:
        async with local.spawn() as child:
            await child.exec(STUBBORN)
            raise KeyError

    with nothing_left(local), pytest.raises(KeyError):
        await fail()


async def test_leaving_it_by_a_cancel_kills_and_reaps(local: Task) -> None:
    with nothing_left(local), trio.CancelScope() as scope:
        async with local.spawn() as child:
            process = await child.exec(FOREVER)
            scope.cancel()
            await process.wait()
    assert scope.cancelled_caught


async def test_a_nursery_that_fails_ends_the_children_of_all_its_tasks(local: Task) -> None:
    ready: list[int] = []

    async def one() -> None:
        async with local.spawn() as child:
            ready.append(child.process.near.id)
            await trio.sleep_forever()

    async def fail() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(one)
            while len(ready) < 5:
                await trio.lowlevel.checkpoint()
            raise KeyError

    with nothing_left(local), pytest.raises(ExceptionGroup):
        await fail()
    assert not any(is_alive(pid) for pid in ready)


async def test_a_stopped_child_is_ended_too(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn() as child:
            os.kill(child.process.near.id, signal.SIGSTOP)
        async with local.spawn() as child:
            process = await child.exec(STUBBORN)
            os.kill(process.near.id, signal.SIGSTOP)


async def test_one_that_is_dead_already_is_reaped(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn() as child:
            await end_by_exit(child, 1)
        async with local.spawn() as child:
            await child.exec(shell("exit 1"))


async def test_one_that_was_waited_for_needs_nothing_more(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn() as child:
            process = await child.exec(shell("exit 1"))
            state = await process.wait()
        assert process.death_state == state


async def test_a_borrow_or_an_unread_siginfo_does_not_stop_the_end(local: Task) -> None:
    buffer = await local.malloc(SIGINFO)
    with nothing_left(local):
        async with local.spawn() as child:
            await thread_of(child).waitid(W.EXITED | W.NOHANG, buffer)
    with nothing_left(local):
        borrowed = ExitStack()
        async with local.spawn() as child:
            borrowed.enter_context(thread_of(child).borrow())
        borrowed.close()
    buffer.free()


async def test_a_whole_pid_namespace_ends_with_its_first_process(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as child:
            read, write = await local.fs.pipe2()
            out = await write.pass_to(child)
            await write.close()
            await child.exec(
                shell("for i in 1 2 3; do setsid sleep 1000000 & done; echo; wait"), stdout=out
            )
            assert await read.read(1) == b"\n"
        # every holder of the other end has gone when the end of file comes
        assert await read.read(1) == b""
        await read.close()


async def test_a_call_that_blocks_in_the_child_is_ended_with_it(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn() as child:
            read, write = await child.fs.pipe2()
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(read.read)
                    await trio.testing.wait_all_tasks_blocked()
                    scope.cancel()
            del write


async def test_leaving_the_scope_cannot_be_cancelled(local: Task) -> None:
    with nothing_left(local), trio.CancelScope() as scope:
        async with local.spawn() as child:
            scope.cancel()
            assert child.parent_task is local


async def test_a_stop_after_the_scope_was_left_reaches_nobody(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        await process.kill(SIG.STOP)
        await same_state(process, W.STOPPED)
    assert process.death_state is not None
    assert process.death_state.killed_with() == SIG.KILL


PROGRAM = """
import os, sys, trio
from rsyscall_ns import CLONE, Command, open_local_task

async def main():
    async with open_local_task() as local, local.spawn() as serving, local.spawn() as execs:
        async with (
            serving.spawn() as grandchild,
            local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as first,
            local.spawn(CLONE.FILES) as sharing,
        ):
            process = await execs.exec(Command("/bin/sleep", ["sleep", "1000000"]))
            inside = await first.spawn().__aenter__()
            tasks = (serving, grandchild, first, sharing)
            print(process.near.id, *[task.process.near.id for task in tasks], flush=True)
            await trio.sleep_forever()

trio.run(main)
"""


def test_sigkill_of_the_interpreter_leaves_no_survivor() -> None:
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], cwd=root, stdout=subprocess.PIPE
    ) as interpreter:
        assert interpreter.stdout is not None
        pids = [int(word) for word in interpreter.stdout.readline().split()]
        pidfds = [os.pidfd_open(pid) for pid in pids]
        interpreter.kill()
        interpreter.wait()
    try:
        assert len(pids) == 5
        for pidfd in pidfds:
            wait_for_end(pidfd)
    finally:
        for pidfd in pidfds:
            os.close(pidfd)


def wait_for_end(pidfd: int) -> None:
    """Wait, for ten seconds at most, until the process has ended."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    assert poller.poll(10_000), "a child has outlived its interpreter"
