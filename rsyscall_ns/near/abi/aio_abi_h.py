"""``<linux/aio_abi.h>``: the old asynchronous I/O."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .fs_h import RWF
from .layout import CStruct, c_struct, i16, i32, i64, u16, u32, u64

__all__ = ["IOCB_CMD", "IOCB_FLAG", "IoEvent", "Iocb"]


class IOCB_CMD(IntEnum):  # noqa: N801 - as in C
    """``IOCB_CMD_*``: what an operation does (``io_submit(2)``)."""

    PREAD = 0
    PWRITE = 1
    FSYNC = 2
    FDSYNC = 3
    POLL = 5
    NOOP = 6  # no kernel has it
    PREADV = 7
    PWRITEV = 8


class IOCB_FLAG(IntFlag):  # noqa: N801 - as in C
    """``IOCB_FLAG_*``: which optional fields have a meaning (``io_submit(2)``)."""

    NONE = 0
    RESFD = 1
    IOPRIO = 2


@c_struct
class Iocb(CStruct):
    """``struct iocb``: an operation."""

    C_NAME: ClassVar = "struct iocb"
    C_HEADER: ClassVar = "linux/aio_abi.h"
    data: int = u64(c_name="aio_data")
    key: int = u32(c_name="aio_key")
    rw_flags: RWF = i32(RWF, c_name="aio_rw_flags")
    lio_opcode: IOCB_CMD = u16(IOCB_CMD, c_name="aio_lio_opcode")
    reqprio: int = i16(c_name="aio_reqprio")
    fildes: int = u32(c_name="aio_fildes")
    buf: int = u64(c_name="aio_buf")
    nbytes: int = u64(c_name="aio_nbytes")
    offset: int = i64(c_name="aio_offset", then=8)
    flags: IOCB_FLAG = u32(IOCB_FLAG, c_name="aio_flags")
    resfd: int = u32(c_name="aio_resfd")


@c_struct
class IoEvent(CStruct):
    """``struct io_event``: an operation has ended. ``res``: as of the system call, or -errno."""

    C_NAME: ClassVar = "struct io_event"
    C_HEADER: ClassVar = "linux/aio_abi.h"
    data: int = u64()
    obj: int = u64()
    res: int = i64()
    res2: int = i64()
