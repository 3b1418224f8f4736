"""exec: a cancel, a kill or an error at any step leaves nothing, or the child as it was."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from errno import EIO

import pytest
import trio

from rsyscall_ns import CLONE, SYS, Command, RsyscallError, Task, TaskLostError
from tests.support.census import nothing_left
from tests.support.children import shell, thread_of
from tests.support.procfs import fd_links
from tests.support.steps import Steps

MISSING = Command("/missing", ["x"])
FLAGS = [CLONE(0), CLONE.FILES]


async def exec_in(child: Task) -> int | None:
    """Exec a program with redirected streams; returns its exit status."""
    null = await child.fs.open("/dev/null", os.O_RDWR)
    zero = await child.fs.open("/dev/zero")
    process = await child.exec(shell("exit 7"), stdin=zero, stdout=null, pass_fds=[zero])
    return (await process.wait()).exit_status


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_cancel_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    for at in steps.moments(1):
        with nothing_left(local):
            with trio.CancelScope() as scope:
                async with local.spawn(flags) as child:
                    steps.arm(at, scope.cancel)
                    assert await exec_in(child) == 7
            await local.sweep()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_kill_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    for at in steps.moments(1):
        with nothing_left(local):
            async with local.spawn(flags) as child:
                pid = child.process.near.id

                def kill(pid: int = pid) -> None:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

                steps.arm(at, kill)
                with suppress(TaskLostError):
                    assert await exec_in(child) in {None, 7}
                steps.disarm()
            state = thread_of(child).death_state
            assert state is not None
            await local.sweep()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_an_error_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    def fail() -> None:
        raise OSError(EIO, "injected")

    steps.spare(SYS.close, SYS.waitid)
    for at in steps.moments(1):
        with nothing_left(local):
            async with local.spawn(flags) as child:
                steps.arm(at, fail)
                with suppress(OSError, RsyscallError):
                    await exec_in(child)
                steps.disarm()
            await local.sweep()


async def test_a_cancelled_exec_that_fails_leaves_the_child_as_it_was(
    local: Task, steps: Steps
) -> None:
    async with local.spawn() as child:
        null = await child.fs.open("/dev/null", os.O_RDWR)
        before = fd_links(child.process.near.id)
        for at in steps.moments(1):
            with trio.CancelScope() as scope, suppress(FileNotFoundError):
                steps.arm(at, scope.cancel)
                await child.exec(MISSING, stdin=null, stdout=null, stderr=null)
            steps.disarm()
            assert fd_links(child.process.near.id) == before
            assert await child.cred.getuid() == os.getuid()
        assert (await (await child.exec(shell("exit 3"))).wait()).exit_status == 3


async def test_a_wait_that_is_cancelled_at_any_step_loses_no_status(
    local: Task, steps: Steps
) -> None:
    for at in steps.moments(0):
        async with local.spawn() as child:
            process = await child.exec(shell("exit 9"))
            with trio.CancelScope() as scope:
                steps.arm(at, scope.cancel)
                await process.wait()
            steps.disarm()
            assert (await process.wait()).exit_status == 9
            assert not process.in_use


async def test_a_program_may_be_killed_at_any_moment_of_its_start(local: Task) -> None:
    """No step is counted here: the kill comes from a thread of the kernel's choosing."""
    with nothing_left(local):
        for _ in range(30):
            async with local.spawn() as child, trio.open_nursery() as nursery:
                nursery.start_soon(thread_of(child).kill)
                with suppress(TaskLostError):
                    await child.exec(shell("exit 0"))
