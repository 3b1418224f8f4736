"""``<linux/kcmp.h>``: what two processes may share."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from .layout import CStruct, c_struct, u32

__all__ = ["KCMP", "KcmpEpollSlot"]


class KCMP(IntEnum):
    """``KCMP_*``: what is compared (``kcmp(2)``)."""

    FILE = 0
    VM = 1
    FILES = 2
    FS = 3
    SIGHAND = 4
    IO = 5
    SYSVSEM = 6
    EPOLL_TFD = 7


@c_struct
class KcmpEpollSlot(CStruct):
    """``struct kcmp_epoll_slot``: the n-th (from 0) watch of an fd in an epoll; fd numbers."""

    C_NAME: ClassVar = "struct kcmp_epoll_slot"
    C_HEADER: ClassVar = "linux/kcmp.h"
    efd: int = u32()
    tfd: int = u32()
    toff: int = u32()
