"""Security modules."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import LSM_ATTR, LSM_FLAG, LSM_ID

HEADERS: Final = ("linux/lsm.h",)
ENUMS: Final = {"LSM_ID_": LSM_ID, "LSM_ATTR_": LSM_ATTR, "LSM_FLAG_": LSM_FLAG}
