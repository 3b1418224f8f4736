"""launch: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from errno import EIO

import pytest
import trio

from rsyscall_ns import CLONE, SYS, RsyscallError, Task
from tests.support.census import children, nothing_left
from tests.support.children import shell
from tests.support.steps import Steps

RELEASING = (SYS.close, SYS.waitid, SYS.munmap)
FLAGS = [CLONE(0), CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


async def use(parent: Task, flags: CLONE) -> int | None:
    """Run a program with a stream and an fd; returns its exit status."""
    async with (
        await parent.fs.open("/dev/null", os.O_RDWR) as null,
        parent.launch(shell("exit 7"), flags, stdout=null, pass_fds=[null]) as process,
    ):
        return (await process.wait()).exit_status


@pytest.mark.parametrize("flags", FLAGS, ids=str)
@pytest.mark.parametrize("nested", [False, True], ids=["here", "in a child"])
async def test_a_cancel_at_any_step(
    local: Task, steps: Steps, flags: CLONE, *, nested: bool
) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        parent = child if nested else local
        assert await use(parent, flags) == 7
        for at in steps.moments(3):
            with nothing_left(local), trio.CancelScope() as scope:
                steps.arm(at, scope.cancel)
                assert await use(parent, flags) == 7
        assert await child.cred.getuid() == os.getuid()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_an_error_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    def fail() -> None:
        raise OSError(EIO, "injected")

    steps.spare(*RELEASING)
    for at in steps.moments(3):
        with nothing_left(local), suppress(OSError):
            steps.arm(at, fail)
            assert await use(local, flags) == 7


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_kill_of_the_program_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    for at in steps.moments(3):
        with nothing_left(local):
            before = children()

            def kill(before: frozenset[int] = before) -> None:
                for pid in children() - before:
                    os.kill(pid, signal.SIGKILL)

            steps.arm(at, kill)
            with suppress(RsyscallError, ProcessLookupError, FileNotFoundError):
                assert await use(local, flags) in {7, None}
            steps.disarm()


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_kill_of_its_parent_at_any_step(local: Task, steps: Steps, flags: CLONE) -> None:
    for at in steps.moments(3):
        with nothing_left(local):
            async with local.spawn(CLONE.NEWUSER) as child:
                pid = child.process.near.id

                def kill(pid: int = pid) -> None:
                    os.kill(pid, signal.SIGKILL)

                steps.arm(at, kill)
                with suppress(RsyscallError, ProcessLookupError):
                    await use(child, flags)
                steps.disarm()
