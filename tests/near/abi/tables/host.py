"""The whole system: ending it, its kernel, its swap space."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    ACCT,
    KEXEC,
    KEXEC_ARCH,
    KEXEC_FILE,
    MODULE_INIT,
    REBOOT,
    SHADOW_STACK,
    SWAP_FLAG,
)
from rsyscall_ns.near.abi.kernel_h import SWAP_PRIORITIES
from rsyscall_ns.near.abi.kexec_h import KEXEC_SEGMENT_MAX
from rsyscall_ns.near.abi.reboot_h import REBOOT_MAGIC1, REBOOT_MAGIC2

HEADERS: Final = (
    "linux/acct.h",
    "linux/kexec.h",
    "linux/module.h",
    "linux/reboot.h",
    "asm/mman.h",
    "sys/swap.h",
)
ENUMS: Final = {
    "A": ACCT,
    "KEXEC_": KEXEC,
    "KEXEC_ARCH_": KEXEC_ARCH,
    "KEXEC_FILE_": KEXEC_FILE,
    "LINUX_REBOOT_CMD_": REBOOT,
    "MODULE_INIT_": MODULE_INIT,
    "SHADOW_STACK_SET_": SHADOW_STACK,
    "SWAP_FLAG_": SWAP_FLAG,
}
NAMES: Final = {
    "KEXEC_ARCH_386": int(KEXEC_ARCH.I386),
    "KEXEC_ARCH_68K": int(KEXEC_ARCH.M68K),
    "KEXEC_SEGMENT_MAX": KEXEC_SEGMENT_MAX,
    "LINUX_REBOOT_MAGIC1": REBOOT_MAGIC1,
    "LINUX_REBOOT_MAGIC2": REBOOT_MAGIC2,
    "SWAP_FLAG_PRIO_MASK": SWAP_PRIORITIES,
}
