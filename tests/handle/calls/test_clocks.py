"""Clocks are read, compared and slept by; who may not set them is told so."""

from __future__ import annotations

import threading
import time
from errno import EINVAL, EOPNOTSUPP

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    ADJ,
    CLOCK,
    CLONE,
    CPUCLOCK,
    STA,
    SYS,
    TIME,
    TIMER,
    BlocksLoopError,
    CpuClock,
    NamespaceFD,
    O,
    Process,
    Task,
    ThreadCpuClock,
    Timespec,
    Timex,
    struct_of,
)
from rsyscall_ns.near.abi.time_h import cpu_clock
from tests.support.blocking import cancelled_in, until_blocked
from tests.support.census import nothing_left
from tests.support.children import TRUE

FOREVER = Timespec(10**9)
HOUR = 3600
BOTH = [
    (CLOCK.REALTIME, time.CLOCK_REALTIME),
    (CLOCK.MONOTONIC, time.CLOCK_MONOTONIC),
    (CLOCK.MONOTONIC_RAW, time.CLOCK_MONOTONIC_RAW),
    (CLOCK.BOOTTIME, time.CLOCK_BOOTTIME),
    (CLOCK.TAI, time.CLOCK_TAI),
]
SLEPT_BY = [CLOCK.REALTIME, CLOCK.MONOTONIC, CLOCK.BOOTTIME]


@pytest.mark.parametrize(("clock", "pythons"), BOTH)
async def test_a_clock_is_read(task: Task, clock: CLOCK, pythons: int) -> None:
    before = time.clock_gettime_ns(pythons)
    found = await task.clock.clock_gettime(clock)

    assert before <= found.ns <= time.clock_gettime_ns(pythons)


async def test_the_callers_memory_is_filled(task: Task) -> None:
    memory = await task.malloc(struct_of(Timespec))

    assert await task.clock.clock_gettime(CLOCK.MONOTONIC, into=memory) is memory
    assert 0 < memory.peek().ns <= time.monotonic_ns()
    assert await task.clock.clock_getres(CLOCK.MONOTONIC, into=memory) is memory
    assert memory.peek().seconds == time.clock_getres(time.CLOCK_MONOTONIC)
    memory.free()


@pytest.mark.parametrize(("clock", "pythons"), BOTH)
async def test_it_says_how_fine_it_is(task: Task, clock: CLOCK, pythons: int) -> None:
    assert (await task.clock.clock_getres(clock)).seconds == time.clock_getres(pythons)


async def test_a_clock_that_there_is_not_is_refused(task: Task) -> None:
    with pytest.raises(OSError, match="clock_gettime") as caught:
        await task.clock.clock_gettime(1000)

    assert caught.value.errno == EINVAL


async def test_a_clock_that_is_not_to_be_set_is_not(task: Task) -> None:
    memory = await task.ptr(Timespec(1), struct_of(Timespec))
    for value in (Timespec(1), memory):
        with pytest.raises(OSError, match="clock_settime") as caught:
            await task.clock.clock_settime(CLOCK.MONOTONIC, value)
        assert caught.value.errno == EINVAL
    memory.free()


async def test_root_of_a_user_namespace_sets_no_clock_of_the_machine(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        now = await child.clock.clock_gettime(CLOCK.REALTIME)
        with pytest.raises(PermissionError):
            await child.clock.clock_settime(CLOCK.REALTIME, now)
        with pytest.raises(PermissionError):
            await child.clock.clock_adjtime(CLOCK.REALTIME, Timex(ADJ.MAXERROR, maxerror=1))


async def test_how_a_clock_is_tuned_is_told_to_anybody(task: Task) -> None:
    state, tuned = await task.clock.clock_adjtime(CLOCK.REALTIME)

    assert state in TIME
    assert 9000 <= tuned.tick <= 11000  # microseconds, a hundred times a second
    assert tuned.tolerance > 0
    assert bool(tuned.status & STA.UNSYNC) == (state is TIME.ERROR)
    assert abs(tuned.time.sec - time.time()) < HOUR


async def test_how_it_is_tuned_is_filled_into_the_callers_memory(task: Task) -> None:
    memory = await task.ptr(Timex(), struct_of(Timex))

    state, filled = await task.clock.clock_adjtime(CLOCK.REALTIME, memory)

    assert state in TIME
    assert filled is memory
    assert memory.peek().tick > 0
    memory.free()


async def test_a_clock_that_nobody_tunes_refuses_it(task: Task) -> None:
    with pytest.raises(OSError, match="clock_adjtime") as caught:
        await task.clock.clock_adjtime(CLOCK.MONOTONIC)

    assert caught.value.errno == EOPNOTSUPP


# clocks of processes, and fds


@pytest.mark.parametrize("what", list(CPUCLOCK))
async def test_processor_time_has_clocks(task: Task, what: CPUCLOCK) -> None:
    for clock in (CpuClock(what=what), ThreadCpuClock(what=what)):
        first = await task.clock.clock_gettime(clock)
        assert first.ns <= (await task.clock.clock_gettime(clock)).ns
    whole = await task.clock.clock_gettime(CpuClock())
    assert 0 < whole.ns <= (await task.clock.clock_gettime(CLOCK.PROCESS_CPUTIME_ID)).ns


async def test_the_processor_time_of_a_child_has_a_clock(task: Task) -> None:
    async with task.spawn() as child:
        mine = await child.clock.clock_gettime(CLOCK.PROCESS_CPUTIME_ID)
        for process in (child.process, Process(task, child.process.near)):
            assert mine.ns <= (await task.clock.clock_gettime(CpuClock(process))).ns


async def test_a_thread_is_named_by_its_id(local: Task) -> None:
    clock = ThreadCpuClock(threading.get_native_id())
    before = time.thread_time_ns()

    assert before <= (await local.clock.clock_gettime(clock)).ns <= time.thread_time_ns()


async def test_a_process_that_is_gone_has_no_clock(task: Task) -> None:
    async with task.launch(TRUE) as gone:
        near_id = gone.near
    with pytest.raises(OSError, match="clock_gettime") as caught:
        await task.clock.clock_gettime(CpuClock(Process(task, near_id)))

    assert caught.value.errno == EINVAL


def test_clocks_of_processes_have_the_numbers_of_the_c_library() -> None:
    assert cpu_clock(1) == time.pthread_getcpuclockid(threading.get_ident()) - (
        cpu_clock(threading.get_native_id(), thread=True) - cpu_clock(1)
    )


async def test_an_fd_that_is_no_clock_is_refused(task: Task) -> None:
    async with await task.fs.open("/dev/null") as null:
        with pytest.raises(OSError, match="clock_gettime") as caught:
            await task.clock.clock_gettime(null)

        assert caught.value.errno == EINVAL


# sleeping


@pytest.mark.parametrize("clock", SLEPT_BY)
async def test_it_sleeps_for_a_time(task: Task, clock: CLOCK) -> None:
    with nothing_left(task):
        start = await task.clock.clock_gettime(clock)
        await task.clock.clock_nanosleep(clock, Timespec(0, 1_000_000))

        assert (await task.clock.clock_gettime(clock)).ns >= start.ns + 1_000_000


@pytest.mark.parametrize("clock", SLEPT_BY)
async def test_it_sleeps_until_a_time(task: Task, clock: CLOCK) -> None:
    end = Timespec.of_ns((await task.clock.clock_gettime(clock)).ns + 1_000_000)
    memory = await task.ptr(end, struct_of(Timespec))

    await task.clock.clock_nanosleep(clock, memory, TIMER.ABSTIME)

    assert (await task.clock.clock_gettime(clock)).ns >= end.ns
    memory.free()


async def test_what_is_past_takes_no_time(task: Task) -> None:
    left = await task.ptr(Timespec(7), struct_of(Timespec))
    await task.clock.clock_nanosleep(CLOCK.MONOTONIC, Timespec(), remain=left)
    await task.clock.clock_nanosleep(CLOCK.MONOTONIC, Timespec(), TIMER.ABSTIME)
    await task.clock.clock_nanosleep(CLOCK.MONOTONIC, Timespec(0, 1), TIMER.ABSTIME)

    assert left.peek() == Timespec(7)  # nothing has ended it
    left.free()


@pytest.mark.parametrize("time", [Timespec(-1), Timespec(0, -1), Timespec(0, 10**9)])
async def test_a_time_that_there_is_not_is_refused(task: Task, time: Timespec) -> None:
    with pytest.raises(OSError, match="clock_nanosleep") as caught:
        await task.clock.clock_nanosleep(CLOCK.MONOTONIC, time)

    assert caught.value.errno == EINVAL


@pytest.mark.parametrize(
    ("clock", "errno"),
    [(CLOCK.THREAD_CPUTIME_ID, EOPNOTSUPP), (CLOCK.MONOTONIC_COARSE, EOPNOTSUPP)],
)
async def test_a_clock_that_nobody_sleeps_by_refuses_it(
    task: Task, clock: CLOCK, errno: int
) -> None:
    with pytest.raises(OSError, match="clock_nanosleep") as caught:
        await task.clock.clock_nanosleep(clock, FOREVER)

    assert caught.value.errno == errno


async def test_a_cancel_ends_a_sleep(task: Task) -> None:
    async def asleep() -> None:
        if task.sysif.same_thread:
            await wait_all_tasks_blocked()
        else:
            await until_blocked(task, SYS.clock_nanosleep)

    with nothing_left(task):
        await cancelled_in(
            task, lambda: task.clock.clock_nanosleep(CLOCK.MONOTONIC, FOREVER), asleep
        )


@pytest.mark.parametrize(
    "clock", [CLOCK.TAI, CLOCK.PROCESS_CPUTIME_ID, CpuClock()], ids=["tai", "own", "cpu"]
)
async def test_the_interpreter_does_not_sleep_by_what_no_fd_has(
    local: Task, clock: CLOCK | CpuClock
) -> None:
    with pytest.raises(BlocksLoopError):
        await local.clock.clock_nanosleep(clock, FOREVER)


async def test_a_child_sleeps_by_international_time(child: Task) -> None:
    end = Timespec.of_ns((await child.clock.clock_gettime(CLOCK.TAI)).ns + 1_000_000)

    await child.clock.clock_nanosleep(CLOCK.TAI, end, TIMER.ABSTIME)

    assert (await child.clock.clock_gettime(CLOCK.TAI)).ns >= end.ns


async def test_the_interpreters_sleep_holds_up_nobody_else(local: Task) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(local.clock.clock_nanosleep, CLOCK.MONOTONIC, FOREVER)
        await wait_all_tasks_blocked()
        async with local.spawn() as other:
            assert (await other.clock.clock_gettime(CLOCK.MONOTONIC)).ns > 0
        nursery.cancel_scope.cancel()


# time namespaces


async def test_a_time_namespace_was_booted_at_another_time(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER, own_memory=True) as child:
        await child.ns.unshare(CLONE.NEWTIME)
        async with await child.fs.open("/proc/self/timens_offsets", O.WRONLY) as offsets:
            await offsets.write(f"boottime {HOUR} 0".encode())
        path = "/proc/self/ns/time_for_children"
        async with await (await child.fs.open(path)).as_kind(NamespaceFD) as namespace:
            before = await child.clock.clock_gettime(CLOCK.BOOTTIME)
            await child.ns.setns(namespace, CLONE.NEWTIME)
            after = await child.clock.clock_gettime(CLOCK.BOOTTIME)
        here = await local.clock.clock_gettime(CLOCK.BOOTTIME)

    assert after.ns >= before.ns + HOUR * 10**9
    assert after.ns > here.ns
