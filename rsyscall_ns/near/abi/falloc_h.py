"""``<linux/falloc.h>``: what fallocate does."""

from __future__ import annotations

from enum import IntFlag

__all__ = ["FALLOC_FL"]


class FALLOC_FL(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``FALLOC_FL_*`` (``fallocate(2)``)."""

    ALLOCATE_RANGE = 0
    KEEP_SIZE = 1
    PUNCH_HOLE = 2
    NO_HIDE_STALE = 4
    COLLAPSE_RANGE = 8
    ZERO_RANGE = 0x10
    INSERT_RANGE = 0x20
    UNSHARE_RANGE = 0x40
    WRITE_ZEROES = 0x80
