"""The kernel's ``struct sigaction``, which is not the C library's (``sigaction(2)``)."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, u64

__all__ = ["SA", "Sigaction"]


class SA(IntFlag):
    """``SA_*``: how a signal is taken, and which of children's changes it tells."""

    NONE = 0
    NOCLDSTOP = 1
    NOCLDWAIT = 2
    SIGINFO = 4
    UNSUPPORTED = 0x400
    EXPOSE_TAGBITS = 0x800
    RESTORER = 0x04000000
    ONSTACK = 0x08000000
    RESTART = 0x10000000
    NODEFER = 0x40000000
    RESETHAND = 0x80000000


@c_struct
class Sigaction(CStruct):
    """``struct sigaction``. Of ``mask``, bit n - 1 is signal n, blocked in the handler."""

    C_NAME: ClassVar = "struct sigaction"
    C_HEADER: ClassVar = "asm/signal.h"
    handler: int = u64(c_name="sa_handler")
    flags: SA = u64(SA, c_name="sa_flags")
    restorer: int = u64(c_name="sa_restorer")
    mask: int = u64(c_name="sa_mask")
