"""ChildProcess: waitid into a buffer, and the protocol of reading it."""

from __future__ import annotations

import os
from errno import ECHILD

import pytest

from rsyscall_ns import (
    BYTES,
    CLD,
    SIG,
    SIGINFO,
    ArgumentRangeError,
    ChildProcess,
    ChildState,
    NoSiginfoError,
    NoStateChangeError,
    Pointer,
    Siginfo,
    Task,
    UseAfterFreeError,
    W,
)
from rsyscall_ns.near import ids
from tests.support.children import end_by_exit, thread_of


def unread(process: ChildProcess) -> Pointer[Siginfo] | None:
    return process.unread_siginfo


def death(process: ChildProcess) -> ChildState | None:
    return process.death_state


async def test_waitid_fills_the_buffer_and_leaves_it_to_be_read(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        await end_by_exit(child, 5)
        buffer = await local.malloc(SIGINFO)

        await process.waitid(W.EXITED, buffer)

        assert unread(process) is buffer
        assert death(process) is None
        state = await process.read_siginfo()
        assert state is not None
        assert state.exit_status == 5
        assert unread(process) is None
        assert death(process) == state
        buffer.free()


async def test_waitid_with_nothing_to_report_is_read_as_none(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        buffer = await local.malloc(SIGINFO)
        await process.waitid(W.EXITED | W.NOHANG, buffer)

        assert unread(process) is buffer
        assert await process.read_siginfo() is None
        assert unread(process) is None
        assert death(process) is None
        buffer.free()


async def test_parse_waitid_siginfo_takes_note_of_a_death(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        buffer = await local.malloc(SIGINFO)
        await process.kill()
        await process.waitid(W.EXITED, buffer)
        siginfo = await buffer.read()

        state = process.parse_waitid_siginfo(siginfo)

        assert siginfo.pid == process.near.id
        assert state is not None
        assert state.killed_with() == SIG.KILL
        assert death(process) == state
        assert unread(process) is None
        buffer.free()


async def test_parse_waitid_siginfo_of_pid_0_is_none(local: Task) -> None:
    async with local.spawn() as child:
        assert thread_of(child).parse_waitid_siginfo(Siginfo()) is None
        assert thread_of(child).death_state is None


async def test_parse_waitid_siginfo_of_a_stop_is_no_death(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        told = Siginfo(SIG.CHLD, 0, CLD.STOPPED, process.near.id, 0, SIG.STOP)

        state = process.parse_waitid_siginfo(told)

        assert state is not None
        assert not state.died()
        assert death(process) is None


async def test_read_state_change_returns_the_change(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        await end_by_exit(child, 0)
        buffer = await local.malloc(SIGINFO)
        await process.waitid(W.EXITED, buffer)

        assert (await process.read_state_change()).clean()
        buffer.free()


async def test_read_state_change_raises_when_there_is_none(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        buffer = await local.malloc(SIGINFO)
        await process.waitid(W.EXITED | W.NOHANG, buffer)
        with pytest.raises(NoStateChangeError):
            await process.read_state_change()
        assert unread(process) is None
        buffer.free()


async def test_reading_without_a_buffer_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        with pytest.raises(NoSiginfoError):
            await thread_of(child).read_siginfo()
        with pytest.raises(NoSiginfoError):
            await thread_of(child).read_state_change()


async def test_waitid_into_a_freed_buffer_is_refused_and_loses_nothing(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        await end_by_exit(child, 3)
        buffer = await local.malloc(SIGINFO)
        buffer.free()
        with pytest.raises(UseAfterFreeError):
            await process.waitid(W.EXITED, buffer)
        assert not process.in_use
        assert unread(process) is None
        assert (await process.wait()).exit_status == 3


async def test_waitid_with_a_freed_rusage_is_refused_and_loses_nothing(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        await end_by_exit(child, 3)
        usage = await local.malloc(BYTES, 144)
        usage.free()
        with pytest.raises(UseAfterFreeError):
            await process.waitid(W.EXITED, rusage=usage)
        assert (await process.wait()).exit_status == 3


async def test_waitid_that_waits_for_no_state_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        with pytest.raises(ArgumentRangeError, match="EXITED"):
            await thread_of(child).waitid(W.NOHANG)


async def test_waitid_on_one_that_is_no_child_names_it(local: Task) -> None:
    stranger = ChildProcess(local, ids.Process(os.getpid()))
    with pytest.raises(ChildProcessError) as caught:
        await stranger.waitid(W.EXITED | W.NOHANG)
    assert caught.value.errno == ECHILD
    assert caught.value.filename == str(os.getpid())
    assert not stranger.in_use


async def test_a_buffer_that_is_too_small_is_refused_before_the_kernel_fills_it(
    local: Task,
) -> None:
    small = await local.malloc(BYTES, 16)
    short = await local.malloc(SIGINFO, 16)
    neighbour = await local.malloc(BYTES, 256)
    neighbour.poke(b"\x5a" * 256)
    async with local.spawn() as child:
        process = thread_of(child)
        await process.kill()
        with pytest.raises(ArgumentRangeError, match="rusage"):
            await process.waitid(W.EXITED, rusage=small)
        with pytest.raises(ArgumentRangeError, match="siginfo"):
            await process.waitid(W.EXITED, short)
        assert (await process.wait()).killed_with() == SIG.KILL
    assert neighbour.peek() == b"\x5a" * 256
