"""Thin calls: time and timers. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, checked, int32, number_of

__all__ = [
    "adjtimex",
    "clock_adjtime",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "clock_settime",
    "gettimeofday",
    "nanosleep",
    "settimeofday",
    "time",
    "timer_create",
    "timer_delete",
    "timer_getoverrun",
    "timer_gettime",
    "timer_settime",
    "times",
]


async def nanosleep(sysif: SyscallInterface, rqtp: Address | None, rmtp: Address | None) -> None:
    """Sleep. ``nanosleep(2)``."""
    await checked(sysif, SYS.nanosleep, at(rqtp), at(rmtp))


async def gettimeofday(sysif: SyscallInterface, tv: Address | None, tz: Address | None) -> None:
    """Read the time of day. ``gettimeofday(2)``."""
    await checked(sysif, SYS.gettimeofday, at(tv), at(tz))


async def times(sysif: SyscallInterface, tbuf: Address | None) -> int:
    """Read process times; returns clock ticks, which may look like an error. ``times(2)``."""
    return await checked(sysif, SYS.times, at(tbuf))


async def adjtimex(sysif: SyscallInterface, txc_p: Address | None) -> int:
    """Tune the clock; returns its state. ``adjtimex(2)``."""
    return await checked(sysif, SYS.adjtimex, at(txc_p))


async def settimeofday(sysif: SyscallInterface, tv: Address | None, tz: Address | None) -> None:
    """Set the time of day. ``gettimeofday(2)``."""
    await checked(sysif, SYS.settimeofday, at(tv), at(tz))


async def time(sysif: SyscallInterface, tloc: Address | None) -> int:
    """Return the seconds since 1970. ``time(2)``."""
    return await checked(sysif, number_of("time"), at(tloc))


async def timer_create(
    sysif: SyscallInterface,
    which_clock: int,
    timer_event_spec: Address | None,
    created_timer_id: Address | None,
) -> None:
    """Make a timer; its id is written. ``timer_create(2)``."""
    await checked(
        sysif,
        SYS.timer_create,
        int32("which_clock", which_clock),
        at(timer_event_spec),
        at(created_timer_id),
    )


async def timer_settime(
    sysif: SyscallInterface,
    timer_id: int,
    flags: int,
    new_setting: Address | None,
    old_setting: Address | None,
) -> None:
    """Arm or disarm a timer. ``timer_settime(2)``."""
    await checked(
        sysif,
        SYS.timer_settime,
        int32("timer_id", timer_id),
        int32("flags", flags),
        at(new_setting),
        at(old_setting),
    )


async def timer_gettime(sysif: SyscallInterface, timer_id: int, setting: Address | None) -> None:
    """Read how long a timer has to go. ``timer_settime(2)``."""
    await checked(sysif, SYS.timer_gettime, int32("timer_id", timer_id), at(setting))


async def timer_getoverrun(sysif: SyscallInterface, timer_id: int) -> int:
    """Return how often a timer has expired since its signal. ``timer_getoverrun(2)``."""
    return await checked(sysif, SYS.timer_getoverrun, int32("timer_id", timer_id))


async def timer_delete(sysif: SyscallInterface, timer_id: int) -> None:
    """Remove a timer. ``timer_delete(2)``."""
    await checked(sysif, SYS.timer_delete, int32("timer_id", timer_id))


async def clock_settime(sysif: SyscallInterface, which_clock: int, tp: Address | None) -> None:
    """Set a clock. ``clock_gettime(2)``."""
    await checked(sysif, SYS.clock_settime, int32("which_clock", which_clock), at(tp))


async def clock_gettime(sysif: SyscallInterface, which_clock: int, tp: Address | None) -> None:
    """Read a clock. ``clock_gettime(2)``."""
    await checked(sysif, SYS.clock_gettime, int32("which_clock", which_clock), at(tp))


async def clock_getres(sysif: SyscallInterface, which_clock: int, tp: Address | None) -> None:
    """Read how fine a clock is. ``clock_getres(2)``."""
    await checked(sysif, SYS.clock_getres, int32("which_clock", which_clock), at(tp))


async def clock_nanosleep(
    sysif: SyscallInterface,
    which_clock: int,
    flags: int,
    rqtp: Address | None,
    rmtp: Address | None,
) -> None:
    """Sleep, by a clock. ``clock_nanosleep(2)``."""
    await checked(
        sysif,
        SYS.clock_nanosleep,
        int32("which_clock", which_clock),
        int32("flags", flags),
        at(rqtp),
        at(rmtp),
    )


async def clock_adjtime(sysif: SyscallInterface, which_clock: int, utx: Address | None) -> int:
    """Tune a clock; returns its state. ``adjtimex(2)``."""
    return await checked(sysif, SYS.clock_adjtime, int32("which_clock", which_clock), at(utx))
