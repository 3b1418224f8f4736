"""A change of credentials that is broken off: it is carried out whole, or nobody is left."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from errno import EPERM

import pytest
import trio
import trio.testing

from rsyscall_ns import CLONE, PR, SIG, SUID_DUMP, SYS, ResIds, Task, TaskLostError
from tests.support.children import IS_ROOT, thread_of
from tests.support.orphans import orphans_are_ours, take_away
from tests.support.stopping import Stopped, Stops, stopped_at

pytestmark = pytest.mark.skipif(
    not IS_ROOT, reason="only root maps several ids into a user namespace"
)
MANY = "0 0 65536"
OTHER = 1234


@pytest.fixture(params=["our memory", "own memory"])
async def inside(request: pytest.FixtureRequest, local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user namespace with many ids."""
    own = request.param == "own memory"
    async with local.spawn(CLONE.NEWUSER, uid_map=MANY, gid_map=MANY, own_memory=own) as child:
        yield child


async def until(stops: Stops, option: PR) -> Stopped:
    """Let all calls of prctl go on but one."""
    while True:
        stopped = await stops.next()
        if stopped.args[0] == option:
            return stopped
        stops.go_on(stopped)


async def test_a_cancelled_change_is_carried_out_whole(inside: Task) -> None:
    scope = trio.CancelScope()

    async def change() -> None:
        with scope:
            await inside.cred.setresuid(OTHER, OTHER, OTHER)

    async with stopped_at(inside, SYS.setresuid) as stops, trio.open_nursery() as nursery:
        nursery.start_soon(change)
        stopped = await stops.next()
        scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        stops.go_on(stopped)

    assert await inside.cred.getresuid() == ResIds(OTHER, OTHER, OTHER)
    assert await inside.prctl.get_pdeathsig() == SIG.KILL
    assert await inside.prctl.get_dumpable() == SUID_DUMP.USER


async def test_a_change_that_is_cancelled_before_it_begins_is_none(inside: Task) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await inside.cred.setresuid(OTHER, OTHER, OTHER)

    assert await inside.cred.getresuid() == ResIds(0, 0, 0)


async def test_who_may_not_put_things_back_says_so(inside: Task) -> None:
    async def change() -> None:
        with pytest.raises(PermissionError, match=r"\[prctl\(2\)"):
            await inside.cred.setresuid(OTHER, OTHER, OTHER)

    async with stopped_at(inside, SYS.prctl) as stops, trio.open_nursery() as nursery:
        nursery.start_soon(change)
        stops.refuse(await until(stops, PR.SET_PDEATHSIG), EPERM)
        stops.go_on(await until(stops, PR.SET_DUMPABLE))

    assert await inside.cred.getuid() == OTHER


async def test_a_child_that_loses_its_parent_in_the_middle_of_a_change_ends(local: Task) -> None:
    async with (
        orphans_are_ours(local),
        local.spawn(CLONE.NEWUSER, uid_map=MANY, gid_map=MANY) as parent,
        parent.spawn() as child,
    ):
        pidfd = os.pidfd_open(child.process.near.id)

        async def change() -> None:
            with pytest.raises(TaskLostError, match="its parent died"):
                await child.cred.setresuid(OTHER, OTHER, OTHER)

        async with stopped_at(child, SYS.prctl) as stops, trio.open_nursery() as nursery:
            nursery.start_soon(change)
            stopped = await until(stops, PR.SET_PDEATHSIG)
            await thread_of(parent).kill()
            await thread_of(parent).wait()
            stops.go_on(stopped)
            stops.go_on(await until(stops, PR.SET_DUMPABLE))

        await trio.lowlevel.wait_readable(pidfd)  # it is dead
        take_away(pidfd)
