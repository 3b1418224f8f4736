"""``<fcntl.h>``: opening files, fd flags, operations of fcntl, ``*at`` flags."""

from __future__ import annotations

import os
from enum import IntEnum, IntFlag
from typing import Final

__all__ = ["AT", "AT_FDCWD", "CLOSE_RANGE_CLOEXEC", "FD_CLOEXEC", "F_DUPFD", "F_DUPFD_CLOEXEC"]
__all__ += ["F_GETFD", "F_GETFL", "F_SETFD", "F_SETFL", "POSIX_FADV", "RENAME", "RWH", "SEEK"]
__all__ += ["SEEK_CUR", "SEEK_END", "SEEK_SET", "SYNC_FILE_RANGE", "UTIME", "F", "O"]

AT_FDCWD: Final = -100
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
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
    LARGEFILE = 0o400000 if os.uname().machine == "aarch64" else 0o100000  # the kernel's, of all


class F(IntEnum):
    """``F_*``: the operations of ``fcntl(2)``."""

    DUPFD = 0
    GETFD = 1
    SETFD = 2
    GETFL = 3
    SETFL = 4
    GETLK = 5
    SETLK = 6
    SETLKW = 7
    SETOWN = 8
    GETOWN = 9
    SETSIG = 10
    GETSIG = 11
    SETOWN_EX = 15
    GETOWN_EX = 16
    OFD_GETLK = 36
    OFD_SETLK = 37
    OFD_SETLKW = 38
    SETLEASE = 1024
    GETLEASE = 1025
    NOTIFY = 1026
    DUPFD_QUERY = 1027
    CREATED_QUERY = 1028
    DUPFD_CLOEXEC = 1030
    SETPIPE_SZ = 1031
    GETPIPE_SZ = 1032
    ADD_SEALS = 1033
    GET_SEALS = 1034
    GET_RW_HINT = 1035
    SET_RW_HINT = 1036
    GET_FILE_RW_HINT = 1037
    SET_FILE_RW_HINT = 1038


class AT(IntFlag):
    """``AT_*`` (``openat(2)`` and its relatives); a value may mean something else elsewhere."""

    NONE = 0
    SYMLINK_NOFOLLOW = 0x100
    REMOVEDIR = 0x200
    SYMLINK_FOLLOW = 0x400
    NO_AUTOMOUNT = 0x800
    EMPTY_PATH = 0x1000
    STATX_SYNC_AS_STAT = 0
    STATX_FORCE_SYNC = 0x2000
    STATX_DONT_SYNC = 0x4000
    STATX_SYNC_TYPE = 0x6000
    RECURSIVE = 0x8000
    EXECVE_CHECK = 0x10000
    EACCESS = 0x200
    HANDLE_FID = 0x200
    HANDLE_MNT_ID_UNIQUE = 1
    HANDLE_CONNECTABLE = 2


class SEEK(IntEnum):
    """``SEEK_*``: what an offset is counted from (``lseek(2)``)."""

    SET = 0
    CUR = 1
    END = 2
    DATA = 3
    HOLE = 4


class RENAME(IntFlag):
    """``RENAME_*`` (``renameat2(2)``)."""

    NONE = 0
    NOREPLACE = 1
    EXCHANGE = 2
    WHITEOUT = 4


class UTIME(IntEnum):
    """``UTIME_*``: in place of a time: now, or leave it (``utimensat(2)``)."""

    NOW = 0x3FFFFFFF
    OMIT = 0x3FFFFFFE


class POSIX_FADV(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``POSIX_FADV_*``: how part of a file will be used (``posix_fadvise(2)``)."""

    NORMAL = 0
    RANDOM = 1
    SEQUENTIAL = 2
    WILLNEED = 3
    DONTNEED = 4
    NOREUSE = 5


class RWH(IntEnum):
    """``RWH_WRITE_LIFE_*``: how long data will live (``F_SET_RW_HINT(2const)``)."""

    NOT_SET = 0
    NONE = 1
    SHORT = 2
    MEDIUM = 3
    LONG = 4
    EXTREME = 5


class SYNC_FILE_RANGE(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``SYNC_FILE_RANGE_*`` (``sync_file_range(2)``)."""

    NONE = 0
    WAIT_BEFORE = 1
    WRITE = 2
    WAIT_AFTER = 4
