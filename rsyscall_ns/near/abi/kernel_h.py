"""``<linux/module.h>``, ``<sys/swap.h>``, ``<linux/syslog.h>``: the kernel's own affairs."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

__all__ = ["MODULE_INIT", "SWAP_FLAG", "SWAP_PRIORITIES", "SYSLOG_ACTION"]

SWAP_PRIORITIES: Final = 0x7FFF  # the highest, and the mask of the flags


class MODULE_INIT(IntFlag):  # noqa: N801 - the header's own prefix
    """``MODULE_INIT_*`` of ``finit_module(2)``."""

    NONE = 0
    IGNORE_MODVERSIONS = 1
    IGNORE_VERMAGIC = 2
    COMPRESSED_FILE = 4


class SWAP_FLAG(IntFlag):  # noqa: N801 - the header's own prefix
    """``SWAP_FLAG_*`` of ``swapon(2)``. ``PREFER`` goes with a priority."""

    NONE = 0
    PREFER = 0x8000
    DISCARD = 0x10000
    DISCARD_ONCE = 0x20000
    DISCARD_PAGES = 0x40000


class SYSLOG_ACTION(IntEnum):  # noqa: N801 - the header's own prefix
    """``SYSLOG_ACTION_*`` of ``syslog(2)``."""

    CLOSE = 0
    OPEN = 1
    READ = 2
    READ_ALL = 3
    READ_CLEAR = 4
    CLEAR = 5
    CONSOLE_OFF = 6
    CONSOLE_ON = 7
    CONSOLE_LEVEL = 8
    SIZE_UNREAD = 9
    SIZE_BUFFER = 10
