"""Signals are blocked, waited for with all that comes along, and sent by timers."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    ITIMER,
    SI,
    SIG,
    SIG_BLOCK,
    SIG_SETMASK,
    SIGINFO_T,
    ArgumentRangeError,
    BlocksLoopError,
    FDKindError,
    InterruptSignalError,
    Itimerval,
    Process,
    SignalFD,
    SignalfdSiginfo,
    Task,
    TaskLostError,
    Timespec,
    Timeval,
    ValueSiginfo,
    array_of,
    struct_of,
)
from tests.support.census import nothing_left

USED = frozenset({int(SIG.USR2), int(SIG.ALRM), 50, 51})
QUEUED = 50  # a real-time signal: none gets lost
ZERO = Itimerval()


@pytest.fixture
async def blocked(task: Task) -> AsyncGenerator[Task, None]:
    """Give a task that has some signals blocked, and make it as it was."""
    old = await task.signals.sigprocmask(SIG_BLOCK, USED)
    yield task
    while await task.signals.sigpending() & USED:
        await task.signals.sigwaitinfo(USED)
    await task.signals.sigprocmask(SIG_SETMASK, old)


async def test_a_blocked_signal_is_pending_until_it_is_taken(blocked: Task) -> None:
    assert not await blocked.signals.sigpending() & USED
    await blocked.process.kill(SIG.USR2)
    assert await blocked.signals.sigpending() & USED == {SIG.USR2}
    found = await blocked.signals.sigwaitinfo([SIG.USR2])
    assert isinstance(found, ValueSiginfo)
    assert (found.signo, found.code, found.pid) == (SIG.USR2, SI.USER, os.getpid())
    assert not await blocked.signals.sigpending() & USED


async def test_queued_signals_come_in_order_with_their_values(blocked: Task) -> None:
    for value in (1, 2**64 - 1):
        await blocked.process.sigqueue(QUEUED, value)
    await blocked.process.rt_sigqueueinfo(QUEUED, ValueSiginfo(QUEUED, 0, SI.MESGQ, 1, 2, 3))
    got = [await blocked.signals.sigtimedwait([QUEUED], Timespec()) for _ in range(3)]
    assert [one.value for one in got if isinstance(one, ValueSiginfo)] == [1, 2**64 - 1, 3]
    assert [one.code for one in got] == [SI.QUEUE, SI.QUEUE, SI.MESGQ]


async def test_what_came_along_is_filled_into_the_callers_memory(blocked: Task) -> None:
    info = await blocked.process.task.ptr(ValueSiginfo(QUEUED, 0, SI.QUEUE, 1, 2, 3))
    room = await blocked.malloc(SIGINFO_T)
    await blocked.process.rt_sigqueueinfo(QUEUED, info)
    room = await blocked.signals.sigwaitinfo([QUEUED], into=room)
    assert await room.read() == ValueSiginfo(QUEUED, 0, SI.QUEUE, 1, 2, 3)
    await blocked.process.rt_sigqueueinfo(QUEUED, info)
    room = await blocked.signals.sigtimedwait([QUEUED], Timespec(), into=room)
    info.free()
    room.free()


async def test_a_thread_is_signalled_by_its_id(blocked: Task) -> None:
    tid = blocked.process.near.id
    await blocked.process.tgkill(tid, QUEUED)
    assert (await blocked.signals.sigwaitinfo([QUEUED])).code == SI.TKILL
    await blocked.process.rt_tgsigqueueinfo(tid, QUEUED, ValueSiginfo(QUEUED, 0, SI.QUEUE))
    assert (await blocked.signals.sigwaitinfo([QUEUED])).code == SI.QUEUE
    with pytest.raises(ArgumentRangeError):
        await blocked.process.tgkill(0, QUEUED)
    with pytest.raises(ProcessLookupError):
        await blocked.process.tgkill(1, QUEUED)
    with pytest.raises(ArgumentRangeError, match="signal"):
        await blocked.process.sigqueue(65)


async def test_waiting_for_a_signal_ends_with_its_time_and_can_be_cancelled(blocked: Task) -> None:
    with nothing_left(blocked):
        with pytest.raises(BlockingIOError, match="rt_sigtimedwait"):
            await blocked.signals.sigtimedwait([QUEUED], Timespec(0, 5_000_000))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(blocked.signals.sigwaitinfo, [QUEUED])
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    await blocked.process.sigqueue(QUEUED)
    await blocked.signals.sigwaitinfo([QUEUED])


async def test_a_wait_is_ended_by_a_signal_that_comes_later(blocked: Task, local: Task) -> None:
    got: list[int] = []

    async def wait() -> None:
        got.append((await blocked.signals.sigwaitinfo([QUEUED, 51])).signo)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        await Process(local, blocked.process.near).tgkill(blocked.process.near.id, 51)
    assert got == [51]


async def test_the_signal_that_interrupts_calls_is_not_waited_for(child: Task) -> None:
    interrupt = child.sysif.interrupt_signal()
    assert interrupt is not None
    for call in (child.signals.sigwaitinfo, child.signals.sigsuspend):
        with pytest.raises(InterruptSignalError):
            await call([interrupt])


async def test_a_signalfd_tells_of_signals_and_can_be_changed(blocked: Task) -> None:
    async with await blocked.signals.signalfd([QUEUED]) as fd:
        assert type(fd) is SignalFD
        assert await fd.is_cloexec()
        await blocked.process.sigqueue(51)
        await blocked.process.sigqueue(QUEUED, 2**64 - 7)
        (found,) = await fd.read_siginfo(4)
        assert (found.signo, found.code, found.value) == (QUEUED, SI.QUEUE, -7)
        assert found.ptr == 2**64 - 7
        await fd.signalfd([51])
        await blocked.process.sigqueue(51)
        room = await blocked.malloc(array_of(SignalfdSiginfo), 3 * SignalfdSiginfo.sizeof())
        filled = await fd.read_siginfo(room)
        assert [one.signo for one in await filled.read()] == [51, 51]
        filled.free()
        again = await (await fd.dup()).as_kind(SignalFD)
        await again.close()
    async with await blocked.fds.eventfd() as counter:
        with pytest.raises(FDKindError):
            await counter.as_kind(SignalFD)


async def test_a_signalfd_is_waited_for_and_the_wait_can_be_cancelled(blocked: Task) -> None:
    async with await blocked.signals.signalfd([QUEUED]) as fd:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fd.read_siginfo)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await blocked.process.sigqueue(QUEUED, 1)
        assert (await fd.read_siginfo())[0].value == 1


async def test_an_interval_timer_sends_its_signal(child: Task) -> None:
    await child.signals.sigprocmask(SIG_BLOCK, [SIG.ALRM])
    await child.signals.setitimer(ITIMER.REAL, Itimerval(value=Timeval(0, 1)))
    found = await child.signals.sigwaitinfo([SIG.ALRM])
    assert (found.signo, found.code) == (SIG.ALRM, SI.KERNEL)


async def test_an_interval_timer_is_read_and_ended(task: Task) -> None:
    far = Itimerval(Timeval(5), Timeval(100_000))
    assert await task.signals.setitimer(ITIMER.PROF, far) == ZERO
    left = await task.signals.getitimer(ITIMER.PROF)
    assert left.interval == Timeval(5)
    assert 90_000 <= left.value.sec <= 100_000
    new, old = await task.ptr(ZERO), await task.malloc(struct_of(Itimerval))
    old = await task.signals.setitimer(ITIMER.PROF, new, into=old)
    assert (await old.read()).interval == Timeval(5)
    old = await task.signals.getitimer(ITIMER.PROF, into=old)
    assert await old.read() == ZERO
    new.free()
    old.free()


async def test_an_alarm_is_set_and_taken_back(child: Task) -> None:
    assert await child.signals.alarm(1000) == 0
    assert 900 <= await child.signals.alarm(0) <= 1000
    assert await child.signals.alarm(0) == 0
    with pytest.raises(ArgumentRangeError):
        await child.signals.alarm(-1)


async def test_the_stack_of_handlers_is_told(task: Task) -> None:
    stack = await task.signals.sigaltstack()
    assert stack.flags in {0, 2}
    assert (stack.size > 0) == (stack.flags == 0)


async def test_a_child_pauses_until_it_is_cancelled(child: Task) -> None:
    for call in (child.signals.pause, lambda: child.signals.sigsuspend([SIG.USR2])):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    assert await child.signals.sigprocmask() == frozenset()


async def test_a_signal_that_is_let_through_ends_the_child(child: Task) -> None:
    await child.signals.sigprocmask(SIG_BLOCK, [SIG.USR1])
    await child.process.kill(SIG.USR1)
    with pytest.raises(TaskLostError):
        await child.signals.sigsuspend([])


async def test_the_interpreter_does_not_pause(local: Task) -> None:
    with pytest.raises(BlocksLoopError, match="pause"):
        await local.signals.pause()
    with pytest.raises(BlocksLoopError, match="sigsuspend"):
        await local.signals.sigsuspend([])
