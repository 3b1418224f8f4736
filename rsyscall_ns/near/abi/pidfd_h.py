"""``<linux/pidfd.h>``: fds that refer to processes."""

from __future__ import annotations

import os
from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, i32, u32, u64

__all__ = ["PIDFD", "PIDFD_COREDUMP", "PIDFD_GET", "PIDFD_GET_INFO", "PIDFD_INFO", "PIDFD_SIGNAL"]
__all__ += ["PidfdInfo"]


class PIDFD(IntFlag):
    """``PIDFD_*`` (``pidfd_open(2)``)."""

    THREAD = os.O_EXCL
    NONBLOCK = os.O_NONBLOCK


class PIDFD_SIGNAL(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``PIDFD_SIGNAL_*``: who is signalled (``pidfd_send_signal(2)``)."""

    THREAD = 1
    THREAD_GROUP = 2
    PROCESS_GROUP = 4


class PIDFD_INFO(IntFlag):  # noqa: N801 - the header's own prefix
    """``PIDFD_INFO_*``: what is wanted, and which fields were filled."""

    PID = 1
    CREDS = 2
    CGROUPID = 4
    EXIT = 8
    COREDUMP = 16


class PIDFD_COREDUMP(IntFlag):  # noqa: N801 - as above
    """How a process's core dump went: the header's ``PIDFD_COREDUMPED`` and ``..._*``."""

    DUMPED = 1
    SKIP = 2
    USER = 4
    ROOT = 8


class PIDFD_GET(IntEnum):  # noqa: N801 - as above
    """``PIDFD_GET_*``: the ioctls that open a process's namespace."""

    CGROUP_NAMESPACE = 0xFF01
    IPC_NAMESPACE = 0xFF02
    MNT_NAMESPACE = 0xFF03
    NET_NAMESPACE = 0xFF04
    PID_NAMESPACE = 0xFF05
    PID_FOR_CHILDREN_NAMESPACE = 0xFF06
    TIME_NAMESPACE = 0xFF07
    TIME_FOR_CHILDREN_NAMESPACE = 0xFF08
    USER_NAMESPACE = 0xFF09
    UTS_NAMESPACE = 0xFF0A


@c_struct
class PidfdInfo(CStruct):
    """``struct pidfd_info``; ``mask`` says which fields are known.

    Ids are those of the namespaces of the task that asks. ``exit_code`` is a wait status word.
    """

    C_NAME: ClassVar = "struct pidfd_info"
    C_HEADER: ClassVar = "linux/pidfd.h"
    NEWER: ClassVar = frozenset(
        {
            *("mask", "cgroupid", "pid", "tgid", "ppid", "ruid", "rgid", "euid", "egid", "suid"),
            *("sgid", "fsuid", "fsgid", "exit_code", "coredump_mask"),
        }
    )
    mask: PIDFD_INFO = u64(PIDFD_INFO)
    cgroupid: int = u64()
    pid: int = u32()
    tgid: int = u32()
    ppid: int = u32()
    ruid: int = u32()
    rgid: int = u32()
    euid: int = u32()
    egid: int = u32()
    suid: int = u32()
    sgid: int = u32()
    fsuid: int = u32()
    fsgid: int = u32()
    exit_code: int = i32()
    coredump_mask: PIDFD_COREDUMP = u32(PIDFD_COREDUMP, then=4)


PIDFD_GET_INFO: Final = 3 << 30 | PidfdInfo.sizeof() << 16 | 0xFF << 8 | 11
