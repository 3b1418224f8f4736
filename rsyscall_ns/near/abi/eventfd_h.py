"""``<sys/eventfd.h>``: how a counter behaves."""

from __future__ import annotations

import os
from enum import IntFlag

__all__ = ["EFD"]


class EFD(IntFlag):
    """``EFD_*`` (``eventfd(2)``)."""

    SEMAPHORE = 1
    NONBLOCK = os.O_NONBLOCK
    CLOEXEC = os.O_CLOEXEC
