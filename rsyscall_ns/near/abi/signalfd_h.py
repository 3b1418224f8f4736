"""``<sys/signalfd.h>``: what is read from a signalfd."""

from __future__ import annotations

import os
from enum import IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, i32, u16, u32, u64

__all__ = ["SFD", "SignalfdSiginfo"]


class SFD(IntFlag):
    """``SFD_*`` (``signalfd(2)``)."""

    NONBLOCK = os.O_NONBLOCK
    CLOEXEC = os.O_CLOEXEC


@c_struct
class SignalfdSiginfo(CStruct):
    """``struct signalfd_siginfo``; which fields mean something depends on signo and code.

    ``value`` and ``ptr``: what ``sigqueue(3)`` sends along, as an int and as an address.
    """

    C_NAME: ClassVar = "struct signalfd_siginfo"
    C_HEADER: ClassVar = "sys/signalfd.h"
    signo: int = u32(c_name="ssi_signo")
    errno: int = i32(c_name="ssi_errno")
    code: int = i32(c_name="ssi_code")
    pid: int = u32(c_name="ssi_pid")
    uid: int = u32(c_name="ssi_uid")
    fd: int = i32(c_name="ssi_fd")
    tid: int = u32(c_name="ssi_tid")
    band: int = u32(c_name="ssi_band")
    overrun: int = u32(c_name="ssi_overrun")
    trapno: int = u32(c_name="ssi_trapno")
    status: int = i32(c_name="ssi_status")
    value: int = i32(c_name="ssi_int")
    ptr: int = u64(c_name="ssi_ptr")
    utime: int = u64(c_name="ssi_utime")
    stime: int = u64(c_name="ssi_stime")
    addr: int = u64(c_name="ssi_addr")
    addr_lsb: int = u16(c_name="ssi_addr_lsb", then=2)
    syscall: int = i32(c_name="ssi_syscall")
    call_addr: int = u64(c_name="ssi_call_addr")
    arch: int = u32(c_name="ssi_arch", then=28)
