"""``<linux/reboot.h>``: ending the machine, or a pid namespace."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["REBOOT", "REBOOT_MAGIC1", "REBOOT_MAGIC2"]

REBOOT_MAGIC1: Final = 0xFEE1DEAD
REBOOT_MAGIC2: Final = 672274793


class REBOOT(IntEnum):
    """``LINUX_REBOOT_CMD_*`` (``reboot(2)``)."""

    RESTART = 0x01234567
    HALT = 0xCDEF0123
    CAD_ON = 0x89ABCDEF
    CAD_OFF = 0
    POWER_OFF = 0x4321FEDC
    RESTART2 = 0xA1B2C3D4
    SW_SUSPEND = 0xD000FCE2
    KEXEC = 0x45584543
