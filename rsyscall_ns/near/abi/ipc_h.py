"""``<linux/ipc.h>``: what all kinds of System V IPC have."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, i32, u16, u32

__all__ = ["IPC", "IPC_CTL", "IPC_PRIVATE", "Ipc64Perm"]

IPC_PRIVATE: Final = 0  # the key of an object that is always new


class IPC(IntFlag):
    """``IPC_*``: how an object is found or made by its key."""

    NONE = 0
    CREAT = 0o1000
    EXCL = 0o2000
    NOWAIT = 0o4000


class IPC_CTL(IntEnum):  # noqa: N801 - the commands that all three *ctl calls share
    """``IPC_*``: what ``msgctl(2)``, ``semctl(2)`` and ``shmctl(2)`` all do."""

    RMID = 0
    SET = 1
    STAT = 2
    INFO = 3


@c_struct
class Ipc64Perm(CStruct):
    """``struct ipc64_perm``: whose an object is, and who may use it."""

    C_NAME: ClassVar = "struct ipc64_perm"
    C_HEADER: ClassVar = "linux/ipc.h"
    key: int = i32()
    uid: int = u32()
    gid: int = u32()
    cuid: int = u32()
    cgid: int = u32()
    mode: int = u32()
    seq: int = u16(then=22)
