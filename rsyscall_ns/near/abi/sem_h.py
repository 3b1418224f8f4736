"""``<linux/sem.h>``: System V semaphores; a set lies differently on the two machines."""

from __future__ import annotations

import os
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, ClassVar

from .ipc_h import Ipc64Perm
from .layout import CStruct, c_struct, i16, i32, i64, nested, u16, u64

__all__ = ["SEM", "SEMCTL", "Sembuf", "SemidDs", "Seminfo"]


class SEM(IntFlag):
    """``SEM_UNDO`` and ``IPC_NOWAIT``: how ``semop(2)`` makes one change."""

    NONE = 0
    UNDO = 0x1000
    NOWAIT = 0o4000


class SEMCTL(IntEnum):
    """The commands of ``semctl(2)``, without ``SEM_``."""

    GETPID = 11
    GETVAL = 12
    GETALL = 13
    GETNCNT = 14
    GETZCNT = 15
    SETVAL = 16
    SETALL = 17
    STAT = 18
    INFO = 19
    STAT_ANY = 20


@c_struct
class Sembuf(CStruct):
    """``struct sembuf``: what is added to one semaphore; 0 waits until it is zero."""

    C_NAME: ClassVar = "struct sembuf"
    C_HEADER: ClassVar = "linux/sem.h"
    num: int = u16(c_name="sem_num")
    op: int = i16(c_name="sem_op")
    flg: SEM = i16(SEM, c_name="sem_flg")


@c_struct
class SemidDsX86(CStruct):
    """``struct semid64_ds``: what a set of semaphores is; times in seconds since 1970."""

    C_NAME: ClassVar = "struct semid64_ds"
    C_HEADER: ClassVar = "linux/sem.h"
    MACHINES: ClassVar = frozenset({"x86_64"})
    perm: Ipc64Perm = nested(Ipc64Perm, c_name="sem_perm")
    otime: int = i64(c_name="sem_otime", then=8)
    ctime: int = i64(c_name="sem_ctime", then=8)
    nsems: int = u64(c_name="sem_nsems", then=16)


@c_struct
class SemidDsAarch64(CStruct):
    """``struct semid64_ds``: what a set of semaphores is; times in seconds since 1970."""

    C_NAME: ClassVar = "struct semid64_ds"
    C_HEADER: ClassVar = "linux/sem.h"
    MACHINES: ClassVar = frozenset({"aarch64"})
    perm: Ipc64Perm = nested(Ipc64Perm, c_name="sem_perm")
    otime: int = i64(c_name="sem_otime")
    ctime: int = i64(c_name="sem_ctime")
    nsems: int = u64(c_name="sem_nsems", then=16)


if TYPE_CHECKING or os.uname().machine == "x86_64":  # noqa: SIM108 - type checkers need it so
    SemidDs = SemidDsX86
else:
    SemidDs = SemidDsAarch64


@c_struct
class Seminfo(CStruct):
    """``struct seminfo``: the limits of a namespace, or what is used of them."""

    C_NAME: ClassVar = "struct seminfo"
    C_HEADER: ClassVar = "linux/sem.h"
    map: int = i32(c_name="semmap")
    mni: int = i32(c_name="semmni")
    mns: int = i32(c_name="semmns")
    mnu: int = i32(c_name="semmnu")
    msl: int = i32(c_name="semmsl")
    opm: int = i32(c_name="semopm")
    ume: int = i32(c_name="semume")
    usz: int = i32(c_name="semusz")
    vmx: int = i32(c_name="semvmx")
    aem: int = i32(c_name="semaem")
