"""Terminals."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import termbits_h as t

HEADERS: Final = ("asm/termbits.h", "asm/ioctls.h", "linux/ioctl.h")
NAMES: Final = {
    name: int(member)
    for enumeration in (t.IFLAG, t.OFLAG, t.CFLAG, t.LFLAG, t.TTY_CC, t.TCFLUSH, t.TCFLOW)
    for name, member in enumeration.__members__.items()
} | {
    name: value
    for name, value in vars(t).items()
    if name.startswith(("TC", "TIOC", "FIO")) and isinstance(value, int)
}
ENUMS: Final = {"TCSA": t.TCSA}
