"""ChildProcess: exit statuses that somebody else takes are right, or a named error."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from rsyscall_ns import SIG, SIGINFO, ChildProcess, ExitStatusLostError, Task, W
from rsyscall_ns.near import ids
from tests.support.children import (
    TRUE,
    end_by_exit,
    foreign_child,
    shell,
    stat_field,
    state_or_lost,
    wait_for_any,
)


@contextmanager
def ignored_sigchld() -> Generator[None, None, None]:
    """Have the kernel reap our children by itself."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("status", [0, 42])
async def test_with_sigchld_ignored_the_status_is_right_or_an_error(
    local: Task, status: int
) -> None:
    with ignored_sigchld():
        async with local.spawn() as child:
            state = await state_or_lost(await child.exec(shell(f"exit {status}")))

    assert state is None or state.exit_status == status


async def test_with_sigchld_ignored_a_serving_child_is_ended_quietly(local: Task) -> None:
    with ignored_sigchld():
        async with local.spawn() as child:
            await child.cred.getuid()


async def test_a_status_stolen_by_a_wait_for_any_child_is_right_or_an_error(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell("exit 42"))
        assert wait_for_any() == (process.near.id, 42)

        state = await state_or_lost(process)

    assert state is None or (state.exit_status, state.pid) == (42, process.near.id)


async def test_a_stolen_death_by_signal_is_right_or_an_error(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell("kill -USR1 $$"))
        wait_for_any()

        state = await state_or_lost(process)

    assert state is None or state.killed_with() == SIG.USR1


async def test_a_stolen_status_is_read_into_a_buffer_too(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell("exit 42"))
        wait_for_any()
        buffer = await local.malloc(SIGINFO)
        lost = False
        try:
            await process.waitid(W.EXITED, buffer)
        except ExitStatusLostError:
            lost = True

        assert lost or (await process.read_state_change()).exit_status == 42
        buffer.free()


async def test_a_stolen_status_of_a_child_without_a_pidfd_is_an_error(local: Task) -> None:
    process = ChildProcess(local, ids.Process(foreign_child("exit 0")))
    wait_for_any()

    with pytest.raises(ExitStatusLostError) as caught:
        await process.waitid(W.EXITED)

    assert caught.value.filename == str(process.near.id)
    assert isinstance(caught.value, ChildProcessError)


async def test_leaving_the_scope_of_a_stolen_child_is_quiet(local: Task) -> None:
    async with local.spawn() as child:
        await end_by_exit(child, 0)
        wait_for_any()


async def test_a_signal_to_a_stolen_child_hits_nobody(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(TRUE)
        wait_for_any()
        with pytest.raises(ProcessLookupError):
            await process.kill(SIG.KILL)


async def test_waiting_for_one_child_leaves_the_others_statuses_alone(local: Task) -> None:
    async with local.spawn() as one, local.spawn() as two:
        first, second = await one.exec(shell("exit 1")), await two.exec(shell("exit 2"))
        foreign = foreign_child("exit 3")
        assert (await second.wait()).exit_status == 2
        assert (await first.wait()).exit_status == 1
        assert wait_for_any() == (foreign, 3)


async def test_a_child_that_was_seen_dead_is_a_zombie_no_more(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(TRUE)
        await process.waitid(W.EXITED | W.NOWAIT)
        assert stat_field(process.near.id, 3) == "Z"
        await process.wait()
        with pytest.raises(FileNotFoundError):
            stat_field(process.near.id, 3)


async def test_a_wait_for_a_stop_of_a_zombie_loses_no_status(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell("exit 6"))
        await process.waitid(W.EXITED | W.NOWAIT)
        with pytest.raises(ChildProcessError) as caught:
            await process.waitid(W.STOPPED | W.NOHANG)
        assert not isinstance(caught.value, ExitStatusLostError)
        assert (await process.wait()).exit_status == 6
