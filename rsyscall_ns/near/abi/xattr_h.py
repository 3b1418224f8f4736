"""``<linux/xattr.h>``: extended attributes."""

from __future__ import annotations

import os
from enum import IntFlag
from typing import ClassVar, Final

from rsyscall_ns.near.errors import SerializerError

from .layout import CStruct, c_struct, u32, u64

__all__ = ["XATTR", "XATTR_LIST_MAX", "XATTR_SIZE_MAX", "XattrArgs", "xattr_names"]

XATTR_SIZE_MAX: Final = 65536  # bytes of a value
XATTR_LIST_MAX: Final = 65536  # bytes of all names


class XATTR(IntFlag):
    """``XATTR_*``: whether an attribute must be new, or old (``setxattr(2)``)."""

    NONE = 0
    CREATE = 1
    REPLACE = 2


@c_struct
class XattrArgs(CStruct):
    """``struct xattr_args``: where a value lies, and how large it is."""

    C_NAME: ClassVar = "struct xattr_args"
    C_HEADER: ClassVar = "linux/xattr.h"
    NEWER: ClassVar = frozenset({"value", "size", "flags"})
    value: int = u64()
    size: int = u32()
    flags: XATTR = u32(XATTR)


def xattr_names(data: bytes) -> list[str]:
    """Return the names in what listxattr wrote: each ends with a NUL. ``listxattr(2)``."""
    if not data:
        return []
    if data[-1]:
        raise SerializerError.malformed("a list of names", "does not end with a NUL")
    return [os.fsdecode(name) for name in data[:-1].split(b"\0")]
