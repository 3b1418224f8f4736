"""``<linux/sysinfo.h>``: memory, swap and load."""

from __future__ import annotations

from typing import ClassVar, Final

from .layout import CStruct, c_struct, i64, u16, u32, u64

__all__ = ["LOAD", "Sysinfo"]

LOAD: Final = 65536  # a load of 1


@c_struct
class Sysinfo(CStruct):
    """``struct sysinfo``. ``uptime``: in seconds; memory: in units of ``mem_unit`` bytes.

    ``load1``, ``load5``, ``load15``: over so many minutes, in units of ``LOAD``.
    """

    C_NAME: ClassVar = "struct sysinfo"
    C_HEADER: ClassVar = "linux/sysinfo.h"
    uptime: int = i64()
    load1: int = u64(c_name="loads[0]")
    load5: int = u64(c_name="loads[1]")
    load15: int = u64(c_name="loads[2]")
    totalram: int = u64()
    freeram: int = u64()
    sharedram: int = u64()
    bufferram: int = u64()
    totalswap: int = u64()
    freeswap: int = u64()
    procs: int = u16()
    totalhigh: int = u64()
    freehigh: int = u64()
    mem_unit: int = u32()
