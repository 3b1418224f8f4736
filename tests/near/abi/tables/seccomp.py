"""Filters of system calls."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    AUDIT_ARCH,
    BPF,
    SECCOMP_ADDFD_FLAG,
    SECCOMP_FILTER_FLAG,
    SECCOMP_MODE,
    SECCOMP_RET,
    SECCOMP_USER_NOTIF_FLAG,
)
from rsyscall_ns.near.abi import filter_h, seccomp_h

HEADERS: Final = ("linux/audit.h", "linux/filter.h", "linux/seccomp.h", "sys/ioctl.h")
ENUMS: Final = {
    "AUDIT_ARCH_": AUDIT_ARCH,
    "BPF_": BPF,
    "SECCOMP_": seccomp_h.SECCOMP_OP,
    "SECCOMP_ADDFD_FLAG_": SECCOMP_ADDFD_FLAG,
    "SECCOMP_FILTER_FLAG_": SECCOMP_FILTER_FLAG,
    "SECCOMP_MODE_": SECCOMP_MODE,
    "SECCOMP_RET_": SECCOMP_RET,
    "SECCOMP_USER_NOTIF_FLAG_": SECCOMP_USER_NOTIF_FLAG,
}
NAMES: Final = {
    "BPF_MAXINSNS": filter_h.BPF_MAXINSNS,
    "SECCOMP_IOCTL_NOTIF_RECV": seccomp_h.NOTIF_RECV,
    "SECCOMP_IOCTL_NOTIF_SEND": seccomp_h.NOTIF_SEND,
    "SECCOMP_IOCTL_NOTIF_ID_VALID": seccomp_h.NOTIF_ID_VALID,
    "SECCOMP_IOCTL_NOTIF_ADDFD": seccomp_h.NOTIF_ADDFD,
    "SECCOMP_IOCTL_NOTIF_SET_FLAGS": seccomp_h.NOTIF_SET_FLAGS,
    "SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP": seccomp_h.SECCOMP_USER_NOTIF_FD.SYNC_WAKE_UP,
}
