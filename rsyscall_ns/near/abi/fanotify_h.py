"""``<sys/fanotify.h>``: what a fanotify group watches."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, i32, u32

__all__ = ["FAN", "FAN_INIT", "FAN_MARK", "FAN_RESPONSE", "FanotifyResponse"]


class FAN(IntFlag):
    """``FAN_*``: events (``fanotify_mark(2)``)."""

    NONE = 0
    ACCESS = 1
    MODIFY = 2
    ATTRIB = 4
    CLOSE_WRITE = 8
    CLOSE_NOWRITE = 0x10
    CLOSE = 0x18
    OPEN = 0x20
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    MOVE = 0xC0
    CREATE = 0x100
    DELETE = 0x200
    DELETE_SELF = 0x400
    MOVE_SELF = 0x800
    OPEN_EXEC = 0x1000
    Q_OVERFLOW = 0x4000
    FS_ERROR = 0x8000
    OPEN_PERM = 0x10000
    ACCESS_PERM = 0x20000
    OPEN_EXEC_PERM = 0x40000
    PRE_ACCESS = 0x100000
    MNT_ATTACH = 0x1000000
    MNT_DETACH = 0x2000000
    EVENT_ON_CHILD = 0x8000000
    RENAME = 0x10000000
    ONDIR = 0x40000000


class FAN_INIT(IntFlag):  # noqa: N801 - the manual page's own prefix, and the call's name
    """``FAN_*``: flags of a group (``fanotify_init(2)``)."""

    CLASS_NOTIF = 0
    CLOEXEC = 1
    NONBLOCK = 2
    CLASS_CONTENT = 4
    CLASS_PRE_CONTENT = 8
    UNLIMITED_QUEUE = 0x10
    UNLIMITED_MARKS = 0x20
    ENABLE_AUDIT = 0x40
    REPORT_PIDFD = 0x80
    REPORT_TID = 0x100
    REPORT_FID = 0x200
    REPORT_DIR_FID = 0x400
    REPORT_NAME = 0x800
    REPORT_DFID_NAME = 0xC00
    REPORT_TARGET_FID = 0x1000
    REPORT_DFID_NAME_TARGET = 0x1E00
    REPORT_FD_ERROR = 0x2000
    REPORT_MNT = 0x4000


class FAN_MARK(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``FAN_MARK_*``: what is marked, and how (``fanotify_mark(2)``)."""

    INODE = 0
    ADD = 1
    REMOVE = 2
    DONT_FOLLOW = 4
    ONLYDIR = 8
    MOUNT = 0x10
    IGNORED_MASK = 0x20
    IGNORED_SURV_MODIFY = 0x40
    FLUSH = 0x80
    FILESYSTEM = 0x100
    MNTNS = 0x110
    EVICTABLE = 0x200
    IGNORE = 0x400
    IGNORE_SURV = 0x440


class FAN_RESPONSE(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``FAN_ALLOW``, ``FAN_DENY``, ``FAN_AUDIT``: the answer to a permission event."""

    ALLOW = 1
    DENY = 2
    AUDIT = 0x10


@c_struct
class FanotifyResponse(CStruct):
    """``struct fanotify_response``: whether the file may be used so."""

    C_NAME: ClassVar = "struct fanotify_response"
    C_HEADER: ClassVar = "linux/fanotify.h"
    fd: int = i32()
    response: FAN_RESPONSE = u32(FAN_RESPONSE)
