"""``<linux/shm.h>``: System V shared memory."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .ipc_h import Ipc64Perm
from .layout import CStruct, c_struct, i32, i64, nested, u64

__all__ = ["SHM", "SHMCTL", "SHMGET", "ShmInfo", "ShmidDs", "Shminfo"]


class SHMGET(IntFlag):
    """``SHM_*`` and ``IPC_*`` of ``shmget(2)``; ``HUGE_*``: how large ``HUGETLB``'s pages are."""

    NONE = 0
    CREAT = 0o1000
    EXCL = 0o2000
    HUGETLB = 0o4000
    NORESERVE = 0o10000
    HUGE_64KB = 16 << 26
    HUGE_512KB = 19 << 26
    HUGE_1MB = 20 << 26
    HUGE_2MB = 21 << 26
    HUGE_8MB = 23 << 26
    HUGE_16MB = 24 << 26
    HUGE_32MB = 25 << 26
    HUGE_256MB = 28 << 26
    HUGE_512MB = 29 << 26
    HUGE_1GB = 30 << 26
    HUGE_2GB = 31 << 26
    HUGE_16GB = 34 << 26


class SHM(IntFlag):
    """``SHM_*`` of ``shmat(2)``: how a segment is mapped."""

    NONE = 0
    RDONLY = 0o10000
    RND = 0o20000
    REMAP = 0o40000
    EXEC = 0o100000


class SHMCTL(IntEnum):
    """``SHM_*`` of ``shmctl(2)``."""

    LOCK = 11
    UNLOCK = 12
    STAT = 13
    INFO = 14
    STAT_ANY = 15


@c_struct
class ShmidDs(CStruct):
    """``struct shmid64_ds``: what a segment is; bytes, and seconds since 1970."""

    C_NAME: ClassVar = "struct shmid64_ds"
    C_HEADER: ClassVar = "linux/shm.h"
    perm: Ipc64Perm = nested(Ipc64Perm, c_name="shm_perm")
    segsz: int = u64(c_name="shm_segsz")
    atime: int = i64(c_name="shm_atime")
    dtime: int = i64(c_name="shm_dtime")
    ctime: int = i64(c_name="shm_ctime")
    cpid: int = i32(c_name="shm_cpid")
    lpid: int = i32(c_name="shm_lpid")
    nattch: int = u64(c_name="shm_nattch", then=16)


@c_struct
class Shminfo(CStruct):
    """``struct shminfo64``: the limits of a namespace."""

    C_NAME: ClassVar = "struct shminfo64"
    C_HEADER: ClassVar = "linux/shm.h"
    max: int = u64(c_name="shmmax")
    min: int = u64(c_name="shmmin")
    mni: int = u64(c_name="shmmni")
    seg: int = u64(c_name="shmseg")
    all: int = u64(c_name="shmall", then=32)


@c_struct
class ShmInfo(CStruct):
    """``struct shm_info``: how much there is in a namespace; in pages."""

    C_NAME: ClassVar = "struct shm_info"
    C_HEADER: ClassVar = "linux/shm.h"
    used_ids: int = i32(then=4)
    tot: int = u64(c_name="shm_tot")
    rss: int = u64(c_name="shm_rss")
    swp: int = u64(c_name="shm_swp")
    swap_attempts: int = u64()
    swap_successes: int = u64()
