"""``<sys/mman.h>``: protections and flags of mappings."""

from __future__ import annotations

from enum import IntFlag

__all__ = ["MAP", "PROT"]


class PROT(IntFlag):
    """``PROT_*`` (``mmap(2)``)."""

    NONE = 0
    READ = 1
    WRITE = 2
    EXEC = 4


class MAP(IntFlag):
    """``MAP_*`` (``mmap(2)``)."""

    SHARED = 1
    PRIVATE = 2
    SHARED_VALIDATE = 3
    FIXED = 0x10
    ANONYMOUS = 0x20
    GROWSDOWN = 0x100
    LOCKED = 0x2000
    NORESERVE = 0x4000
    POPULATE = 0x8000
    STACK = 0x20000
    FIXED_NOREPLACE = 0x100000
