"""``<linux/securebits.h>``: what capabilities have to do with user ids, and with exec."""

from __future__ import annotations

from enum import IntFlag

__all__ = ["SECBIT"]


class SECBIT(IntFlag):
    """``SECBIT_*``: each can be locked, for good (``capabilities(7)``)."""

    NONE = 0
    NOROOT = 1 << 0
    NOROOT_LOCKED = 1 << 1
    NO_SETUID_FIXUP = 1 << 2
    NO_SETUID_FIXUP_LOCKED = 1 << 3
    KEEP_CAPS = 1 << 4
    KEEP_CAPS_LOCKED = 1 << 5
    NO_CAP_AMBIENT_RAISE = 1 << 6
    NO_CAP_AMBIENT_RAISE_LOCKED = 1 << 7
    EXEC_RESTRICT_FILE = 1 << 8
    EXEC_RESTRICT_FILE_LOCKED = 1 << 9
    EXEC_DENY_INTERACTIVE = 1 << 10
    EXEC_DENY_INTERACTIVE_LOCKED = 1 << 11
