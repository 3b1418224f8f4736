"""``<sys/resource.h>``: limits, what was used, and whom a priority is of."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, Final

from .layout import CStruct, c_struct, i64, nested, u64
from .time_h import Timeval

__all__ = ["NICE", "PRIO", "RLIMIT", "RLIM_INFINITY", "RUSAGE", "Rlimit", "Rusage"]

RLIM_INFINITY: Final = 2**64 - 1
NICE: Final = (-20, 19)


class RLIMIT(IntEnum):
    """``RLIMIT_*``: what is limited (``getrlimit(2)``)."""

    CPU = 0
    FSIZE = 1
    DATA = 2
    STACK = 3
    CORE = 4
    RSS = 5
    NPROC = 6
    NOFILE = 7
    MEMLOCK = 8
    AS = 9
    LOCKS = 10
    SIGPENDING = 11
    MSGQUEUE = 12
    NICE = 13
    RTPRIO = 14
    RTTIME = 15


class PRIO(IntEnum):
    """``PRIO_*``: what the id is of which the nice value is (``getpriority(2)``)."""

    PROCESS = 0
    PGRP = 1
    USER = 2


class RUSAGE(IntEnum):
    """``RUSAGE_*``: what has used it (``getrusage(2)``)."""

    CHILDREN = -1
    SELF = 0
    THREAD = 1


@c_struct
class Rlimit(CStruct):
    """``struct rlimit64``: a limit, and up to where it may be raised. ``RLIM_INFINITY``: none."""

    C_NAME: ClassVar = "struct rlimit64"
    C_HEADER: ClassVar = "sys/resource.h"
    soft: int = u64(c_name="rlim_cur")
    hard: int = u64(c_name="rlim_max")


@c_struct
class Rusage(CStruct):
    """``struct rusage``: what was used. ``maxrss``: in KiB."""

    C_NAME: ClassVar = "struct rusage"
    C_HEADER: ClassVar = "sys/resource.h"
    utime: Timeval = nested(Timeval, c_name="ru_utime")
    stime: Timeval = nested(Timeval, c_name="ru_stime")
    maxrss: int = i64(c_name="ru_maxrss")
    ixrss: int = i64(c_name="ru_ixrss")
    idrss: int = i64(c_name="ru_idrss")
    isrss: int = i64(c_name="ru_isrss")
    minflt: int = i64(c_name="ru_minflt")
    majflt: int = i64(c_name="ru_majflt")
    nswap: int = i64(c_name="ru_nswap")
    inblock: int = i64(c_name="ru_inblock")
    oublock: int = i64(c_name="ru_oublock")
    msgsnd: int = i64(c_name="ru_msgsnd")
    msgrcv: int = i64(c_name="ru_msgrcv")
    nsignals: int = i64(c_name="ru_nsignals")
    nvcsw: int = i64(c_name="ru_nvcsw")
    nivcsw: int = i64(c_name="ru_nivcsw")
