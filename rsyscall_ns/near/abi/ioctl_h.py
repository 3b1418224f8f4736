"""``<linux/ioctl.h>``: how the number of an ioctl is made; the same on both machines."""

from __future__ import annotations

__all__ = ["io_none", "io_read", "io_write"]

WRITE, READ, SIZE, TYPE = 1 << 30, 2 << 30, 16, 8


def io_none(kind: int, number: int) -> int:
    """Return ``_IO(kind, number)``: the argument is no memory."""
    return kind << TYPE | number


def io_read(kind: int, number: int, size: int) -> int:
    """Return ``_IOR(kind, number, size)``: so many bytes are filled."""
    return READ | size << SIZE | kind << TYPE | number


def io_write(kind: int, number: int, size: int) -> int:
    """Return ``_IOW(kind, number, size)``: so many bytes are read."""
    return WRITE | size << SIZE | kind << TYPE | number
