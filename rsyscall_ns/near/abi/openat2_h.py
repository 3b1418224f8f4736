"""``<linux/openat2.h>``: how openat2 opens."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar

from .fcntl_h import O
from .layout import CStruct, c_struct, u64

__all__ = ["RESOLVE", "OpenHow"]


class RESOLVE(IntFlag):
    """``RESOLVE_*``: where a path may lead (``openat2(2)``)."""

    NONE = 0
    NO_XDEV = 1
    NO_MAGICLINKS = 2
    NO_SYMLINKS = 4
    BENEATH = 8
    IN_ROOT = 0x10
    CACHED = 0x20


@c_struct
class OpenHow(CStruct):
    """``struct open_how``. ``mode`` is 0 unless a file is made."""

    C_NAME: ClassVar = "struct open_how"
    C_HEADER: ClassVar = "linux/openat2.h"
    flags: O = u64(O)
    mode: int = u64()
    resolve: RESOLVE = u64(RESOLVE)
