"""``<linux/fs.h>``: attributes of inodes, shared blocks, flags of single reads and writes."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, i64, u32, u64

__all__ = ["FICLONE", "FICLONERANGE", "FS_FL", "FS_IOC_GETFLAGS", "FS_IOC_SETFLAGS", "FS_XFLAG"]
__all__ += ["RWF", "FileAttr", "FileCloneRange"]

FICLONE: Final = 0x40049409
FICLONERANGE: Final = 0x4020940D
FS_IOC_GETFLAGS: Final = 0x80086601
FS_IOC_SETFLAGS: Final = 0x40086602


class FS_FL(IntFlag):  # noqa: N801 - the header's own names
    """``FS_*_FL``: the attributes that chattr sets (``FS_IOC_SETFLAGS(2const)``)."""

    NONE = 0
    SECRM = 1
    UNRM = 2
    COMPR = 4
    SYNC = 8
    IMMUTABLE = 0x10
    APPEND = 0x20
    NODUMP = 0x40
    NOATIME = 0x80
    DIRTY = 0x100
    COMPRBLK = 0x200
    NOCOMP = 0x400
    ENCRYPT = 0x800
    BTREE = 0x1000
    INDEX = 0x1000
    IMAGIC = 0x2000
    JOURNAL_DATA = 0x4000
    NOTAIL = 0x8000
    DIRSYNC = 0x10000
    TOPDIR = 0x20000
    HUGE_FILE = 0x40000
    EXTENT = 0x80000
    VERITY = 0x100000
    EA_INODE = 0x200000
    EOFBLOCKS = 0x400000
    NOCOW = 0x800000
    DAX = 0x2000000
    INLINE_DATA = 0x10000000
    PROJINHERIT = 0x20000000
    CASEFOLD = 0x40000000
    RESERVED = 0x80000000


class FS_XFLAG(IntFlag):  # noqa: N801 - the header's own prefix
    """``FS_XFLAG_*``: what ``file_getattr`` tells and ``file_setattr`` sets."""

    NONE = 0
    REALTIME = 1
    PREALLOC = 2
    IMMUTABLE = 8
    APPEND = 0x10
    SYNC = 0x20
    NOATIME = 0x40
    NODUMP = 0x80
    RTINHERIT = 0x100
    PROJINHERIT = 0x200
    NOSYMLINKS = 0x400
    EXTSIZE = 0x800
    EXTSZINHERIT = 0x1000
    NODEFRAG = 0x2000
    FILESTREAM = 0x4000
    DAX = 0x8000
    COWEXTSIZE = 0x10000
    HASATTR = 0x80000000


class RWF(IntFlag):
    """``RWF_*``: flags of one read or write (``preadv2(2)``)."""

    NONE = 0
    HIPRI = 1
    DSYNC = 2
    SYNC = 4
    NOWAIT = 8
    APPEND = 0x10
    NOAPPEND = 0x20
    ATOMIC = 0x40
    DONTCACHE = 0x80
    NOSIGNAL = 0x100


@c_struct
class FileCloneRange(CStruct):
    """``struct file_clone_range``: bytes; ``src_length`` 0 is up to the end."""

    C_NAME: ClassVar = "struct file_clone_range"
    C_HEADER: ClassVar = "linux/fs.h"
    src_fd: int = i64()
    src_offset: int = u64()
    src_length: int = u64()
    dest_offset: int = u64()


@c_struct
class FileAttr(CStruct):
    """``struct file_attr``: attributes that a file system has besides those of statx."""

    C_NAME: ClassVar = "struct file_attr"
    C_HEADER: ClassVar = "linux/fs.h"
    NEWER: ClassVar = frozenset(
        {"fa_xflags", "fa_extsize", "fa_nextents", "fa_projid", "fa_cowextsize"}
    )
    xflags: FS_XFLAG = u64(FS_XFLAG, c_name="fa_xflags")
    extsize: int = u32(c_name="fa_extsize")
    nextents: int = u32(c_name="fa_nextents")
    projid: int = u32(c_name="fa_projid")
    cowextsize: int = u32(c_name="fa_cowextsize")
