"""Thousands of launches leave fds, processes, mappings and memory as they were."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import trio

from rsyscall_ns import CLONE, Task
from tests.support.census import nothing_left
from tests.support.children import TRUE

SPAWNS = 2000
MIB = 1 << 20


def resident() -> int:
    """Return how many bytes of ours are in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def spawn(local: Task, flags: CLONE = CLONE(0)) -> None:  # noqa: B008 - a constant
    async with local.spawn(flags) as child:
        await child.cred.getuid()


async def test_two_thousand_spawns_leave_everything_flat(local: Task) -> None:
    for _ in range(100):
        await spawn(local)
    gc.collect()
    before, mapped = resident(), local.arena.mapped
    with nothing_left(local):
        for _ in range(SPAWNS):
            await spawn(local)
    gc.collect()

    assert local.arena.mapped == mapped
    assert resident() - before < 4 * MIB


async def test_hundreds_of_launches_of_programs_leave_everything_flat(local: Task) -> None:
    async def launch() -> None:
        async with local.spawn() as child:
            assert (await (await child.exec(TRUE)).wait()).clean()

    for _ in range(20):
        await launch()
    gc.collect()
    before, mapped = resident(), local.arena.mapped
    with nothing_left(local):
        for _ in range(300):
            await launch()
    gc.collect()

    assert local.arena.mapped == mapped
    assert resident() - before < 4 * MIB


async def test_grandchildren_leave_everything_flat(local: Task) -> None:
    async with local.spawn() as child:
        for _ in range(20):
            await spawn(child)
        mapped = local.arena.mapped
        with nothing_left(local):
            for _ in range(200):
                await spawn(child)
        assert local.arena.mapped == mapped


async def test_launches_side_by_side_leave_everything_flat(local: Task) -> None:
    async def several() -> None:
        for _ in range(20):
            await spawn(local, CLONE.NEWUSER | CLONE.NEWPID)

    await several()
    with nothing_left():
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(several)
