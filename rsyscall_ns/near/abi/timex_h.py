"""``<sys/timex.h>``: how a clock is tuned."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, i32, i64, nested, u32
from .time_h import Timeval

__all__ = ["ADJ", "STA", "TIME", "Timex"]


class ADJ(IntFlag):
    """``ADJ_*``: what is to be changed (``adjtimex(2)``)."""

    NONE = 0
    OFFSET = 0x0001
    FREQUENCY = 0x0002
    MAXERROR = 0x0004
    ESTERROR = 0x0008
    STATUS = 0x0010
    TIMECONST = 0x0020
    TAI = 0x0080
    SETOFFSET = 0x0100
    MICRO = 0x1000
    NANO = 0x2000
    TICK = 0x4000
    OFFSET_SINGLESHOT = 0x8001
    OFFSET_SS_READ = 0xA001


class STA(IntFlag):
    """``STA_*``: the status of a clock (``adjtimex(2)``)."""

    NONE = 0
    PLL = 0x0001
    PPSFREQ = 0x0002
    PPSTIME = 0x0004
    FLL = 0x0008
    INS = 0x0010
    DEL = 0x0020
    UNSYNC = 0x0040
    FREQHOLD = 0x0080
    PPSSIGNAL = 0x0100
    PPSJITTER = 0x0200
    PPSWANDER = 0x0400
    PPSERROR = 0x0800
    CLOCKERR = 0x1000
    NANO = 0x2000
    MODE = 0x4000
    CLK = 0x8000


class TIME(IntEnum):
    """``TIME_*``: the state of a clock, and of its leap second (``adjtimex(2)``)."""

    OK = 0
    INS = 1
    DEL = 2
    OOP = 3
    WAIT = 4
    ERROR = 5


@c_struct
class Timex(CStruct):
    """``struct timex``. ``modes`` says which fields are to be set; all are filled.

    ``freq``, ``ppsfreq``, ``stabil``: parts of a million, times 2**16. ``offset``, ``time``: in
    nanoseconds with ``STA.NANO``, else in microseconds.
    """

    C_NAME: ClassVar = "struct timex"
    C_HEADER: ClassVar = "sys/timex.h"
    modes: ADJ = u32(ADJ, then=4)
    offset: int = i64()
    freq: int = i64()
    maxerror: int = i64()
    esterror: int = i64()
    status: STA = i32(STA, then=4)
    constant: int = i64()
    precision: int = i64()
    tolerance: int = i64()
    time: Timeval = nested(Timeval)
    tick: int = i64()
    ppsfreq: int = i64()
    jitter: int = i64()
    shift: int = i32(then=4)
    stabil: int = i64()
    jitcnt: int = i64()
    calcnt: int = i64()
    errcnt: int = i64()
    stbcnt: int = i64()
    tai: int = i32(then=44)
