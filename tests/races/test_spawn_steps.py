"""spawn: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial

import pytest
import trio

from rsyscall_ns import CLONE, RsyscallError, Task
from tests.support.census import nothing_left
from tests.support.children import Memory, thread_of
from tests.support.hurt import CANCEL, ERROR, KILL_NEWEST, Hurt, at_each_step
from tests.support.steps import Steps

EVERYTHING = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC
SHARED, OWN, STUB = Memory(), Memory(own_memory=True), Memory(stub=True)
KINDS = [
    pytest.param(CLONE(0), SHARED, id="plain"),
    pytest.param(CLONE.FILES, SHARED, id="files"),
    pytest.param(EVERYTHING, SHARED, id="namespaces"),
    pytest.param(CLONE(0), OWN, id="own memory"),
    pytest.param(EVERYTHING, OWN, id="namespaces, own memory"),
    pytest.param(CLONE(0), STUB, id="stub"),
    pytest.param(EVERYTHING, STUB, id="namespaces, stub"),
]


async def use(parent: Task, flags: CLONE, memory: Memory = SHARED) -> None:
    """Spawn a child, make calls in it, and leave."""
    async with await parent.fs.open("/dev/null") as inherited:
        kept = [] if flags & CLONE.FILES else [inherited]
        async with parent.spawn(flags, inherit=kept, **memory) as child:
            await child.cred.getuid()
            async with await child.fs.open("/dev/null"):
                pass


@pytest.mark.parametrize("hurt", [CANCEL, ERROR, KILL_NEWEST], ids=str)
@pytest.mark.parametrize(("flags", "memory"), KINDS)
async def test_a_child_hurt_at_any_step(
    local: Task, steps: Steps, flags: CLONE, memory: Memory, hurt: Hurt
) -> None:
    flat = partial(nothing_left, local)
    await at_each_step(steps, hurt, lambda: use(local, flags, memory), least=5, flat=flat)


@pytest.mark.parametrize(("flags", "memory"), KINDS)
async def test_a_kill_of_the_parent_at_any_step_of_a_grandchild(
    local: Task, steps: Steps, flags: CLONE, memory: Memory
) -> None:
    for at in steps.moments(5):
        with nothing_left(local):
            async with local.spawn(CLONE.NEWUSER) as child:
                pid = child.process.near.id

                def kill(pid: int = pid) -> None:
                    os.kill(pid, signal.SIGKILL)

                steps.arm(at, kill)
                with suppress(RsyscallError, ProcessLookupError):
                    await use(child, flags, memory)
                steps.disarm()
            assert thread_of(child).death_state is not None


@pytest.mark.parametrize("flags", [CLONE(0), CLONE.NEWUSER | CLONE.NEWPID], ids=str)
async def test_a_cancel_at_any_step_of_a_grandchild(
    local: Task, steps: Steps, flags: CLONE
) -> None:
    flat = partial(nothing_left, local)
    async with local.spawn(CLONE.NEWUSER) as child:
        await at_each_step(steps, CANCEL, lambda: use(child, flags), least=5, flat=flat)
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
