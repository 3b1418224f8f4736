"""``<linux/seccomp.h>``, ``<linux/audit.h>``: what a filter of system calls sees and answers."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, i32, i64, nested, u16, u32, u64

__all__ = [
    "AUDIT_ARCH",
    "NOTIF_ADDFD",
    "NOTIF_ID_VALID",
    "NOTIF_RECV",
    "NOTIF_SEND",
    "NOTIF_SET_FLAGS",
    "SECCOMP_ADDFD_FLAG",
    "SECCOMP_FILTER_FLAG",
    "SECCOMP_MODE",
    "SECCOMP_OP",
    "SECCOMP_RET",
    "SECCOMP_USER_NOTIF_FD",
    "SECCOMP_USER_NOTIF_FLAG",
    "X32_SYSCALL_BIT",
    "SeccompData",
    "SeccompNotif",
    "SeccompNotifAddfd",
    "SeccompNotifResp",
    "SeccompNotifSizes",
    "seccomp_errno",
]

HEADER: Final = "linux/seccomp.h"
X32_SYSCALL_BIT: Final = 0x40000000
NOTIF_RECV: Final = 0xC0502100
NOTIF_SEND: Final = 0xC0182101
NOTIF_ID_VALID: Final = 0x40082102
NOTIF_ADDFD: Final = 0x40182103
NOTIF_SET_FLAGS: Final = 0x40082104


class AUDIT_ARCH(IntEnum):  # noqa: N801 - the header's own prefix
    """``AUDIT_ARCH_*``: by which convention a system call was made."""

    X86_64 = 0xC000003E
    AARCH64 = 0xC00000B7


class SECCOMP_MODE(IntEnum):  # noqa: N801 - the header's own prefix
    """``SECCOMP_MODE_*``: what ``/proc/PID/status`` calls ``Seccomp``."""

    DISABLED = 0
    STRICT = 1
    FILTER = 2


class SECCOMP_OP(IntEnum):  # noqa: N801 - as the others
    """``SECCOMP_SET_MODE_STRICT`` and so on: what ``seccomp(2)`` is to do."""

    SET_MODE_STRICT = 0
    SET_MODE_FILTER = 1
    GET_ACTION_AVAIL = 2
    GET_NOTIF_SIZES = 3


class SECCOMP_RET(IntEnum):  # noqa: N801 - the header's own prefix
    """``SECCOMP_RET_*``: what a filter answers; with 16 bits of data in some."""

    KILL_PROCESS = 0x80000000
    KILL_THREAD = 0x00000000
    TRAP = 0x00030000
    ERRNO = 0x00050000
    USER_NOTIF = 0x7FC00000
    TRACE = 0x7FF00000
    LOG = 0x7FFC0000
    ALLOW = 0x7FFF0000


class SECCOMP_FILTER_FLAG(IntFlag):  # noqa: N801 - the header's own prefix
    """``SECCOMP_FILTER_FLAG_*``: how a filter is installed."""

    NONE = 0
    TSYNC = 1
    LOG = 2
    SPEC_ALLOW = 4
    NEW_LISTENER = 8
    TSYNC_ESRCH = 0x10
    WAIT_KILLABLE_RECV = 0x20


class SECCOMP_USER_NOTIF_FLAG(IntFlag):  # noqa: N801 - the header's own prefix
    """``SECCOMP_USER_NOTIF_FLAG_*``: of an answer to a notification."""

    NONE = 0
    CONTINUE = 1


class SECCOMP_ADDFD_FLAG(IntFlag):  # noqa: N801 - the header's own prefix
    """``SECCOMP_ADDFD_FLAG_*``: how an fd is given to the process that is notified about."""

    NONE = 0
    SETFD = 1
    SEND = 2


class SECCOMP_USER_NOTIF_FD(IntFlag):  # noqa: N801 - the header's own prefix
    """``SECCOMP_USER_NOTIF_FD_*``: how a listener wakes."""

    NONE = 0
    SYNC_WAKE_UP = 1


@c_struct
class SeccompData(CStruct):
    """``struct seccomp_data``: the system call, as a filter sees it."""

    C_NAME: ClassVar = "struct seccomp_data"
    C_HEADER: ClassVar = HEADER
    nr: int = i32()
    arch: AUDIT_ARCH | int = u32(AUDIT_ARCH)
    instruction_pointer: int = u64()
    arg0: int = u64(c_name="args[0]")
    arg1: int = u64(c_name="args[1]")
    arg2: int = u64(c_name="args[2]")
    arg3: int = u64(c_name="args[3]")
    arg4: int = u64(c_name="args[4]")
    arg5: int = u64(c_name="args[5]")

    @property
    def args(self) -> tuple[int, int, int, int, int, int]:
        """The six arguments."""
        return self.arg0, self.arg1, self.arg2, self.arg3, self.arg4, self.arg5


@c_struct
class SeccompNotif(CStruct):
    """``struct seccomp_notif``: a system call that waits for an answer.

    ``pid`` is the thread's, in the pid namespace of whoever receives it; 0: it is not in there.
    """

    C_NAME: ClassVar = "struct seccomp_notif"
    C_HEADER: ClassVar = HEADER
    id: int = u64()
    pid: int = u32()
    flags: int = u32()
    data: SeccompData = nested(SeccompData)


@c_struct
class SeccompNotifResp(CStruct):
    """``struct seccomp_notif_resp``: an answer. ``error`` is a negative errno, or 0."""

    C_NAME: ClassVar = "struct seccomp_notif_resp"
    C_HEADER: ClassVar = HEADER
    id: int = u64()
    val: int = i64()
    error: int = i32()
    flags: SECCOMP_USER_NOTIF_FLAG = u32(SECCOMP_USER_NOTIF_FLAG)


@c_struct
class SeccompNotifSizes(CStruct):
    """``struct seccomp_notif_sizes``: how large the kernel's structs are, in bytes."""

    C_NAME: ClassVar = "struct seccomp_notif_sizes"
    C_HEADER: ClassVar = HEADER
    notif: int = u16(c_name="seccomp_notif")
    notif_resp: int = u16(c_name="seccomp_notif_resp")
    data: int = u16(c_name="seccomp_data")


@c_struct
class SeccompNotifAddfd(CStruct):
    """``struct seccomp_notif_addfd``: an fd for the process that is notified about."""

    C_NAME: ClassVar = "struct seccomp_notif_addfd"
    C_HEADER: ClassVar = HEADER
    id: int = u64()
    flags: SECCOMP_ADDFD_FLAG = u32(SECCOMP_ADDFD_FLAG)
    srcfd: int = u32()
    newfd: int = u32()
    newfd_flags: int = u32()


def seccomp_errno(number: int) -> int:
    """Return the answer by which a call fails with this errno."""
    return SECCOMP_RET.ERRNO | (number & 0xFFFF)
