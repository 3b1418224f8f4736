"""``<linux/quota.h>``: disk quotas."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, u32, u64

__all__ = ["QFMT", "QIF", "Dqblk", "Dqinfo", "NextDqblk", "Q", "QuotaType", "qcmd"]

SUBCMDSHIFT: Final = 8


class Q(IntEnum):
    """``Q_*`` (``quotactl(2)``)."""

    SYNC = 0x800001
    QUOTAON = 0x800002
    QUOTAOFF = 0x800003
    GETFMT = 0x800004
    GETINFO = 0x800005
    SETINFO = 0x800006
    GETQUOTA = 0x800007
    SETQUOTA = 0x800008
    GETNEXTQUOTA = 0x800009


class QuotaType(IntEnum):
    """``USRQUOTA``, ``GRPQUOTA``, ``PRJQUOTA``: whose quota."""

    USRQUOTA = 0
    GRPQUOTA = 1
    PRJQUOTA = 2


class QFMT(IntEnum):
    """``QFMT_*``: the format of quota files."""

    VFS_OLD = 1
    VFS_V0 = 2
    OCFS2 = 3
    VFS_V1 = 4
    SHMEM = 5


class QIF(IntFlag):
    """``QIF_*``: which members of a ``Dqblk`` are valid, or are to be set."""

    NONE = 0
    BLIMITS = 1
    SPACE = 2
    ILIMITS = 4
    INODES = 8
    BTIME = 16
    ITIME = 32
    LIMITS = 5
    USAGE = 10
    TIMES = 48
    ALL = 63


def qcmd(op: Q, kind: QuotaType) -> int:
    """Return the first argument of quotactl, ``QCMD``."""
    return op << SUBCMDSHIFT | kind


@c_struct
class Dqblk(CStruct):
    """``struct if_dqblk``: limits and use. Limits of space in KiB, space in bytes, times in s."""

    C_NAME: ClassVar = "struct if_dqblk"
    C_HEADER: ClassVar = "linux/quota.h"
    bhardlimit: int = u64(c_name="dqb_bhardlimit")
    bsoftlimit: int = u64(c_name="dqb_bsoftlimit")
    curspace: int = u64(c_name="dqb_curspace")
    ihardlimit: int = u64(c_name="dqb_ihardlimit")
    isoftlimit: int = u64(c_name="dqb_isoftlimit")
    curinodes: int = u64(c_name="dqb_curinodes")
    btime: int = u64(c_name="dqb_btime")
    itime: int = u64(c_name="dqb_itime")
    valid: QIF = u32(QIF, c_name="dqb_valid")


@c_struct
class NextDqblk(CStruct):
    """``struct if_nextdqblk``: as ``Dqblk``, and whose it is."""

    C_NAME: ClassVar = "struct if_nextdqblk"
    C_HEADER: ClassVar = "linux/quota.h"
    bhardlimit: int = u64(c_name="dqb_bhardlimit")
    bsoftlimit: int = u64(c_name="dqb_bsoftlimit")
    curspace: int = u64(c_name="dqb_curspace")
    ihardlimit: int = u64(c_name="dqb_ihardlimit")
    isoftlimit: int = u64(c_name="dqb_isoftlimit")
    curinodes: int = u64(c_name="dqb_curinodes")
    btime: int = u64(c_name="dqb_btime")
    itime: int = u64(c_name="dqb_itime")
    valid: QIF = u32(QIF, c_name="dqb_valid")
    id: int = u32(c_name="dqb_id")


@c_struct
class Dqinfo(CStruct):
    """``struct if_dqinfo``: grace periods in seconds."""

    C_NAME: ClassVar = "struct if_dqinfo"
    C_HEADER: ClassVar = "linux/quota.h"
    bgrace: int = u64(c_name="dqi_bgrace")
    igrace: int = u64(c_name="dqi_igrace")
    flags: int = u32(c_name="dqi_flags")
    valid: int = u32(c_name="dqi_valid")
