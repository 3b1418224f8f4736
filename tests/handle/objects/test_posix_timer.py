"""POSIX timers signal with what was given to them, and don't outlive their handles."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from errno import EINVAL

import pytest

from rsyscall_ns import (
    CLOCK,
    SI,
    SIG,
    SIG_BLOCK,
    SIG_SETMASK,
    SIGEV,
    TIMER,
    ArgumentRangeError,
    CpuClock,
    InterruptSignalError,
    Itimerspec,
    PosixTimer,
    Sigevent,
    SigeventError,
    Task,
    TimerDeletedError,
    TimerSiginfo,
    Timespec,
    open_local_task,
    struct_of,
)
from rsyscall_ns.near.calls import clock as near_clock
from tests.support.children import TRUE

TOLD = 52  # a real-time signal
SILENT = Sigevent(notify=SIGEV.NONE)
SOON = Itimerspec(value=Timespec(0, 1))
LATE = Itimerspec(value=Timespec(1000))
VALUE = 2**63 + 5


@pytest.fixture
async def blocked(task: Task) -> AsyncGenerator[Task, None]:
    """Give a task that has the signals blocked, and make it as it was."""
    used = {TOLD, int(SIG.ALRM)}
    old = await task.signals.sigprocmask(SIG_BLOCK, used)
    yield task
    while await task.signals.sigpending() & used:
        await task.signals.sigwaitinfo(used)
    await task.signals.sigprocmask(SIG_SETMASK, old)


def thread_id(task: Task) -> int:
    return threading.get_native_id() if task.sysif.same_thread else task.process.near.id


async def is_there(task: Task, number: int) -> bool:
    """Return whether the task's process has a timer of this id."""
    with task.transient(Itimerspec.sizeof()) as memory, suppress(OSError):
        await near_clock.timer_gettime(task.sysif, number, memory.address)
        return True
    return False


async def taken(task: Task, sig: int) -> TimerSiginfo:
    found = await task.signals.sigwaitinfo([sig])
    assert isinstance(found, TimerSiginfo)
    assert (found.signo, found.code) == (sig, SI.TIMER)
    return found


@pytest.mark.parametrize("clock", [CLOCK.REALTIME, CLOCK.MONOTONIC, CLOCK.BOOTTIME])
async def test_it_signals_with_a_value(blocked: Task, clock: CLOCK) -> None:
    event = Sigevent(VALUE, TOLD)
    async with await blocked.clock.timer_create(clock, event) as timer:
        await timer.timer_settime(SOON)
        found = await taken(blocked, TOLD)

        assert (found.timerid, found.value) == (timer.near, VALUE)


async def test_a_signalfd_tells_of_it(blocked: Task) -> None:
    async with (
        await blocked.signals.signalfd([TOLD]) as told,
        await blocked.clock.timer_create(CLOCK.MONOTONIC, Sigevent(5, TOLD)) as timer,
    ):
        await timer.timer_settime(SOON)
        (found,) = await told.read_siginfo()

        assert (found.signo, found.tid, found.value) == (TOLD, timer.near, 5)


async def test_without_an_event_it_is_an_alarm(blocked: Task) -> None:
    async with await blocked.clock.timer_create(CLOCK.MONOTONIC) as timer:
        await timer.timer_settime(SOON)

        assert (await taken(blocked, SIG.ALRM)).value == timer.near


async def test_one_thread_gets_the_signal(blocked: Task) -> None:
    memory = await blocked.ptr(
        Sigevent(1, TOLD, SIGEV.THREAD_ID, thread_id(blocked)), struct_of(Sigevent)
    )
    async with await blocked.clock.timer_create(CLOCK.MONOTONIC, memory) as timer:
        await timer.timer_settime(SOON)

        assert (await taken(blocked, TOLD)).value == 1
    memory.free()


async def test_a_thread_of_another_process_can_t_be_told(task: Task) -> None:
    with pytest.raises(OSError, match="timer_create") as caught:
        await task.clock.timer_create(CLOCK.MONOTONIC, Sigevent(1, TOLD, SIGEV.THREAD_ID, 1))

    assert caught.value.errno == EINVAL


async def test_it_says_how_long_it_has_to_go(task: Task) -> None:
    async with await task.clock.timer_create(CLOCK.MONOTONIC, Sigevent(1, TOLD)) as timer:
        assert await timer.timer_gettime() == Itimerspec()
        assert await timer.timer_settime(LATE) == Itimerspec()
        assert 0 < (await timer.timer_gettime()).value.ns <= LATE.value.ns
        left = await timer.timer_settime(Itimerspec())
        assert 0 < left.value.ns <= LATE.value.ns
        assert await timer.timer_gettime() == Itimerspec()


async def test_values_may_be_the_callers_memory(task: Task) -> None:
    new = await task.ptr(LATE, struct_of(Itimerspec))
    old = await task.malloc(struct_of(Itimerspec))
    async with await task.clock.timer_create(CLOCK.MONOTONIC, SILENT) as timer:
        assert await timer.timer_settime(new, into=old) is old
        assert old.peek() == Itimerspec()
        assert await timer.timer_gettime(into=old) is old
        assert old.peek().value.ns > 0
    new.free()
    old.free()


async def test_it_counts_what_nobody_was_told_of(blocked: Task) -> None:
    async with await blocked.clock.timer_create(CLOCK.MONOTONIC, Sigevent(1, TOLD)) as timer:
        now = await blocked.clock.clock_gettime(CLOCK.MONOTONIC)
        tenth = 100_000_000
        past = Itimerspec(Timespec(0, tenth), Timespec.of_ns(now.ns - 5 * tenth))
        await timer.timer_settime(past, TIMER.ABSTIME)
        found = await taken(blocked, TOLD)

        assert found.overrun >= 5
        assert await timer.timer_getoverrun() == found.overrun


async def test_processor_time_has_timers(blocked: Task) -> None:
    async with await blocked.clock.timer_create(CpuClock(), Sigevent(2, TOLD)) as timer:
        await timer.timer_settime(SOON)
        while TOLD not in await blocked.signals.sigpending():
            pass  # it uses processor time

        assert (await taken(blocked, TOLD)).value == 2


async def test_a_time_that_there_is_not_is_refused(task: Task) -> None:
    async with await task.clock.timer_create(CLOCK.MONOTONIC, SILENT) as timer:
        with pytest.raises(OSError, match="timer_settime") as caught:
            await timer.timer_settime(Itimerspec(value=Timespec(0, 10**9)))

        assert caught.value.errno == EINVAL


async def test_a_clock_that_there_is_not_is_refused(task: Task) -> None:
    with pytest.raises(OSError, match="timer_create") as caught:
        await task.clock.timer_create(1000, SILENT)

    assert caught.value.errno == EINVAL


async def test_events_that_can_t_be_are_refused(task: Task) -> None:
    create = task.clock.timer_create
    with pytest.raises(SigeventError):
        await create(CLOCK.MONOTONIC, Sigevent(1, TOLD, SIGEV.THREAD))
    with pytest.raises(ArgumentRangeError):
        await create(CLOCK.MONOTONIC, Sigevent(1, 65))
    interrupt = task.sysif.interrupt_signal()
    if interrupt is not None:
        with pytest.raises(InterruptSignalError):
            await create(CLOCK.MONOTONIC, Sigevent(1, interrupt))


# its end


async def test_it_is_deleted_once(task: Task) -> None:
    timer = await task.clock.timer_create(CLOCK.MONOTONIC, SILENT)
    number = timer.near
    assert await is_there(task, number)

    await timer.timer_delete()
    await timer.timer_delete()
    await timer.close()

    assert not timer.valid
    assert not await is_there(task, number)
    for use in (timer.timer_gettime, timer.timer_getoverrun):
        with pytest.raises(TimerDeletedError):
            await use()


async def test_one_that_was_forgotten_is_deleted(task: Task) -> None:
    forgotten = await task.clock.timer_create(CLOCK.MONOTONIC, SILENT)
    number = forgotten.near
    del forgotten
    gc.collect()

    async with await task.clock.timer_create(CLOCK.MONOTONIC, SILENT) as timer:
        assert timer.near == number or not await is_there(task, number)


async def test_it_ends_with_the_interpreters_task(local: Task) -> None:
    kept: list[PosixTimer] = []
    async with open_local_task() as other:
        kept.append(await other.clock.timer_create(CLOCK.MONOTONIC, SILENT))
        number = kept[0].near

    assert not kept[0].valid
    assert not await is_there(local, number)


async def test_exec_ends_it(child: Task) -> None:
    timer = await child.clock.timer_create(CLOCK.MONOTONIC, SILENT)

    await (await child.exec(TRUE)).check()

    assert not timer.valid
    await timer.timer_delete()


async def test_it_ends_with_its_child(local: Task) -> None:
    async with local.spawn() as child:
        timer = await child.clock.timer_create(CLOCK.MONOTONIC, SILENT)
    await timer.timer_delete()

    assert not timer.valid
