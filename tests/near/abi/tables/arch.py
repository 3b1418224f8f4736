"""What only x86_64 has."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi.arch_prctl_h import ARCH, ARCH_SHSTK

HEADERS: Final = ("asm/prctl.h",)
ENUMS: Final = {"ARCH_": ARCH, "ARCH_SHSTK_": ARCH_SHSTK}
ON_MACHINES: Final = ("x86_64",)
