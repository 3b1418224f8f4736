"""Rules by which a process restricts itself."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    LANDLOCK_RESTRICT_SELF,
    LANDLOCK_RULE,
    LANDLOCK_SCOPE,
)
from rsyscall_ns.near.abi import landlock_h

HEADERS: Final = ("linux/landlock.h",)
ENUMS: Final = {
    "LANDLOCK_ACCESS_FS_": LANDLOCK_ACCESS_FS,
    "LANDLOCK_ACCESS_NET_": LANDLOCK_ACCESS_NET,
    "LANDLOCK_RESTRICT_SELF_": LANDLOCK_RESTRICT_SELF,
    "LANDLOCK_RULE_": LANDLOCK_RULE,
    "LANDLOCK_SCOPE_": LANDLOCK_SCOPE,
}
NAMES: Final = {
    "LANDLOCK_CREATE_RULESET_VERSION": landlock_h.CREATE_RULESET_VERSION,
    "LANDLOCK_CREATE_RULESET_ERRATA": landlock_h.CREATE_RULESET_ERRATA,
}
