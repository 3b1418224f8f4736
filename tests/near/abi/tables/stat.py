"""What statx tells."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import STATX, STATX_ATTR

HEADERS: Final = ("linux/stat.h",)
ENUMS: Final = {"STATX_": STATX, "STATX_ATTR_": STATX_ATTR}
