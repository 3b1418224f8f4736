"""``<dirent.h>``: what getdents64 writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

__all__ = ["directory_names"]

LENGTH: Final = 16  # where an entry's length stands, in two bytes
NAME: Final = 19


def directory_names(data: bytes) -> Iterator[str]:
    """Return the names in what getdents64 wrote. ``getdents64(2)``."""
    offset = 0
    while offset < len(data):
        length = int.from_bytes(data[offset + LENGTH : offset + LENGTH + 2], "little")
        yield os.fsdecode(data[offset + NAME : offset + length].split(b"\0", 1)[0])
        offset += length
