"""``<sys/timerfd.h>``: how a timer behaves."""

from __future__ import annotations

import os
from enum import IntFlag
from typing import Final

__all__ = ["TFD", "TFD_IOC_SET_TICKS"]

TFD_IOC_SET_TICKS: Final = 0x40085400


class TFD(IntFlag):
    """``TFD_*`` (``timerfd_create(2)``)."""

    TIMER_ABSTIME = 1
    TIMER_CANCEL_ON_SET = 2
    NONBLOCK = os.O_NONBLOCK
    CLOEXEC = os.O_CLOEXEC
