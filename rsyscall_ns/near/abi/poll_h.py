"""``<poll.h>``: what poll waits for."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, i32, u16

__all__ = ["POLL", "Pollfd"]


class POLL(IntFlag):
    """``POLL*`` (``poll(2)``). ``ERR``, ``HUP`` and ``NVAL`` are told, and never asked for."""

    IN = 0x1
    PRI = 0x2
    OUT = 0x4
    ERR = 0x8
    HUP = 0x10
    NVAL = 0x20
    RDNORM = 0x40
    RDBAND = 0x80
    WRNORM = 0x100
    WRBAND = 0x200
    MSG = 0x400
    REMOVE = 0x1000
    RDHUP = 0x2000


@c_struct
class Pollfd(CStruct):
    """``struct pollfd``."""

    C_NAME: ClassVar = "struct pollfd"
    C_HEADER: ClassVar = "poll.h"
    fd: int = i32()
    events: POLL = u16(POLL)
    revents: POLL = u16(POLL)
