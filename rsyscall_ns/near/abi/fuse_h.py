"""``<linux/fuse.h>``: what the kernel and the server of a file system in user space say.

Version 7.45. How a message is put together is in ``fuse_messages.py``.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .ioctl_h import io_none, io_read, io_write
from .layout import CStruct, c_struct, i32, nested, u16, u32, u64

__all__ = ["FUSE_DEV_IOC_BACKING_CLOSE", "FUSE_DEV_IOC_BACKING_OPEN", "FUSE_DEV_IOC_CLONE"]
__all__ += ["FOPEN", "FUSE_DEV_IOC_SYNC_INIT", "FUSE_KERNEL_VERSION", "FUSE_MIN_READ_BUFFER"]
__all__ += ["FUSE", "FUSE_INIT", "FUSE_NOTIFY", "FUSE_ROOT_ID", "HEADER", "FuseAttr"]
__all__ += ["FuseAttrOut", "FuseCreateIn", "FuseEntryOut", "FuseFlushIn", "FuseGetattrIn"]
__all__ += ["FuseInHeader", "FuseInitIn", "FuseInitOut", "FuseOpenIn", "FuseOpenOut"]
__all__ += ["FuseOutHeader", "FuseReadIn", "FuseReleaseIn", "FuseWriteIn"]
__all__ += ["FuseWriteOut"]

HEADER: Final = "stdint.h linux/fuse.h"
MAGIC: Final = 229
FUSE_DEV_IOC_CLONE: Final = io_read(MAGIC, 0, 4)
FUSE_DEV_IOC_BACKING_OPEN: Final = io_write(MAGIC, 1, 16)
FUSE_DEV_IOC_BACKING_CLOSE: Final = io_write(MAGIC, 2, 4)
FUSE_DEV_IOC_SYNC_INIT: Final = io_none(MAGIC, 3)
FUSE_KERNEL_VERSION: Final = 7
FUSE_ROOT_ID: Final = 1
FUSE_MIN_READ_BUFFER: Final = 8192


class FUSE(IntEnum):
    """``FUSE_*``: what is asked of the server."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    SETXATTR = 21
    GETXATTR = 22
    LISTXATTR = 23
    REMOVEXATTR = 24
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    GETLK = 31
    SETLK = 32
    SETLKW = 33
    ACCESS = 34
    CREATE = 35
    INTERRUPT = 36
    BMAP = 37
    DESTROY = 38
    IOCTL = 39
    POLL = 40
    NOTIFY_REPLY = 41
    BATCH_FORGET = 42
    FALLOCATE = 43
    READDIRPLUS = 44
    RENAME2 = 45
    LSEEK = 46
    COPY_FILE_RANGE = 47
    SETUPMAPPING = 48
    REMOVEMAPPING = 49
    SYNCFS = 50
    TMPFILE = 51
    STATX = 52
    COPY_FILE_RANGE_64 = 53


class FUSE_NOTIFY(IntEnum):  # noqa: N801 - the header's own prefix
    """``FUSE_NOTIFY_*``: what the server tells the kernel without being asked."""

    POLL = 1
    INVAL_INODE = 2
    INVAL_ENTRY = 3
    STORE = 4
    RETRIEVE = 5
    DELETE = 6
    RESEND = 7
    INC_EPOCH = 8
    PRUNE = 9


class FUSE_INIT(IntFlag):  # noqa: N801 - those ``FUSE_*`` that INIT tells
    """Flags of INIT: what each side can do. Those from bit 32 on travel in ``flags2``."""

    NONE = 0
    ASYNC_READ = 1 << 0
    POSIX_LOCKS = 1 << 1
    FILE_OPS = 1 << 2
    ATOMIC_O_TRUNC = 1 << 3
    EXPORT_SUPPORT = 1 << 4
    BIG_WRITES = 1 << 5
    DONT_MASK = 1 << 6
    SPLICE_WRITE = 1 << 7
    SPLICE_MOVE = 1 << 8
    SPLICE_READ = 1 << 9
    FLOCK_LOCKS = 1 << 10
    HAS_IOCTL_DIR = 1 << 11
    AUTO_INVAL_DATA = 1 << 12
    DO_READDIRPLUS = 1 << 13
    READDIRPLUS_AUTO = 1 << 14
    ASYNC_DIO = 1 << 15
    WRITEBACK_CACHE = 1 << 16
    NO_OPEN_SUPPORT = 1 << 17
    PARALLEL_DIROPS = 1 << 18
    HANDLE_KILLPRIV = 1 << 19
    POSIX_ACL = 1 << 20
    ABORT_ERROR = 1 << 21
    MAX_PAGES = 1 << 22
    CACHE_SYMLINKS = 1 << 23
    NO_OPENDIR_SUPPORT = 1 << 24
    EXPLICIT_INVAL_DATA = 1 << 25
    MAP_ALIGNMENT = 1 << 26
    SUBMOUNTS = 1 << 27
    HANDLE_KILLPRIV_V2 = 1 << 28
    SETXATTR_EXT = 1 << 29
    INIT_EXT = 1 << 30
    SECURITY_CTX = 1 << 32
    HAS_INODE_DAX = 1 << 33
    CREATE_SUPP_GROUP = 1 << 34
    HAS_EXPIRE_ONLY = 1 << 35
    DIRECT_IO_ALLOW_MMAP = 1 << 36
    PASSTHROUGH = 1 << 37
    NO_EXPORT_SUPPORT = 1 << 38
    HAS_RESEND = 1 << 39
    ALLOW_IDMAP = 1 << 40
    OVER_IO_URING = 1 << 41
    REQUEST_TIMEOUT = 1 << 42


class FOPEN(IntFlag):
    """``FOPEN_*``: how a file was opened, as the answer to OPEN tells."""

    NONE = 0
    DIRECT_IO = 1
    KEEP_CACHE = 2
    NONSEEKABLE = 4
    CACHE_DIR = 8
    STREAM = 0x10
    NOFLUSH = 0x20
    PARALLEL_DIRECT_WRITES = 0x40
    PASSTHROUGH = 0x80


@c_struct
class FuseInHeader(CStruct):
    """``struct fuse_in_header``: what stands before a request."""

    C_NAME: ClassVar = "struct fuse_in_header"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"total_extlen"})
    len: int = u32()
    opcode: FUSE | int = u32(FUSE)
    unique: int = u64()
    nodeid: int = u64()
    uid: int = u32()
    gid: int = u32()
    pid: int = u32()
    total_extlen: int = u16(then=2)


@c_struct
class FuseOutHeader(CStruct):
    """``struct fuse_out_header``: what stands before an answer; ``error``: 0 or minus an errno."""

    C_NAME: ClassVar = "struct fuse_out_header"
    C_HEADER: ClassVar = HEADER
    len: int = u32()
    error: int = i32()
    unique: int = u64()


@c_struct
class FuseInitIn(CStruct):
    """``struct fuse_init_in``: what the kernel can do."""

    C_NAME: ClassVar = "struct fuse_init_in"
    C_HEADER: ClassVar = HEADER
    major: int = u32()
    minor: int = u32()
    max_readahead: int = u32()
    flags: int = u32()
    flags2: int = u32(then=11 * 4)

    @property
    def all_flags(self) -> FUSE_INIT:
        """All flags, from both fields."""
        return FUSE_INIT(self.flags | self.flags2 << 32)


@c_struct
class FuseInitOut(CStruct):
    """``struct fuse_init_out``: what the server can do."""

    C_NAME: ClassVar = "struct fuse_init_out"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"max_stack_depth", "request_timeout"})
    major: int = u32()
    minor: int = u32()
    max_readahead: int = u32()
    flags: int = u32()
    max_background: int = u16()
    congestion_threshold: int = u16()
    max_write: int = u32()
    time_gran: int = u32()
    max_pages: int = u16()
    map_alignment: int = u16()
    flags2: int = u32()
    max_stack_depth: int = u32()
    request_timeout: int = u16(then=11 * 2)


@c_struct
class FuseAttr(CStruct):
    """``struct fuse_attr``: what a file is."""

    C_NAME: ClassVar = "struct fuse_attr"
    C_HEADER: ClassVar = HEADER
    ino: int = u64()
    size: int = u64()
    blocks: int = u64()
    atime: int = u64()
    mtime: int = u64()
    ctime: int = u64()
    atimensec: int = u32()
    mtimensec: int = u32()
    ctimensec: int = u32()
    mode: int = u32()
    nlink: int = u32()
    uid: int = u32()
    gid: int = u32()
    rdev: int = u32()
    blksize: int = u32()
    flags: int = u32()


@c_struct
class FuseEntryOut(CStruct):
    """``struct fuse_entry_out``: the answer to LOOKUP and its like; seconds that it holds."""

    C_NAME: ClassVar = "struct fuse_entry_out"
    C_HEADER: ClassVar = HEADER
    nodeid: int = u64()
    generation: int = u64()
    entry_valid: int = u64()
    attr_valid: int = u64()
    entry_valid_nsec: int = u32()
    attr_valid_nsec: int = u32()
    attr: FuseAttr = nested(FuseAttr)


@c_struct
class FuseAttrOut(CStruct):
    """``struct fuse_attr_out``: the answer to GETATTR and SETATTR."""

    C_NAME: ClassVar = "struct fuse_attr_out"
    C_HEADER: ClassVar = HEADER
    attr_valid: int = u64()
    attr_valid_nsec: int = u32(then=4)
    attr: FuseAttr = nested(FuseAttr)


@c_struct
class FuseGetattrIn(CStruct):
    """``struct fuse_getattr_in``."""

    C_NAME: ClassVar = "struct fuse_getattr_in"
    C_HEADER: ClassVar = HEADER
    getattr_flags: int = u32(then=4)
    fh: int = u64()


@c_struct
class FuseOpenIn(CStruct):
    """``struct fuse_open_in``: of OPEN and OPENDIR."""

    C_NAME: ClassVar = "struct fuse_open_in"
    C_HEADER: ClassVar = HEADER
    flags: int = u32()
    open_flags: int = u32()


@c_struct
class FuseCreateIn(CStruct):
    """``struct fuse_create_in``; the name follows."""

    C_NAME: ClassVar = "struct fuse_create_in"
    C_HEADER: ClassVar = HEADER
    flags: int = u32()
    mode: int = u32()
    umask: int = u32()
    open_flags: int = u32()


@c_struct
class FuseOpenOut(CStruct):
    """``struct fuse_open_out``: ``fh`` comes back with every request about the open file."""

    C_NAME: ClassVar = "struct fuse_open_out"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"backing_id"})
    fh: int = u64()
    open_flags: FOPEN = u32(FOPEN)
    backing_id: int = i32()


@c_struct
class FuseReleaseIn(CStruct):
    """``struct fuse_release_in``: of RELEASE and RELEASEDIR."""

    C_NAME: ClassVar = "struct fuse_release_in"
    C_HEADER: ClassVar = HEADER
    fh: int = u64()
    flags: int = u32()
    release_flags: int = u32()
    lock_owner: int = u64()


@c_struct
class FuseFlushIn(CStruct):
    """``struct fuse_flush_in``."""

    C_NAME: ClassVar = "struct fuse_flush_in"
    C_HEADER: ClassVar = HEADER
    fh: int = u64(then=8)
    lock_owner: int = u64()


@c_struct
class FuseReadIn(CStruct):
    """``struct fuse_read_in``: of READ and READDIR."""

    C_NAME: ClassVar = "struct fuse_read_in"
    C_HEADER: ClassVar = HEADER
    fh: int = u64()
    offset: int = u64()
    size: int = u32()
    read_flags: int = u32()
    lock_owner: int = u64()
    flags: int = u32(then=4)


@c_struct
class FuseWriteIn(CStruct):
    """``struct fuse_write_in``; the data follow."""

    C_NAME: ClassVar = "struct fuse_write_in"
    C_HEADER: ClassVar = HEADER
    fh: int = u64()
    offset: int = u64()
    size: int = u32()
    write_flags: int = u32()
    lock_owner: int = u64()
    flags: int = u32(then=4)


@c_struct
class FuseWriteOut(CStruct):
    """``struct fuse_write_out``."""

    C_NAME: ClassVar = "struct fuse_write_out"
    C_HEADER: ClassVar = HEADER
    size: int = u32(then=4)
