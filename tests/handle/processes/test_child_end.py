"""``end()``, which leaving a scope does: how the child died stays known, whoever has reaped it."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
from collections.abc import Awaitable, Callable
from errno import EINVAL, ENOTTY, ESRCH
from typing import Final

import pytest
import trio

from rsyscall_ns import CLD, CLONE, SIG, SYS, ChildState, Task, W
from tests.support.census import nothing_left
from tests.support.children import (
    FOREVER,
    end_by_exit,
    shell,
    stat_field,
    state_or_lost,
    thread_of,
)
from tests.support.procview import is_there
from tests.support.stopping import stopped_at

# <linux/pidfd.h>: struct pidfd_info up to its exit code
INFO: Final = struct.Struct("<QQ11Ii")
GET_INFO: Final = 0xC040FF0B  # _IOWR(0xFF, 11, 64 bytes)
EXIT_ASKED: Final = 1 << 3
ANY: Final = 2**64 - 1  # -1, which waits for any child


@pytest.fixture(scope="module")
def remembered() -> bool:
    """Find out whether a pidfd tells the status of one that was reaped (Linux 6.15)."""
    pid = os.posix_spawn("/bin/true", ["true"], {})
    pidfd = os.pidfd_open(pid)
    try:
        os.waitpid(pid, 0)
        told = fcntl.ioctl(pidfd, GET_INFO, INFO.pack(EXIT_ASKED, *[0] * 13))
    except OSError as error:
        if error.errno not in {EINVAL, ENOTTY, ESRCH}:
            raise
        return False
    finally:
        os.close(pidfd)
    mask, *_ = INFO.unpack(told)
    return bool(mask & EXIT_ASKED)


async def exits(child: Task) -> None:
    await child.exec(shell("exit 42"))


async def exits_with_none(child: Task) -> None:
    await child.exec(shell("exit 0"))


async def is_killed(child: Task) -> None:
    await child.exec(shell("kill -USR1 $$"))


async def exits_as_a_server(child: Task) -> None:
    await end_by_exit(child, 43)


DEATHS: Final[dict[str, tuple[Callable[[Task], Awaitable[None]], CLD, int]]] = {
    "exit 42": (exits, CLD.EXITED, 42),
    "exit 0": (exits_with_none, CLD.EXITED, 0),
    "SIGUSR1": (is_killed, CLD.KILLED, SIG.USR1),
    "exit 43 of a serving child": (exits_as_a_server, CLD.EXITED, 43),
}
every_death = pytest.mark.parametrize("death", DEATHS)
flags_of_parent = pytest.mark.parametrize("flags", [CLONE(0), CLONE.FILES], ids=str)


async def until_dead(child: Task) -> None:
    """Wait until the child is a zombie; nobody is told of it yet."""
    await thread_of(child).waitid(W.EXITED | W.NOWAIT)
    assert stat_field(child.process.near.id, 3) == "Z"


def steal(pid: int) -> int:
    """Reap a zombie, as anybody in this interpreter may do; returns its wait status word."""
    reaped, status = os.waitpid(pid, os.WNOHANG)
    assert reaped == pid
    return status


def state_of(child: Task) -> ChildState:
    state = thread_of(child).death_state
    assert state is not None
    assert state.pid == child.process.near.id
    return state


def check_stolen(child: Task, death: str, *, remembered: bool) -> None:
    """Assert that a status which somebody else took is known, as far as the kernel tells it."""
    state = state_of(child)
    if remembered:
        assert (state.code, state.status) == DEATHS[death][1:]
    else:
        # nobody knows, and nobody asked: what end() has sent
        assert (state.code, state.status) == (CLD.KILLED, SIG.KILL)


@every_death
async def test_a_death_before_the_end_is_told_as_it_was(local: Task, death: str) -> None:
    async with local.spawn() as child:
        await DEATHS[death][0](child)
        await until_dead(child)

    state = state_of(child)
    assert (state.code, state.status) == DEATHS[death][1:]


async def test_a_child_that_was_alive_is_told_as_killed(local: Task) -> None:
    async with local.spawn() as serving:
        pass
    async with local.spawn() as execs:
        await execs.exec(FOREVER)

    for child in (serving, execs):
        assert (state_of(child).code, state_of(child).status) == (CLD.KILLED, SIG.KILL)


@every_death
async def test_a_status_that_somebody_else_took_is_known(
    local: Task, death: str, *, remembered: bool
) -> None:
    with nothing_left(local):
        async with local.spawn() as child:
            pid = child.process.near.id
            await DEATHS[death][0](child)
            await until_dead(child)
            steal(pid)
            with pytest.raises(FileNotFoundError):
                stat_field(pid, 3)

    check_stolen(child, death, remembered=remembered)


async def test_one_that_was_killed_and_taken_by_somebody_else_is_told_as_killed(
    local: Task,
) -> None:
    async with local.spawn() as child:
        pid = child.process.near.id
        os.kill(pid, signal.SIGKILL)
        await until_dead(child)
        assert steal(pid) == SIG.KILL

    assert (state_of(child).code, state_of(child).status) == (CLD.KILLED, SIG.KILL)


@every_death
async def test_a_status_that_the_kernel_took_because_nobody_wants_it_is_known(
    local: Task, death: str, *, remembered: bool
) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        async with local.spawn() as child:
            await DEATHS[death][0](child)
            while is_there(f"/proc/{child.process.near.id}"):
                await trio.lowlevel.checkpoint()
    finally:
        signal.signal(signal.SIGCHLD, before)

    check_stolen(child, death, remembered=remembered)


@every_death
@flags_of_parent
async def test_a_status_that_the_parent_itself_took_is_known(
    local: Task, death: str, flags: CLONE, *, remembered: bool
) -> None:
    with nothing_left(local):
        async with local.spawn(flags) as parent:
            async with parent.spawn() as child:
                await DEATHS[death][0](child)
                await until_dead(child)
                assert await parent.sysif.call(SYS.wait4, ANY) == child.process.near.id
            check_stolen(child, death, remembered=remembered)


@every_death
async def test_where_the_kernel_forgets_it_is_told_as_killed(local: Task, death: str) -> None:
    """As before Linux 6.15, where a pidfd knows no such ioctl."""
    async with (
        local.spawn() as parent,
        stopped_at(parent, SYS.ioctl) as stops,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(stops.refuse_all, ENOTTY)
        async with parent.spawn() as child:
            await DEATHS[death][0](child)
            await until_dead(child)
            assert await parent.sysif.call(SYS.wait4, ANY) == child.process.near.id
            assert await state_or_lost(thread_of(child)) is None
        check_stolen(child, death, remembered=False)
        nursery.cancel_scope.cancel()


async def test_a_status_that_was_asked_for_is_never_guessed(
    local: Task, *, remembered: bool
) -> None:
    """Only ``end()`` may say what it has sent; one who waits is told what is known, or an error."""
    async with local.spawn() as child:
        await exits(child)
        await until_dead(child)
        steal(child.process.near.id)
        state = await state_or_lost(thread_of(child))
        assert (state is not None) == remembered
        assert state is None or state.exit_status == 42
    assert thread_of(child).death_state is not None
