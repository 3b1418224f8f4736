"""Files, directories, locks, quotas and what tells of changes to files."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import fcntl_h, fs_h
from rsyscall_ns.near.abi.dirent_h import DT
from rsyscall_ns.near.abi.falloc_h import FALLOC_FL
from rsyscall_ns.near.abi.fcntl_h import (
    AT,
    POSIX_FADV,
    RENAME,
    RWH,
    SEEK,
    SYNC_FILE_RANGE,
    UTIME,
    F,
    O,
)
from rsyscall_ns.near.abi.file_handle_h import MAX_HANDLE_SZ
from rsyscall_ns.near.abi.flock_h import LOCK, LockType
from rsyscall_ns.near.abi.splice_h import SPLICE_F
from rsyscall_ns.near.abi.statfs_h import ST

HEADERS: Final = (
    "fcntl.h",
    "stdio.h",
    "dirent.h",
    "sys/file.h",
    "sys/stat.h",
    "sys/statvfs.h",
    "unistd.h",
    "linux/falloc.h",
    "linux/fs.h",
)
ENUMS: Final = {
    "AT_": AT,
    "DT_": DT,
    "FALLOC_FL_": FALLOC_FL,
    "FS_XFLAG_": fs_h.FS_XFLAG,
    "F_": F,
    "LOCK_": LOCK,
    "POSIX_FADV_": POSIX_FADV,
    "RENAME_": RENAME,
    "RWF_": fs_h.RWF,
    "RWH_WRITE_LIFE_": RWH,
    "SEEK_": SEEK,
    "SPLICE_F_": SPLICE_F,
    "ST_": ST,
    "SYNC_FILE_RANGE_": SYNC_FILE_RANGE,
    "UTIME_": UTIME,
}
NAMES: Final = {
    **{f"F_{kind.name}": int(kind) for kind in LockType},
    **{f"FS_{name}_FL": int(flag) for name, flag in fs_h.FS_FL.__members__.items()},
    **{
        name: getattr(fs_h, name)
        for name in ("FICLONE", "FICLONERANGE", "FS_IOC_GETFLAGS", "FS_IOC_SETFLAGS")
    },
    "AT_FDCWD": fcntl_h.AT_FDCWD,
    "MAX_HANDLE_SZ": MAX_HANDLE_SZ,
    "O_PATH": int(O.PATH),
}
