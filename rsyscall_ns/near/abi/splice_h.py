"""``<fcntl.h>``: moving bytes through pipes."""

from __future__ import annotations

from enum import IntFlag

__all__ = ["SPLICE_F"]


class SPLICE_F(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``SPLICE_F_*`` (``splice(2)``, ``tee(2)``, ``vmsplice(2)``)."""

    NONE = 0
    MOVE = 1
    NONBLOCK = 2
    MORE = 4
    GIFT = 8
