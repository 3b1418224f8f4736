"""``<sys/mount.h>``, ``<linux/mount.h>``: the flags of all calls about mounts, and structs to give.

What ``statmount`` tells is in ``statmount_h.py``.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, u32, u64

__all__ = ["FSCONFIG", "FSMOUNT", "FSOPEN", "FSPICK", "LISTMOUNT", "LSMT_ROOT", "MOUNT_ATTR"]
__all__ += ["MOVE_MOUNT", "MS", "OPEN_TREE", "STATMOUNT", "UMOUNT", "MntIdReq", "MountAttr"]

LSMT_ROOT: Final = 2**64 - 1


class MS(IntFlag):
    """``MS_*`` (``mount(2)``)."""

    NONE = 0
    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    SYNCHRONOUS = 16
    REMOUNT = 32
    MANDLOCK = 64
    DIRSYNC = 128
    NOSYMFOLLOW = 256
    NOATIME = 1024
    NODIRATIME = 2048
    BIND = 4096
    MOVE = 8192
    REC = 16384
    SILENT = 32768
    POSIXACL = 1 << 16
    UNBINDABLE = 1 << 17
    PRIVATE = 1 << 18
    SLAVE = 1 << 19
    SHARED = 1 << 20
    RELATIME = 1 << 21
    STRICTATIME = 1 << 24
    LAZYTIME = 1 << 25


class UMOUNT(IntFlag):
    """``MNT_*`` and ``UMOUNT_*`` (``umount2(2)``)."""

    NONE = 0
    FORCE = 1
    DETACH = 2
    EXPIRE = 4
    NOFOLLOW = 8


class OPEN_TREE(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``OPEN_TREE_*`` (``open_tree(2)``), besides ``AT_*``."""

    NONE = 0
    CLONE = 1


class MOVE_MOUNT(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``MOVE_MOUNT_*`` (``move_mount(2)``)."""

    NONE = 0
    F_SYMLINKS = 1
    F_AUTOMOUNTS = 2
    F_EMPTY_PATH = 4
    T_SYMLINKS = 0x10
    T_AUTOMOUNTS = 0x20
    T_EMPTY_PATH = 0x40
    SET_GROUP = 0x100
    BENEATH = 0x200


class FSOPEN(IntFlag):
    """``FSOPEN_*`` (``fsopen(2)``)."""

    CLOEXEC = 1


class FSMOUNT(IntFlag):
    """``FSMOUNT_*`` (``fsmount(2)``)."""

    CLOEXEC = 1


class FSPICK(IntFlag):
    """``FSPICK_*`` (``fspick(2)``)."""

    NONE = 0
    CLOEXEC = 1
    SYMLINK_NOFOLLOW = 2
    NO_AUTOMOUNT = 4
    EMPTY_PATH = 8


class FSCONFIG(IntEnum):
    """``FSCONFIG_*``: commands of ``fsconfig(2)``."""

    SET_FLAG = 0
    SET_STRING = 1
    SET_BINARY = 2
    SET_PATH = 3
    SET_PATH_EMPTY = 4
    SET_FD = 5
    CMD_CREATE = 6
    CMD_RECONFIGURE = 7
    CMD_CREATE_EXCL = 8


class MOUNT_ATTR(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``MOUNT_ATTR_*``: attributes of one mount (``mount_setattr(2)``).

    ``ATIME``: the mask of RELATIME, NOATIME and STRICTATIME, to be cleared where one is set.
    """

    RELATIME = 0
    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    NOATIME = 0x10
    STRICTATIME = 0x20
    ATIME = 0x70
    NODIRATIME = 0x80
    IDMAP = 0x100000
    NOSYMFOLLOW = 0x200000


class LISTMOUNT(IntFlag):
    """``LISTMOUNT_*`` (``listmount(2)``)."""

    NONE = 0
    REVERSE = 1


class STATMOUNT(IntFlag):
    """``STATMOUNT_*``: what is asked of ``statmount(2)``, and what it has told."""

    SB_BASIC = 1
    MNT_BASIC = 2
    PROPAGATE_FROM = 4
    MNT_ROOT = 8
    MNT_POINT = 0x10
    FS_TYPE = 0x20
    MNT_NS_ID = 0x40
    MNT_OPTS = 0x80
    FS_SUBTYPE = 0x100
    SB_SOURCE = 0x200
    OPT_ARRAY = 0x400
    OPT_SEC_ARRAY = 0x800
    SUPPORTED_MASK = 0x1000
    MNT_UIDMAP = 0x2000
    MNT_GIDMAP = 0x4000


@c_struct
class MountAttr(CStruct):
    """``struct mount_attr``: what changes of a mount. ``propagation``: MS.SHARED and its like."""

    C_NAME: ClassVar = "struct mount_attr"
    C_HEADER: ClassVar = "linux/mount.h"
    attr_set: MOUNT_ATTR = u64(MOUNT_ATTR)
    attr_clr: MOUNT_ATTR = u64(MOUNT_ATTR)
    propagation: MS = u64(MS)
    userns_fd: int = u64()


@c_struct
class MntIdReq(CStruct):
    """``struct mnt_id_req``: which mount ``statmount`` and ``listmount`` are asked about."""

    C_NAME: ClassVar = "struct mnt_id_req"
    C_HEADER: ClassVar = "linux/mount.h"
    NEWER: ClassVar = frozenset(
        {"size", "mnt_ns_fd", "mnt_id", "param", "mnt_ns_id"}  # the struct came with Linux 6.8
    )
    size: int = u32(default=32)
    mnt_ns_fd: int = u32()
    mnt_id: int = u64()
    param: int = u64()
    mnt_ns_id: int = u64()
