"""``<asm/ldt.h>``: the local descriptor table of x86."""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import Final, Self

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["LDT_ENTRIES", "LDT_ENTRY_SIZE", "MODIFY_LDT", "USER_DESC", "UserDesc"]

LDT_ENTRIES: Final = 8192
LDT_ENTRY_SIZE: Final = 8  # bytes
_WORDS: Final = struct.Struct("<IIII")


class MODIFY_LDT(IntEnum):  # noqa: N801 - the call's own name
    """What ``modify_ldt(2)`` does."""

    READ = 0
    WRITE_OLD = 1
    READ_DEFAULT = 2
    WRITE = 0x11


class USER_DESC(IntFlag):  # noqa: N801 - the struct's own name
    """The last word of ``struct user_desc``, a bit field in C. Contents without a bit are data."""

    NONE = 0
    SEG_32BIT = 1
    CONTENTS_STACK = 2
    CONTENTS_CODE = 4
    READ_EXEC_ONLY = 8
    LIMIT_IN_PAGES = 0x10
    SEG_NOT_PRESENT = 0x20
    USEABLE = 0x40
    LM = 0x80


@value
class UserDesc:
    """``struct user_desc``: one segment of memory."""

    entry_number: int = 0
    base_addr: int = 0
    limit: int = 0
    flags: USER_DESC = USER_DESC.NONE

    def pack(self) -> bytes:
        """Return the struct; what does not fit its field raises ArgumentRangeError."""
        most = 2**32 - 1
        return _WORDS.pack(
            fit("entry_number", self.entry_number, 0, most),
            fit("base_addr", self.base_addr, 0, most),
            fit("limit", self.limit, 0, most),
            fit("flags", self.flags, 0, most),
        )

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the value that ``data`` is, which must be neither shorter nor longer."""
        if len(data) != _WORDS.size:
            raise SerializerError("struct user_desc", _WORDS.size, len(data))
        number, base, limit, flags = _WORDS.unpack(data)
        return cls(number, base, limit, USER_DESC(flags))

    @classmethod
    def sizeof(cls) -> int:
        """Return how many bytes it takes."""
        return _WORDS.size
