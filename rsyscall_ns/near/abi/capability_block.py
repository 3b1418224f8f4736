"""What ``capget`` and ``capset`` take and fill, as bits: whoever makes children needs no names."""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["AMBIENT_RAISE", "CAPABILITY_DATA", "capability_header", "capability_sets"]
__all__ += ["capability_words", "effective_set", "pack_capabilities"]

AMBIENT_RAISE: Final = 2  # PR_CAP_AMBIENT_RAISE, of prctl(2)
_CAPABILITY_VERSION_3: Final = 0x20080522
_CAPABILITY_HEADER: Final = struct.Struct("<Ii")
CAPABILITY_DATA: Final = struct.Struct("<6I")  # two of the kernel's: low words, then high words


def capability_header(pid: int = 0) -> bytes:
    """Return the header for capget with room for its data behind it."""
    return _CAPABILITY_HEADER.pack(_CAPABILITY_VERSION_3, pid) + bytes(CAPABILITY_DATA.size)


def capability_sets(data: bytes) -> tuple[int, int, int]:
    """Return the effective, permitted and inheritable capabilities as bits."""
    words = CAPABILITY_DATA.unpack(data)
    effective, permitted, inheritable = (
        high << 32 | low for low, high in zip(words[:3], words[3:], strict=True)
    )
    return effective, permitted, inheritable


def effective_set(block: bytes) -> int:
    """Return the effective capabilities as bits, from a block that capget has filled."""
    return capability_sets(block[_CAPABILITY_HEADER.size :])[0]


def capability_words(block: bytes) -> tuple[int, ...]:
    """Return the data of such a block: effective, permitted, inheritable, and the upper halves."""
    words: tuple[int, ...] = CAPABILITY_DATA.unpack_from(block, _CAPABILITY_HEADER.size)
    return words


def pack_capabilities(words: tuple[int, ...], pid: int = 0) -> bytes:
    """Return header and data for capset."""
    return _CAPABILITY_HEADER.pack(_CAPABILITY_VERSION_3, pid) + CAPABILITY_DATA.pack(*words)
