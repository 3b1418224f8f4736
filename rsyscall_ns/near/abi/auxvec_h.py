"""``<linux/auxvec.h>``: what the kernel tells a program when it starts."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from rsyscall_ns.near.errors import SerializerError

__all__ = ["AUXV", "AUXV_ROOM", "pack_auxv", "unpack_auxv"]

AUXV_ROOM: Final = 1024  # bytes; no kernel has so many entries
ENTRY: Final = struct.Struct("<QQ")


class AUXV(IntEnum):
    """``AT_*``: what an entry of the auxiliary vector is about (``getauxval(3)``)."""

    NULL = 0
    IGNORE = 1
    EXECFD = 2
    PHDR = 3
    PHENT = 4
    PHNUM = 5
    PAGESZ = 6
    BASE = 7
    FLAGS = 8
    ENTRY = 9
    NOTELF = 10
    UID = 11
    EUID = 12
    GID = 13
    EGID = 14
    PLATFORM = 15
    HWCAP = 16
    CLKTCK = 17
    SECURE = 23
    BASE_PLATFORM = 24
    RANDOM = 25
    HWCAP2 = 26
    RSEQ_FEATURE_SIZE = 27
    RSEQ_ALIGN = 28
    HWCAP3 = 29
    HWCAP4 = 30
    EXECFN = 31
    SYSINFO_EHDR = 33
    MINSIGSTKSZ = 51


def pack_auxv(entries: Mapping[AUXV | int, int]) -> bytes:
    """Return a vector of these entries, in their order, with the end behind them."""
    words = [*entries.items(), (0, 0)]
    return b"".join(ENTRY.pack(kind, value) for kind, value in words)


def unpack_auxv(data: bytes) -> dict[AUXV | int, int]:
    """Return the entries up to the end; SerializerError where there is no end."""
    found: dict[AUXV | int, int] = {}
    for at in range(0, len(data) - ENTRY.size + 1, ENTRY.size):
        kind, value = ENTRY.unpack_from(data, at)
        if kind == AUXV.NULL:
            return found
        found[AUXV(kind) if kind in KINDS else kind] = value
    raise SerializerError.malformed("an auxiliary vector", "has no end")


KINDS: Final = frozenset(int(kind) for kind in AUXV)
