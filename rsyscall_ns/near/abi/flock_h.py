"""``<fcntl.h>`` and ``<sys/file.h>``: locks and leases of files."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, i16, i32, i64

__all__ = ["LOCK", "Flock", "LockType"]


class LOCK(IntFlag):
    """``LOCK_*`` (``flock(2)``)."""

    SH = 1
    EX = 2
    NB = 4
    UN = 8


class LockType(IntEnum):
    """``F_RDLCK``, ``F_WRLCK``, ``F_UNLCK``: kinds of record locks and of leases (``fcntl(2)``)."""

    RDLCK = 0
    WRLCK = 1
    UNLCK = 2


@c_struct
class Flock(CStruct):
    """``struct flock``: a lock of part of a file; ``len`` 0 is up to its end, however it grows.

    ``pid`` is filled by the kernel: who holds it, -1 for an open file's. It must be 0 otherwise.
    """

    C_NAME: ClassVar = "struct flock"
    C_HEADER: ClassVar = "fcntl.h"
    type: LockType = i16(LockType, c_name="l_type")
    whence: int = i16(c_name="l_whence")
    start: int = i64(c_name="l_start")
    len: int = i64(c_name="l_len")
    pid: int = i32(c_name="l_pid")
