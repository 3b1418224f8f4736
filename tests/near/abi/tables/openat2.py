"""How openat2 resolves paths, and extended attributes."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import xattr_h
from rsyscall_ns.near.abi.openat2_h import RESOLVE

HEADERS: Final = ("linux/openat2.h", "linux/limits.h", "linux/xattr.h")
ENUMS: Final = {"RESOLVE_": RESOLVE, "XATTR_": xattr_h.XATTR}
NAMES: Final = {
    "XATTR_LIST_MAX": xattr_h.XATTR_LIST_MAX,
    "XATTR_SIZE_MAX": xattr_h.XATTR_SIZE_MAX,
}
