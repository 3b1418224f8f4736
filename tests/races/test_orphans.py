"""A parent that dies in the middle of a spawn: whether there is a child or not, none is left.

The parent shares the fd table of the grandparent, which is ours: nobody's death closes what was
opened in it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from attrs import frozen
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import CLONE, SIG, SIG_BLOCK, SYS, RsyscallError, Task, TaskLostError
from rsyscall_ns.near.ffi import BLOCK_SIZE
from tests.support.census import nothing_left
from tests.support.children import is_alive, thread_of
from tests.support.orphans import orphans_are_ours, take_away
from tests.support.steps import Steps
from tests.support.stopping import Stopped, Stops, stopped_at

FIRST_CALL = SYS.prctl  # of a new child: its parent's death is to be its own
AFTER_CLONE = SYS.rt_sigprocmask  # of a parent: signals are let in again
FLAGS = [CLONE(0), CLONE.FILES]


async def spawn_in_vain(parent: Task, flags: CLONE, ended: trio.Event) -> None:
    with pytest.raises(TaskLostError):
        async with parent.spawn(flags):
            raise AssertionError
    ended.set()


async def until_born(stops: Stops, parent: int) -> Stopped:
    """Let the parent clone; returns the child, before its first call, when both are stopped."""
    born: Stopped | None = None
    cloned = False
    while born is None or not cloned:
        stopped = await stops.next()
        if stopped.pid != parent:
            born = stopped
        elif stopped.args[0] == SIG_BLOCK:
            stops.go_on(stopped)
        else:
            cloned = True
    return born


async def kill_and_reap(parent: Task) -> None:
    await thread_of(parent).kill(SIG.KILL)
    await thread_of(parent).wait()


@frozen
class Orphan:
    """A child that was made, that nobody was told of, and whose parent is dead."""

    born: Stopped
    ended: trio.Event  # the spawn


@pytest.fixture
async def local(local: Task) -> AsyncGenerator[Task, None]:
    """Have orphans given to us, and not to whoever else is there, while the test runs."""
    async with orphans_are_ours(local):
        yield local


@asynccontextmanager
async def orphan_of(local: Task, flags: CLONE) -> AsyncGenerator[Orphan, None]:
    """Make one that is stopped before its first call; after the block it goes on."""
    async with (
        local.spawn(CLONE.FILES) as parent,
        trio.open_nursery() as nursery,
        stopped_at(parent, FIRST_CALL, AFTER_CLONE) as stops,
    ):
        ended = trio.Event()
        nursery.start_soon(spawn_in_vain, parent, flags, ended)
        born = await until_born(stops, parent.process.near.id)
        pidfd = os.pidfd_open(born.pid)
        try:
            await kill_and_reap(parent)
            yield Orphan(born, ended)
            async with trio.open_nursery() as others:
                others.start_soon(stops.let_all_go_on)
                stops.go_on(born)
                await trio.lowlevel.wait_readable(pidfd)
                await ended.wait()
                others.cancel_scope.cancel()
        finally:
            take_away(pidfd)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_an_orphan_is_ended(local: Task, flags: CLONE) -> None:
    with nothing_left(local):
        async with orphan_of(local, flags) as orphan:
            assert is_alive(orphan.born.pid)
        assert not is_alive(orphan.born.pid)
        await local.sweep()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_the_memory_of_an_orphan_is_kept_until_it_has_ended(
    local: Task, flags: CLONE
) -> None:
    with nothing_left(local):
        before = local.arena.used
        async with orphan_of(local, flags) as orphan:
            await wait_all_tasks_blocked()
            if not orphan.ended.is_set():
                assert local.arena.used - before >= BLOCK_SIZE
            else:
                assert not is_alive(orphan.born.pid)
        await local.sweep()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_parent_that_dies_before_it_has_cloned_leaves_nothing(
    local: Task, flags: CLONE
) -> None:
    with nothing_left(local):
        async with (
            local.spawn(CLONE.FILES) as parent,
            trio.open_nursery() as nursery,
            stopped_at(parent, SYS.clone3) as stops,
        ):
            ended = trio.Event()
            nursery.start_soon(spawn_in_vain, parent, flags, ended)
            await stops.next()
            await kill_and_reap(parent)
            await ended.wait()
        await local.sweep()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_kill_of_the_parent_at_any_step(
    local: Task, monkeypatch: pytest.MonkeyPatch, flags: CLONE
) -> None:
    steps = Steps(monkeypatch)
    for at in steps.moments(5):
        with nothing_left(local):
            async with local.spawn(CLONE.FILES) as parent:

                def kill(pid: int = parent.process.near.id) -> None:
                    os.kill(pid, SIG.KILL)

                steps.arm(at, kill)
                with suppress(RsyscallError, ProcessLookupError):
                    async with parent.spawn(flags) as child:
                        await child.cred.getuid()
                steps.disarm()
            assert thread_of(parent).death_state is not None
            await local.sweep()
