"""``<asm/stat.h>``: what fstat and newfstatat write, on each machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from .layout import CStruct, c_struct, i32, i64, u32, u64

__all__ = ["Stat"]


@c_struct
class StatX86(CStruct):
    """``struct stat``: what a file is. ``size`` in bytes, ``blocks`` of 512 bytes."""

    C_NAME: ClassVar = "struct stat"
    C_HEADER: ClassVar = "asm/stat.h"
    MACHINES: ClassVar = frozenset({"x86_64"})
    dev: int = u64(c_name="st_dev")
    ino: int = u64(c_name="st_ino")
    nlink: int = u64(c_name="st_nlink")
    mode: int = u32(c_name="st_mode")
    uid: int = u32(c_name="st_uid")
    gid: int = u32(c_name="st_gid", then=4)
    rdev: int = u64(c_name="st_rdev")
    size: int = i64(c_name="st_size")
    blksize: int = i64(c_name="st_blksize")
    blocks: int = i64(c_name="st_blocks")
    atime: int = i64(c_name="st_atime")
    atime_nsec: int = u64(c_name="st_atime_nsec")
    mtime: int = i64(c_name="st_mtime")
    mtime_nsec: int = u64(c_name="st_mtime_nsec")
    ctime: int = i64(c_name="st_ctime")
    ctime_nsec: int = u64(c_name="st_ctime_nsec", then=24)


@c_struct
class StatAarch64(CStruct):
    """``struct stat``: what a file is. ``size`` in bytes, ``blocks`` of 512 bytes."""

    C_NAME: ClassVar = "struct stat"
    C_HEADER: ClassVar = "asm/stat.h"
    MACHINES: ClassVar = frozenset({"aarch64"})
    dev: int = u64(c_name="st_dev")
    ino: int = u64(c_name="st_ino")
    mode: int = u32(c_name="st_mode")
    nlink: int = u32(c_name="st_nlink")
    uid: int = u32(c_name="st_uid")
    gid: int = u32(c_name="st_gid")
    rdev: int = u64(c_name="st_rdev", then=8)
    size: int = i64(c_name="st_size")
    blksize: int = i32(c_name="st_blksize", then=4)
    blocks: int = i64(c_name="st_blocks")
    atime: int = i64(c_name="st_atime")
    atime_nsec: int = u64(c_name="st_atime_nsec")
    mtime: int = i64(c_name="st_mtime")
    mtime_nsec: int = u64(c_name="st_mtime_nsec")
    ctime: int = i64(c_name="st_ctime")
    ctime_nsec: int = u64(c_name="st_ctime_nsec", then=8)


if TYPE_CHECKING or os.uname().machine == "x86_64":  # noqa: SIM108 - type checkers need it so
    Stat = StatX86
else:
    Stat = StatAarch64
