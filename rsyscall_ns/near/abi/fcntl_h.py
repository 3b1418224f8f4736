"""``<fcntl.h>``: opening files, fd flags, ``*at`` flags."""

from __future__ import annotations

import os
from enum import IntFlag
from typing import Final

__all__ = ["AT", "AT_FDCWD", "CLOSE_RANGE_CLOEXEC", "FD_CLOEXEC", "F_DUPFD_CLOEXEC", "F_GETFD"]
__all__ += ["F_GETFL", "F_SETFD", "F_SETFL", "SEEK_CUR", "SEEK_END", "SEEK_SET", "O"]

AT_FDCWD: Final = -100
F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 1, 2, 3, 4, 1030
FD_CLOEXEC: Final = 1
CLOSE_RANGE_CLOEXEC: Final = 4
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2


class O(IntFlag):  # noqa: E742 - the manual page's own prefix
    """``O_*`` (``open(2)``); the values differ between architectures."""

    RDONLY = 0
    WRONLY = os.O_WRONLY
    RDWR = os.O_RDWR
    CREAT = os.O_CREAT
    EXCL = os.O_EXCL
    NOCTTY = os.O_NOCTTY
    TRUNC = os.O_TRUNC
    APPEND = os.O_APPEND
    NONBLOCK = os.O_NONBLOCK
    DSYNC = os.O_DSYNC
    SYNC = os.O_SYNC
    ASYNC = os.O_ASYNC
    DIRECT = os.O_DIRECT
    DIRECTORY = os.O_DIRECTORY
    NOFOLLOW = os.O_NOFOLLOW
    NOATIME = os.O_NOATIME
    CLOEXEC = os.O_CLOEXEC
    PATH = os.O_PATH
    TMPFILE = os.O_TMPFILE


class AT(IntFlag):
    """``AT_*`` (``openat(2)`` and its relatives)."""

    SYMLINK_NOFOLLOW = 0x100
    REMOVEDIR = 0x200
    SYMLINK_FOLLOW = 0x400
    NO_AUTOMOUNT = 0x800
    EMPTY_PATH = 0x1000
    EACCESS = 0x200
