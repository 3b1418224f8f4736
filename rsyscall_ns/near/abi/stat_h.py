"""``<linux/stat.h>``: what statx writes."""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["STATX_ATTR_MOUNT_ROOT", "STATX_SIZE", "statx_attributes"]

STATX_SIZE: Final = 256
STATX_ATTR_MOUNT_ROOT: Final = 0x2000
_ATTRIBUTES: Final = struct.Struct("<8xQ40xQ")


def statx_attributes(data: bytes) -> tuple[int, int]:
    """Return (``stx_attributes``, ``stx_attributes_mask``: those that the file system knows)."""
    attributes, known = _ATTRIBUTES.unpack_from(data)
    return attributes, known
