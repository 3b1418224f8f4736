"""launch: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest

from rsyscall_ns import CLONE, RsyscallError, Task
from tests.support.census import nothing_left
from tests.support.children import shell
from tests.support.hurt import CANCEL, HURTS, Hurt, at_each_step
from tests.support.steps import Steps

FLAGS = [CLONE(0), CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS]


async def use(parent: Task, flags: CLONE) -> int | None:
    """Run a program with a stream and an fd; returns its exit status."""
    async with (
        await parent.fs.open("/dev/null", os.O_RDWR) as null,
        parent.launch(shell("exit 7"), flags, stdout=null, pass_fds=[null]) as process,
    ):
        return (await process.wait()).exit_status


async def use_to_its_end(parent: Task, flags: CLONE) -> int | None:
    """Run a program in one go; returns its exit status."""
    return (await parent.launch(shell("exit 7"), flags).run(check=False)).exit_status


@pytest.mark.parametrize("hurt", HURTS, ids=str)
@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_run_hurt_at_any_step(local: Task, steps: Steps, flags: CLONE, hurt: Hurt) -> None:
    flat = partial(nothing_left, local)
    way = partial(use_to_its_end, local, flags)
    await at_each_step(steps, hurt, way, expected=7, least=1, flat=flat)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_run_of_a_childs_cancelled_at_any_step(
    local: Task, steps: Steps, flags: CLONE
) -> None:
    flat = partial(nothing_left, local)
    async with local.spawn(CLONE.NEWUSER) as child:
        way = partial(use_to_its_end, child, flags)
        await at_each_step(steps, CANCEL, way, expected=7, least=3, flat=flat)


@pytest.mark.parametrize("hurt", HURTS, ids=str)
@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_launch_hurt_at_any_step(
    local: Task, steps: Steps, flags: CLONE, hurt: Hurt
) -> None:
    flat = partial(nothing_left, local)
    await at_each_step(steps, hurt, lambda: use(local, flags), expected=7, least=3, flat=flat)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_cancel_at_any_step_of_a_childs(local: Task, steps: Steps, flags: CLONE) -> None:
    flat = partial(nothing_left, local)
    async with local.spawn(CLONE.NEWUSER) as child:
        await at_each_step(steps, CANCEL, lambda: use(child, flags), expected=7, least=3, flat=flat)
        assert await child.cred.getuid() == os.getuid()


@pytest.mark.parametrize("way", [use, use_to_its_end])
@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_kill_of_its_parent_at_any_step(
    local: Task, steps: Steps, flags: CLONE, way: Callable[[Task, CLONE], Awaitable[int | None]]
) -> None:
    for at in steps.moments(3):
        with nothing_left(local):
            async with local.spawn(CLONE.NEWUSER) as child:
                pid = child.process.near.id

                def kill(pid: int = pid) -> None:
                    os.kill(pid, signal.SIGKILL)

                steps.arm(at, kill)
                with suppress(RsyscallError, ProcessLookupError):
                    await way(child, flags)
                steps.disarm()
