"""Who runs on which processor: two that share one are slow, so the server moves away."""

import os

import pytest

from rsyscall_ns import ChildTask, Task
from rsyscall_ns.near.ffi import BLOCK_SIZE, ring_at
from rsyscall_ns.near.nr import SYS

ENOUGH = 200_000  # calls in which a server has many times the reason to move
several = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="this machine lets us use one processor only"
)
tells = pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="only x86_64 tells the processor without a call"
)


def meet(child: ChildTask) -> set[int]:
    """Put both sides onto one processor; returns all that we may use."""
    every = os.sched_getaffinity(0)
    for pid in (0, child.process.near.id):
        os.sched_setaffinity(pid, {min(every)})
    return every


def part(child: ChildTask, every: set[int]) -> None:
    """Let both sides run anywhere."""
    for pid in (0, child.process.near.id):
        os.sched_setaffinity(pid, every)


@several
@tells
async def test_a_server_moves_away_from_its_clients_processor(local: Task) -> None:
    async with local.spawn() as child:
        ring = ring_at(child.process.used_stack.near.value & -BLOCK_SIZE)
        every = meet(child)
        try:
            await child.cred.getuid()
            assert ring.client_cpu == ring.server_cpu
        finally:
            part(child, every)
        for _ in range(ENOUGH):
            await child.sysif.call(SYS.getuid)
            if ring.moves or ring.client_cpu != ring.server_cpu:
                break  # it moved, or the kernel was faster to move one of the two
        else:
            pytest.fail("both have stayed on one processor")
        assert os.sched_getaffinity(child.process.near.id) == every


@several
@tells
async def test_a_server_that_may_use_one_processor_stays(local: Task) -> None:
    async with local.spawn() as child:
        every = meet(child)
        try:
            for _ in range(500):
                await child.sysif.call(SYS.getuid)
            assert os.sched_getaffinity(child.process.near.id) == {min(every)}
            assert await child.cred.getuid() == os.getuid()
        finally:
            part(child, every)
