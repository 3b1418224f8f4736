"""``<sys/random.h>``: where random bytes come from."""

from __future__ import annotations

from enum import IntFlag

__all__ = ["GRND"]


class GRND(IntFlag):
    """``GRND_*`` (``getrandom(2)``)."""

    NONE = 0
    NONBLOCK = 1
    RANDOM = 2
    INSECURE = 4
