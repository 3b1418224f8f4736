"""A new mount namespace is private from its first moment, whenever somebody cancels.

What is outside here is a child whose mounts are shared, as those of most machines are: so a tree
that was copied and not made private would show there what is mounted in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import CLONE, MS, SYS, Task
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left
from tests.support.procfs import link
from tests.support.steps import Steps
from tests.support.stopping import Stops, stopped_at

MOST_STEPS = 20
CALLS = {"unshare": SYS.unshare, "mount": SYS.mount}
PROPAGATING = ("shared:", "master:", "propagate_from:")


@pytest.fixture
async def outside(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child whose mounts are all shared, and reach nobody else."""
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as task:
        await task.mount.mount("none", "/", flags=MS.REC | MS.SHARED)
        assert all(tag.startswith("shared:") for tag in await tags(task))
        yield task


async def mounts(task: Task) -> list[str]:
    return (await task.fs.read_bytes("/proc/thread-self/mountinfo")).decode().splitlines()


async def tags(task: Task) -> list[str]:
    """Return where each mount propagates to, or is propagated to from."""
    # optional fields stand between the sixth and the lone dash
    return [field for line in await mounts(task) for field in line.split(" - ")[0].split()[6:]]


def is_inside(task: Task, outside: Task) -> bool:
    """Return whether the task is in a mount namespace of its own; it must believe the same."""
    inside = link(task.process.near.id, "ns/mnt") != link(outside.process.near.id, "ns/mnt")
    assert inside == (task.mnt_namespace is not outside.mnt_namespace)
    return inside


async def check_private(inside: Task, outside: Task, place: Path) -> None:
    """Assert that no mount event inside reaches the outside, nor the other way."""
    assert [tag for tag in await tags(inside) if tag.startswith(PROPAGATING)] == []
    before = await mounts(outside)
    await inside.mount.mount("tmpfs", place, "tmpfs")
    assert await mounts(outside) == before
    await inside.mount.umount2(place)
    before = await mounts(inside)
    await outside.mount.mount("tmpfs", place, "tmpfs")
    assert await mounts(inside) == before
    await outside.mount.umount2(place)


async def cancel_at(stops: Stops, number: int, scope: trio.CancelScope) -> None:
    """Cancel while the child is stopped before one call, and let it make all of them."""
    while True:
        stopped = await stops.next()
        if stopped.number == number:
            scope.cancel()
            await wait_all_tasks_blocked()  # whoever could go on has done so
        stops.go_on(stopped)


async def test_the_outside_sees_mounts_of_a_tree_that_was_not_made_private(
    outside: Task, tmp_path: Path
) -> None:
    """So the other tests here can fail."""
    async with outside.spawn() as task:
        before = await mounts(outside)
        assert await task.sysif.call(SYS.unshare, CLONE.NEWNS) == 0
        await task.mount.mount("tmpfs", tmp_path, "tmpfs")
        assert await mounts(outside) != before


async def test_a_cancel_before_any_step_of_unshare(
    outside: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(monkeypatch)
    at = 0
    for at in range(MOST_STEPS):
        async with outside.spawn() as task:
            with trio.CancelScope() as scope:
                steps.arm(at, scope.cancel)
                await task.ns.unshare(CLONE.NEWNS)
            done = steps.disarm() <= at
            if is_inside(task, outside):
                await check_private(task, outside, tmp_path)
        if done:
            break
    assert 0 < at < MOST_STEPS


@pytest.mark.parametrize("call", CALLS)
async def test_a_cancel_while_unshare_is_under_way(
    outside: Task, tmp_path: Path, call: str
) -> None:
    async with (
        outside.spawn() as task,
        stopped_at(task, *CALLS.values()) as stops,
        trio.open_nursery() as nursery,
    ):
        with trio.CancelScope() as scope:
            nursery.start_soon(cancel_at, stops, CALLS[call], scope)
            await task.ns.unshare(CLONE.NEWNS)
        assert scope.cancel_called
        assert is_inside(task, outside) or call == "unshare"
        if is_inside(task, outside):
            await check_private(task, outside, tmp_path)
        nursery.cancel_scope.cancel()


async def test_a_cancel_while_unshare_waits_for_its_turn(outside: Task, tmp_path: Path) -> None:
    async with outside.spawn() as task, trio.open_nursery() as nursery:
        reader, writer = await outside.fs.pipe2()
        theirs = await reader.pass_to(task)
        nursery.start_soon(theirs.read, 1)
        await until_blocked(task)

        async def cancel(scope: trio.CancelScope) -> None:
            await wait_all_tasks_blocked()
            scope.cancel()
            await writer.write(b"x")

        with trio.CancelScope() as scope:
            nursery.start_soon(cancel, scope)
            await task.ns.unshare(CLONE.NEWNS)
        assert scope.cancel_called
        if is_inside(task, outside):
            await check_private(task, outside, tmp_path)


@pytest.mark.parametrize("call", CALLS)
async def test_a_cancel_while_spawn_makes_the_namespace(
    outside: Task, tmp_path: Path, call: str
) -> None:
    async with stopped_at(outside, *CALLS.values()) as stops, trio.open_nursery() as nursery:
        with nothing_left(outside), trio.CancelScope() as scope:
            nursery.start_soon(cancel_at, stops, CALLS[call], scope)
            async with outside.spawn(CLONE.NEWNS) as task:
                with trio.CancelScope(shield=True):
                    assert is_inside(task, outside)
                    await check_private(task, outside, tmp_path)
        assert scope.cancel_called
        nursery.cancel_scope.cancel()
