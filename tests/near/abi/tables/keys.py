"""Keys."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    KEY_REQKEY_DEFL,
    KEY_SPEC,
    KEYCTL,
    KEYCTL_CAPS,
    KEYCTL_MOVE,
    KEYCTL_SUPPORTS,
)

HEADERS: Final = ("linux/keyctl.h",)
CAPS0: Final = 8  # flags in the first byte
ENUMS: Final = {
    "KEYCTL_": KEYCTL,
    "KEYCTL_MOVE_": KEYCTL_MOVE,
    "KEYCTL_SUPPORTS_": KEYCTL_SUPPORTS,
    "KEY_REQKEY_DEFL_": KEY_REQKEY_DEFL,
    "KEY_SPEC_": KEY_SPEC,
}
NAMES: Final = {
    f"KEYCTL_CAPS{place // CAPS0}_{flag.name}": int(flag) >> place // CAPS0 * CAPS0
    for place, flag in enumerate(KEYCTL_CAPS)
}
