"""``<time.h>``, ``<sys/time.h>``: times, clocks, and what timers are set to."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final, Self

from .layout import CStruct, c_struct, i64, nested

__all__ = ["CLOCK", "CPUCLOCK", "ITIMER", "TIMER", "Itimerspec", "Itimerval", "Timespec", "Timeval"]
__all__ += ["cpu_clock", "fd_clock"]

SECOND: Final = 1_000_000_000  # nanoseconds
_FD: Final = 3  # the kind of clock that an fd is
_THREAD: Final = 4


class CLOCK(IntEnum):
    """``CLOCK_*``: which clock (``clock_gettime(2)``)."""

    REALTIME = 0
    MONOTONIC = 1
    PROCESS_CPUTIME_ID = 2
    THREAD_CPUTIME_ID = 3
    MONOTONIC_RAW = 4
    REALTIME_COARSE = 5
    MONOTONIC_COARSE = 6
    BOOTTIME = 7
    REALTIME_ALARM = 8
    BOOTTIME_ALARM = 9
    TAI = 11
    AUX = 16  # Linux 6.18; there are eight, up to AUX_LAST
    AUX_LAST = 23


class CPUCLOCK(IntEnum):
    """What a clock of processor time counts: as ``ITIMER`` does, or precisely (``SCHED``)."""

    PROF = 0
    VIRT = 1
    SCHED = 2


class TIMER(IntFlag):
    """``TIMER_*``: a time is one of the clock, not from now on (``timer_settime(2)``)."""

    NONE = 0
    ABSTIME = 1


def fd_clock(number: int) -> int:
    """Return the id of the clock that an open fd is, such as that of a network card."""
    return (~number << 3) | _FD


def cpu_clock(pid: int, what: CPUCLOCK = CPUCLOCK.SCHED, *, thread: bool = False) -> int:
    """Return the id of the clock of a process's, or a thread's, processor time; 0: the own."""
    return (~pid << 3) | what | (_THREAD if thread else 0)


class ITIMER(IntEnum):
    """``ITIMER_*``: which interval timer (``getitimer(2)``)."""

    REAL = 0
    VIRTUAL = 1
    PROF = 2


@c_struct
class Timespec(CStruct):
    """``struct timespec``: seconds and nanoseconds."""

    C_NAME: ClassVar = "struct timespec"
    C_HEADER: ClassVar = "time.h"
    sec: int = i64(c_name="tv_sec")
    nsec: int = i64(c_name="tv_nsec")

    @property
    def ns(self) -> int:
        """All of it in nanoseconds."""
        return self.sec * SECOND + self.nsec

    @property
    def seconds(self) -> float:
        """All of it in seconds."""
        return self.ns / SECOND

    @classmethod
    def of_ns(cls, nanoseconds: int) -> Self:
        """Return so many nanoseconds."""
        return cls(*divmod(nanoseconds, SECOND))

    @classmethod
    def of(cls, seconds: float) -> Self:
        """Return so many seconds; one that lasts at all is never rounded down to 0."""
        return cls.of_ns(max(round(seconds * SECOND), seconds > 0))


@c_struct
class Itimerspec(CStruct):
    """``struct itimerspec``: when a timer expires next, and how often then (0: never again)."""

    C_NAME: ClassVar = "struct itimerspec"
    C_HEADER: ClassVar = "time.h"
    interval: Timespec = nested(Timespec, c_name="it_interval")
    value: Timespec = nested(Timespec, c_name="it_value")


@c_struct
class Timeval(CStruct):
    """``struct timeval``: seconds and microseconds."""

    C_NAME: ClassVar = "struct timeval"
    C_HEADER: ClassVar = "sys/time.h"
    sec: int = i64(c_name="tv_sec")
    usec: int = i64(c_name="tv_usec")


@c_struct
class Itimerval(CStruct):
    """``struct itimerval``: when a timer expires next, and how often then (0: never again)."""

    C_NAME: ClassVar = "struct itimerval"
    C_HEADER: ClassVar = "sys/time.h"
    interval: Timeval = nested(Timeval, c_name="it_interval")
    value: Timeval = nested(Timeval, c_name="it_value")
