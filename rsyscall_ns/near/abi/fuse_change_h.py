"""``<linux/fuse.h>``: structs of requests that change a file system, or are about it as a whole."""

from __future__ import annotations

from typing import ClassVar

from .fuse_h import HEADER
from .layout import CStruct, c_struct, i32, i64, u32, u64

__all__ = ["FuseAccessIn", "FuseBackingMap", "FuseDirentHead", "FuseForgetIn", "FuseInterruptIn"]
__all__ += ["FuseKstatfs", "FuseMkdirIn", "FuseMknodIn", "FuseNotifyInvalEntryOut"]
__all__ += ["FuseNotifyInvalInodeOut", "FuseRename2In", "FuseSetattrIn"]


@c_struct
class FuseMknodIn(CStruct):
    """``struct fuse_mknod_in``; the name follows."""

    C_NAME: ClassVar = "struct fuse_mknod_in"
    C_HEADER: ClassVar = HEADER
    mode: int = u32()
    rdev: int = u32()
    umask: int = u32(then=4)


@c_struct
class FuseMkdirIn(CStruct):
    """``struct fuse_mkdir_in``; the name follows."""

    C_NAME: ClassVar = "struct fuse_mkdir_in"
    C_HEADER: ClassVar = HEADER
    mode: int = u32()
    umask: int = u32()


@c_struct
class FuseRename2In(CStruct):
    """``struct fuse_rename2_in``; both names follow."""

    C_NAME: ClassVar = "struct fuse_rename2_in"
    C_HEADER: ClassVar = HEADER
    newdir: int = u64()
    flags: int = u32(then=4)


@c_struct
class FuseForgetIn(CStruct):
    """``struct fuse_forget_in``: how many lookups of a node are forgotten. It has no answer."""

    C_NAME: ClassVar = "struct fuse_forget_in"
    C_HEADER: ClassVar = HEADER
    nlookup: int = u64()


@c_struct
class FuseInterruptIn(CStruct):
    """``struct fuse_interrupt_in``: which request nobody waits for any more. It has no answer."""

    C_NAME: ClassVar = "struct fuse_interrupt_in"
    C_HEADER: ClassVar = HEADER
    unique: int = u64()


@c_struct
class FuseAccessIn(CStruct):
    """``struct fuse_access_in``."""

    C_NAME: ClassVar = "struct fuse_access_in"
    C_HEADER: ClassVar = HEADER
    mask: int = u32(then=4)


@c_struct
class FuseKstatfs(CStruct):
    """``struct fuse_kstatfs``: the answer to STATFS."""

    C_NAME: ClassVar = "struct fuse_kstatfs"
    C_HEADER: ClassVar = HEADER
    blocks: int = u64()
    bfree: int = u64()
    bavail: int = u64()
    files: int = u64()
    ffree: int = u64()
    bsize: int = u32()
    namelen: int = u32()
    frsize: int = u32(then=7 * 4)


@c_struct
class FuseDirentHead(CStruct):
    """``struct fuse_dirent``, without the name that follows it."""

    C_NAME: ClassVar = "struct fuse_dirent"
    C_HEADER: ClassVar = HEADER
    ino: int = u64()
    off: int = u64()
    namelen: int = u32()
    type: int = u32()


@c_struct
class FuseNotifyInvalInodeOut(CStruct):
    """``struct fuse_notify_inval_inode_out``: what is cached of a file, from ``off`` on, is old.

    ``len``: 0 or less is up to the end; ``off`` less than 0: only the attributes.
    """

    C_NAME: ClassVar = "struct fuse_notify_inval_inode_out"
    C_HEADER: ClassVar = HEADER
    ino: int = u64()
    off: int = i64()
    len: int = i64()


@c_struct
class FuseNotifyInvalEntryOut(CStruct):
    """``struct fuse_notify_inval_entry_out``: a name is not what it was; it follows, with a NUL."""

    C_NAME: ClassVar = "struct fuse_notify_inval_entry_out"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"flags"})
    parent: int = u64()
    namelen: int = u32()
    flags: int = u32()


@c_struct
class FuseBackingMap(CStruct):
    """``struct fuse_backing_map``: a file that stands for one of the file system."""

    C_NAME: ClassVar = "struct fuse_backing_map"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"fd", "flags"})
    fd: int = i32()
    flags: int = u32(then=8)


@c_struct
class FuseSetattrIn(CStruct):
    """``struct fuse_setattr_in``; ``valid``: which of them are to be set, as FATTR bits."""

    C_NAME: ClassVar = "struct fuse_setattr_in"
    C_HEADER: ClassVar = HEADER
    valid: int = u32(then=4)
    fh: int = u64()
    size: int = u64()
    lock_owner: int = u64()
    atime: int = u64()
    mtime: int = u64()
    ctime: int = u64()
    atimensec: int = u32()
    mtimensec: int = u32()
    ctimensec: int = u32()
    mode: int = u32(then=4)
    uid: int = u32()
    gid: int = u32(then=4)
