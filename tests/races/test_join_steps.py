"""Joining namespaces: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from attrs import evolve

from rsyscall_ns import (
    CLONE,
    NS_ALL,
    NS_USER,
    NS_UTS,
    Inject,
    NamespaceSet,
    Task,
)
from tests.support.census import nothing_left
from tests.support.hurt import CANCEL, ERROR, KILL_NEWEST, Hurt, at_each_step
from tests.support.steps import Steps

Use = Callable[[Task, Task], Awaitable[None]]
FLAGS = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC


async def live(local: Task, box: Task) -> None:
    """Join all of them, make calls in there, and leave."""
    pid = box.process.near.id
    async with NamespaceSet(pid, NS_ALL, task=local) as ns, ns.open_task() as task:
        await task.cred.getuid()


async def run(local: Task, box: Task) -> None:
    """Run a command in two of them."""
    async with NamespaceSet(box.process.near.id, NS_USER | NS_UTS, task=local) as ns:
        await ns.run(["/bin/true"])


async def inject(local: Task, box: Task) -> None:
    """Run a command in all of them, with pipes."""
    await Inject(box.process.near.id, ["/bin/true"], all=True, task=local).run()


# with pipes there are several tasks, and so a group of what they raise
HURTS = [CANCEL, evolve(ERROR, allowed=(OSError, ExceptionGroup)), KILL_NEWEST]


@pytest.mark.parametrize("hurt", HURTS, ids=str)
@pytest.mark.parametrize("use", [live, run, inject])
async def test_what_joins_hurt_at_any_step(local: Task, steps: Steps, use: Use, hurt: Hurt) -> None:
    async with local.spawn(FLAGS) as box:
        flat = partial(nothing_left, local)
        await at_each_step(steps, hurt, partial(use, local, box), least=8, flat=flat)
