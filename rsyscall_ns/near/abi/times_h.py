"""``<sys/times.h>``: processor times in clock ticks."""

from __future__ import annotations

from typing import ClassVar

from .layout import CStruct, c_struct, i64

__all__ = ["Tms"]


@c_struct
class Tms(CStruct):
    """``struct tms``: of the process, and of its children that were waited for; clock ticks."""

    C_NAME: ClassVar = "struct tms"
    C_HEADER: ClassVar = "sys/times.h"
    utime: int = i64(c_name="tms_utime")
    stime: int = i64(c_name="tms_stime")
    cutime: int = i64(c_name="tms_cutime")
    cstime: int = i64(c_name="tms_cstime")
