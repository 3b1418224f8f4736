"""``<asm/statfs.h>``: what statfs writes."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, chars, i64, nested, u64

__all__ = ["ST", "Fsid", "Statfs"]


class ST(IntFlag):
    """``ST_*``: how a file system is mounted (``statfs(2)``)."""

    NONE = 0
    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    SYNCHRONOUS = 16
    VALID = 32
    MANDLOCK = 64
    NOATIME = 1024
    NODIRATIME = 2048
    RELATIME = 4096
    NOSYMFOLLOW = 8192


@c_struct
class Fsid(CStruct):
    """``__kernel_fsid_t``: together with a file's number it names the file."""

    C_NAME: ClassVar = "__kernel_fsid_t"
    C_HEADER: ClassVar = "asm/posix_types.h"
    val: bytes = chars(8, alignment=4)


@c_struct
class Statfs(CStruct):
    """``struct statfs``: what a file system is, and how full; sizes in blocks of ``bsize``."""

    C_NAME: ClassVar = "struct statfs"
    C_HEADER: ClassVar = "asm/statfs.h"
    type: int = i64(c_name="f_type")
    bsize: int = i64(c_name="f_bsize")
    blocks: int = u64(c_name="f_blocks")
    bfree: int = u64(c_name="f_bfree")
    bavail: int = u64(c_name="f_bavail")
    files: int = u64(c_name="f_files")
    ffree: int = u64(c_name="f_ffree")
    fsid: Fsid = nested(Fsid, c_name="f_fsid")
    namelen: int = i64(c_name="f_namelen")
    frsize: int = i64(c_name="f_frsize")
    flags: ST = u64(ST, c_name="f_flags", then=32)
