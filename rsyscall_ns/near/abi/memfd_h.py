"""``<linux/memfd.h>``, seals of ``<linux/fcntl.h>``: files that lie in memory."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

__all__ = ["F_ADD_SEALS", "F_GET_SEALS", "F_SEAL", "MFD"]

F_ADD_SEALS: Final = 1033
F_GET_SEALS: Final = 1034


class MFD(IntFlag):
    """``MFD_*`` (``memfd_create(2)``). A size goes with ``HUGETLB``."""

    CLOEXEC = 1
    ALLOW_SEALING = 2
    HUGETLB = 4
    NOEXEC_SEAL = 8
    EXEC = 0x10
    HUGE_64KB = 16 << 26
    HUGE_512KB = 19 << 26
    HUGE_1MB = 20 << 26
    HUGE_2MB = 21 << 26
    HUGE_8MB = 23 << 26
    HUGE_16MB = 24 << 26
    HUGE_32MB = 25 << 26
    HUGE_256MB = 28 << 26
    HUGE_512MB = 29 << 26
    HUGE_1GB = 30 << 26
    HUGE_2GB = 31 << 26
    HUGE_16GB = 34 << 26


class F_SEAL(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``F_SEAL_*``: what can no longer be done to a file (``fcntl(2)``)."""

    SEAL = 1
    SHRINK = 2
    GROW = 4
    WRITE = 8
    FUTURE_WRITE = 0x10
    EXEC = 0x20
