"""Callables in namespaces of others, and forks: a cancel, a kill or an error at every single step.

Nothing is left, and the next one works.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

import pytest
import trio

from rsyscall_ns import CLONE, NS_ALL, Container, Inject, Namespace, RsyscallError, Task
from rsyscall_ns.containers.callables.called import Called
from tests.support.census import children, nothing_left
from tests.support.hurt import HURTS, Hurt, at_each_step
from tests.support.procfs import mountinfo
from tests.support.program import said_by
from tests.support.steps import Steps
from tests.support.zygotes import kill_zygote

FLAGS: Final = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS
pytestmark = pytest.mark.filterwarnings("ignore::rsyscall_ns.UserNamespaceWarning")
Use = Callable[[Task], Awaitable[None]]


@pytest.fixture
async def steps(steps: Steps) -> Steps:
    """Count them, with a zygote that stays."""
    await Container(target=os.getpid).run()
    return steps


async def enter(box: Task) -> None:
    """Call something in all of them."""
    ns = Namespace(box.process.near.id, NS_ALL, true_user=True)
    assert await ns.enter(abs, -7) == 7


async def inject(box: Task) -> None:
    """Have something run in two of them, with the life of a process."""
    async with Inject(box.process.near.id, signal.pause, user=True, uts=True) as made:
        await made.kill()
        await made.wait()


@pytest.mark.parametrize("hurt", HURTS, ids=str)
@pytest.mark.parametrize("use", [enter, inject])
async def test_what_enters_hurt_at_any_step(
    local: Task, steps: Steps, use: Use, hurt: Hurt
) -> None:
    before = mountinfo()
    async with local.spawn(FLAGS) as box:
        again, flat = partial(use, box), partial(nothing_left, local)
        await at_each_step(steps, hurt, again, least=3, flat=flat, after=again)
    assert mountinfo() == before


async def test_a_killed_zygote_at_any_step(local: Task, steps: Steps) -> None:
    async with local.spawn(FLAGS) as box:
        await enter(box)
        for at in steps.moments(3):
            before = len(children())
            steps.arm(at, kill_zygote)
            with suppress(RsyscallError):
                await enter(box)
            steps.disarm()
            await enter(box)
            assert len(children()) == before


@pytest.mark.parametrize("victim", ["first", "second", "both", "nobody"])
async def test_an_end_while_a_process_is_taken_in_anothers_place(
    local: Task, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    """The first has joined a pid namespace and made the second, of which only it has told."""
    await Container(target=os.getpid).run()
    adopt = Called.adopt
    scopes: list[trio.CancelScope] = []

    async def hurt(called: Called, pid: int) -> None:
        if victim in {"first", "both"}:
            os.kill(called.process.near.id, signal.SIGKILL)
        if victim in {"second", "both"}:
            os.kill(pid, signal.SIGKILL)
        if victim == "nobody":
            scopes[0].cancel()
            await trio.lowlevel.checkpoint()
        await adopt(called, pid)

    async with local.spawn(FLAGS) as box:
        await enter(box)
        monkeypatch.setattr(Called, "adopt", hurt)
        with nothing_left(local), trio.CancelScope() as scope, suppress(RsyscallError):
            scopes.append(scope)
            await enter(box)
        assert scope.cancelled_caught == (victim == "nobody")
        monkeypatch.undo()
        await enter(box)


# a fork is refused beside the threads of a test run
FORKS: Final = """
    from contextlib import suppress
    import pytest
    from tests.support.census import children, open_fds
    from tests.support.steps import Steps

    SPACES = dict(user=True, pid=True, mnt=True, uts=True, map_zero=True)

    async def use():
        assert await Container(target=abs, args=(-7,), start_method="fork", **SPACES).run() == 7

    async def at_each(act, *errors):
        patch = pytest.MonkeyPatch()
        steps = Steps(patch)
        await use()
        before = children(), open_fds()
        for at in steps.moments(3):
            with trio.CancelScope() as scope, suppress(*errors):
                steps.arm(at, lambda: act(scope))
                await use()
            steps.disarm()
            assert (children(), open_fds()) == before
            await use()
        patch.undo()

    def kill(scope):
        for pid in children():
            os.kill(pid, signal.SIGKILL)
"""


async def test_a_fork_that_is_cancelled_at_any_step_leaves_nothing() -> None:
    assert await said_by(f"""{FORKS}
    async def main():
        await at_each(lambda scope: scope.cancel())
        print("done")
    """) == ["done"]


async def test_a_fork_that_is_killed_at_any_step_leaves_nothing() -> None:
    assert await said_by(f"""{FORKS}
    async def main():
        await at_each(kill, RsyscallError, ProcessLookupError)
        print("done")
    """) == ["done"]
