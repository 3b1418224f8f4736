"""``task.clock``: clocks, sleeping by them, and timers that signal."""

from __future__ import annotations

from typing import Final, final, overload

import trio

from rsyscall_ns.handle.clockid import Clock, clock_given
from rsyscall_ns.handle.kinds.timerfd import TimerFD
from rsyscall_ns.handle.objects.posix_timer import PosixTimer
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.sigevent import check_event
from rsyscall_ns.handle.waiting import BlocksLoopError
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.siginfo_h import Sigevent
from rsyscall_ns.near.abi.time_h import CLOCK, TIMER, Itimerspec, Timespec
from rsyscall_ns.near.abi.timerfd_h import TFD
from rsyscall_ns.near.abi.timex_h import TIME, Timex
from rsyscall_ns.near.calls import clock as near_clock
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.nr import SYS

__all__ = ["Clocks"]

# those that a timerfd has as well: the interpreter sleeps by one, together with its event loop
ON_FDS: Final = {
    CLOCK.REALTIME,
    CLOCK.MONOTONIC,
    CLOCK.BOOTTIME,
    CLOCK.REALTIME_ALARM,
    CLOCK.BOOTTIME_ALARM,
}
NO_SLEEP: Final = {  # these refuse to be slept by
    CLOCK.THREAD_CPUTIME_ID,
    CLOCK.MONOTONIC_RAW,
    CLOCK.REALTIME_COARSE,
    CLOCK.MONOTONIC_COARSE,
}
INT: Final = 4  # bytes
SECOND: Final = 1_000_000_000  # nanoseconds
Time = Timespec | Pointer[Timespec]
TIMESPEC: Final = struct_of(Timespec)


@final
class Clocks:
    """System calls about clocks: see ``Clock`` for which there are."""

    __slots__ = ("_forgotten", "_task")

    def __init__(self, task: MemoryTask) -> None:
        self._task = task
        self._forgotten: list[int] = []  # timers whose handles are gone

    @overload
    async def clock_gettime(self, clock: Clock) -> Timespec: ...

    @overload
    async def clock_gettime(
        self, clock: Clock, *, into: Pointer[Timespec]
    ) -> Pointer[Timespec]: ...

    async def clock_gettime(self, clock: Clock, *, into: Pointer[Timespec] | None = None) -> Time:
        """Return what time it is by a clock. ``clock_gettime(2)``."""
        task = self._task
        async with clock_given(task, clock) as which:
            with room(task, TIMESPEC, into) as there:
                await near_clock.clock_gettime(task.sysif, which, there.address)
                return there.result()

    async def clock_settime(self, clock: Clock, time: Time) -> None:
        """Set a clock, for the whole machine. ``clock_gettime(2)``."""
        task = self._task
        async with clock_given(task, clock) as which:
            with given(task, time) as there:
                await near_clock.clock_settime(task.sysif, which, there.address)

    @overload
    async def clock_getres(self, clock: Clock) -> Timespec: ...

    @overload
    async def clock_getres(self, clock: Clock, *, into: Pointer[Timespec]) -> Pointer[Timespec]: ...

    async def clock_getres(self, clock: Clock, *, into: Pointer[Timespec] | None = None) -> Time:
        """Return how fine a clock is. ``clock_getres(2)``."""
        task = self._task
        async with clock_given(task, clock) as which:
            with room(task, TIMESPEC, into) as there:
                await near_clock.clock_getres(task.sysif, which, there.address)
                return there.result()

    @overload
    async def clock_adjtime(self, clock: Clock, change: Timex = ...) -> tuple[TIME, Timex]: ...

    @overload
    async def clock_adjtime(
        self, clock: Clock, change: Pointer[Timex]
    ) -> tuple[TIME, Pointer[Timex]]: ...

    async def clock_adjtime(
        self,
        clock: Clock,
        change: Timex | Pointer[Timex] | None = None,
    ) -> tuple[TIME, Timex | Pointer[Timex]]:
        """Tune a clock, for the whole machine; returns its state and how it is tuned then.

        Without ``change``, or ``modes`` in it, nothing is changed: that anybody may do.
        ``adjtimex(2)``.
        """
        task = self._task
        wanted = Timex() if change is None else change
        async with clock_given(task, clock) as which:
            if isinstance(wanted, Pointer):
                with given(task, wanted) as there:
                    state = await near_clock.clock_adjtime(task.sysif, which, there.address)
                return TIME(state), wanted
            with task.transient(wanted.pack()) as memory:
                state = await near_clock.clock_adjtime(task.sysif, which, memory.address)
                return TIME(state), Timex.unpack(memory.read())

    async def clock_nanosleep(
        self,
        clock: Clock,
        request: Time,
        flags: TIMER = TIMER.NONE,
        *,
        remain: Pointer[Timespec] | None = None,
    ) -> None:
        """Sleep for a time, or with ``TIMER.ABSTIME`` until a time of the clock.

        ``remain``: filled with what is left when a signal ends a relative sleep. The interpreter's
        own task sleeps together with its event loop; by a clock of processor time or
        ``CLOCK.TAI`` it can't: BlocksLoopError. ``clock_nanosleep(2)``.
        """
        task = self._task
        if task.sysif.same_thread and await self._slept_in_loop(clock, request, flags):
            return
        async with clock_given(task, clock) as which:
            with given(task, request) as there, given(task, remain) as left:
                await near_clock.clock_nanosleep(
                    task.sysif, which, flags, there.address, left.address
                )

    async def _slept_in_loop(self, clock: Clock, request: Time, flags: TIMER) -> bool:
        """Sleep without the call, if it would hold up the event loop."""
        time = request.peek() if isinstance(request, Pointer) else request
        at_once = not time.ns or time.sec < 0 or not 0 <= time.nsec < SECOND
        if at_once or clock in NO_SLEEP:
            return False  # it fails, or returns at once
        if not isinstance(clock, int) or clock not in ON_FDS:
            raise BlocksLoopError(f"clock_nanosleep by {clock}")
        async with await self._timerfd(CLOCK(clock)) as timer:
            how = TFD.TIMER_ABSTIME if flags & TIMER.ABSTIME else TFD(0)
            await timer.timerfd_settime(Itimerspec(value=time), how)
            await timer.expirations()
        return True

    @trio.lowlevel.enable_ki_protection
    async def _timerfd(self, clock: CLOCK) -> TimerFD:
        task = self._task
        flags = TFD.NONBLOCK | TFD.CLOEXEC
        return TimerFD(task, await near_events.timerfd_create(task.sysif, clock, flags))

    @trio.lowlevel.enable_ki_protection
    async def timer_create(
        self, clock: Clock, event: Sigevent | Pointer[Sigevent] | None = None
    ) -> PosixTimer:
        """Make a timer of the task's process, which signals; ``async with`` it.

        ``event``: None sends SIGALRM, as a disposition may have it. Threads can't be started
        (``SIGEV.THREAD``). Its children don't get it, and exec ends it. ``timer_create(2)``.
        """
        task = self._task
        check_event(task, event, threads=True)
        while self._forgotten:
            number = self._forgotten.pop()
            with trio.CancelScope(shield=True):
                await task.sysif.call(SYS.timer_delete, number)
        async with clock_given(task, clock) as which:
            with given(task, event) as there, task.transient(INT) as made:
                await near_clock.timer_create(task.sysif, which, there.address, made.address)
                number = int.from_bytes(made.read(), "little", signed=True)
                return PosixTimer(task, number, self._forgotten)
