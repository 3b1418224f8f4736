"""A call in uninterruptible sleep: the cancel gives up, and the process can still be ended.

What sleeps so as long as one likes is a ``clone`` with ``CLONE_VFORK`` whose child does not exec.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator

import pytest
import trio

from rsyscall_ns import CLONE, SIG, SYS, ChildTask, Task, TaskLostError, UnresponsiveTaskError
from tests.support.orphans import orphans_are_ours, take_away
from tests.support.procfs import content
from tests.support.stacks import SplitBlock

GRACE = 0.05  # seconds
SLEEPS = "D"
VFORK = int(CLONE.VM | CLONE.VFORK) | SIG.CHLD


def state(pid: int) -> str:
    """Return the letter that ``/proc`` has for what a process does."""
    return content(pid, "stat").rpartition(") ")[2].split()[0]


async def until_it_sleeps(pid: int) -> None:
    """Return once a process is in uninterruptible sleep."""
    while state(pid) != SLEEPS:
        await trio.lowlevel.checkpoint()


async def calls_for_ever(child: ChildTask) -> None:
    """Make calls, until one can't be made."""
    while True:
        await child.cred.getuid()


@pytest.fixture
async def asleep(local: Task) -> AsyncGenerator[tuple[ChildTask, trio.CancelScope], None]:
    """Give a child that waits for a grandchild, and what cancels that."""
    async with local.spawn() as child:
        child.set_grace(GRACE)
        block = await SplitBlock.make(child)
        pid = child.process.near.id
        cancel = trio.CancelScope()
        grandchild = -1

        async def call() -> None:
            with cancel, pytest.raises(UnresponsiveTaskError, match="uninterruptible"):
                await child.sysif.call(SYS.clone, VFORK, block.data.near.value)

        async with orphans_are_ours(local):
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(call)
                    await until_it_sleeps(pid)
                    grandchild = os.pidfd_open(int(content(pid, f"task/{pid}/children")))
                    yield child, cancel
            finally:
                with trio.CancelScope(shield=True):
                    await child.process.end()
                if grandchild >= 0:  # it uses the block
                    take_away(grandchild)
                block.free()


async def test_the_cancel_ends_and_the_task_is_lost(
    asleep: tuple[ChildTask, trio.CancelScope],
) -> None:
    child, cancel = asleep

    cancel.cancel()

    with trio.fail_after(5), pytest.raises(TaskLostError):
        await calls_for_ever(child)
    assert state(child.process.near.id) == SLEEPS


async def test_its_process_can_be_ended(asleep: tuple[ChildTask, trio.CancelScope]) -> None:
    child, cancel = asleep
    cancel.cancel()

    with trio.fail_after(5):
        with pytest.raises(TaskLostError):
            await calls_for_ever(child)
        await child.process.kill()
        assert (await child.process.wait()).killed_with() == SIG.KILL
