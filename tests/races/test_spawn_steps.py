"""spawn: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from errno import EIO

import pytest
import trio

from rsyscall_ns import CLONE, SYS, RsyscallError, Task
from tests.support.census import children, nothing_left
from tests.support.children import thread_of
from tests.support.steps import Steps

RELEASING = (SYS.close, SYS.waitid, SYS.munmap)
EVERYTHING = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC
FLAGS = [CLONE(0), CLONE.FILES, EVERYTHING]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


def kill_newest(before: frozenset[int]) -> None:
    """Kill the youngest of the children that there were not before."""
    new = children() - before
    if new:
        os.kill(max(new), signal.SIGKILL)


def fail() -> None:
    raise OSError(EIO, "injected")


async def use(parent: Task, flags: CLONE) -> None:
    """Spawn a child, make calls in it, and leave."""
    async with await parent.fs.open("/dev/null") as inherited:
        kept = [] if flags & CLONE.FILES else [inherited]
        async with parent.spawn(flags, inherit=kept) as child:
            await child.cred.getuid()
            async with await child.fs.open("/dev/null"):
                pass


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_cancel_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    await use(local, flags)
    for at in steps.moments(5):
        with nothing_left(local), trio.CancelScope() as scope:
            steps.arm(at, scope.cancel)
            await use(local, flags)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_an_error_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    steps.spare(*RELEASING)
    await use(local, flags)
    for at in steps.moments(5):
        with nothing_left(local), suppress(OSError):
            steps.arm(at, fail)
            await use(local, flags)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_kill_of_the_child_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    await use(local, flags)
    for at in steps.moments(5):
        with nothing_left(local):
            others = children()

            def kill(others: frozenset[int] = others) -> None:
                kill_newest(others)

            steps.arm(at, kill)
            with suppress(RsyscallError, ProcessLookupError, FileNotFoundError):
                await use(local, flags)
            steps.disarm()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_kill_of_the_parent_at_any_step_of_a_grandchild(
    local: Task, steps: Steps, flags: CLONE
) -> None:
    for at in steps.moments(5):
        with nothing_left(local):
            async with local.spawn(CLONE.NEWUSER) as child:
                pid = child.process.near.id

                def kill(pid: int = pid) -> None:
                    os.kill(pid, signal.SIGKILL)

                steps.arm(at, kill)
                with suppress(RsyscallError, ProcessLookupError):
                    await use(child, flags)
                steps.disarm()
            assert thread_of(child).death_state is not None


@pytest.mark.parametrize("flags", [CLONE(0), CLONE.NEWUSER | CLONE.NEWPID], ids=str)
async def test_a_cancel_at_any_step_of_a_grandchild(
    local: Task, steps: Steps, flags: CLONE
) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        for at in steps.moments(5):
            with nothing_left(local), trio.CancelScope() as scope:
                steps.arm(at, scope.cancel)
                await use(child, flags)
            assert await child.cred.getuid() == os.getuid()


async def test_two_spawns_of_which_one_is_cancelled_do_not_touch_each_other(
    local: Task, steps: Steps
) -> None:
    for at in range(0, 40, 3):
        with nothing_left(local), trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                inner = trio.CancelScope()

                async def cancelled(inner: trio.CancelScope = inner) -> None:
                    with inner:
                        await use(local, CLONE.NEWUSER)

                steps.arm(at, inner.cancel)
                nursery.start_soon(cancelled)
                nursery.start_soon(use, local, CLONE.NEWUSER | CLONE.NEWPID)
        steps.disarm()
        assert not scope.cancelled_caught
