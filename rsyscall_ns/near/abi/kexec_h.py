"""``<linux/kexec.h>``: loading another kernel."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, u64

__all__ = ["KEXEC", "KEXEC_ARCH", "KEXEC_FILE", "KEXEC_SEGMENT_MAX", "KexecSegment"]

KEXEC_SEGMENT_MAX: Final = 16


class KEXEC(IntFlag):
    """``KEXEC_*`` of ``kexec_load(2)``."""

    NONE = 0
    ON_CRASH = 1
    PRESERVE_CONTEXT = 2
    UPDATE_ELFCOREHDR = 4
    CRASH_HOTPLUG_SUPPORT = 8


class KEXEC_ARCH(IntEnum):  # noqa: N801 - the header's own prefix
    """``KEXEC_ARCH_*``: what machine the new kernel is for; the numbers of ELF, shifted."""

    DEFAULT = 0
    I386 = 3 << 16
    M68K = 4 << 16
    PARISC = 15 << 16
    X86_64 = 62 << 16
    PPC = 20 << 16
    PPC64 = 21 << 16
    IA_64 = 50 << 16
    ARM = 40 << 16
    S390 = 22 << 16
    SH = 42 << 16
    MIPS_LE = 10 << 16
    MIPS = 8 << 16
    AARCH64 = 183 << 16
    RISCV = 243 << 16
    LOONGARCH = 258 << 16


class KEXEC_FILE(IntFlag):  # noqa: N801 - the header's own prefix
    """``KEXEC_FILE_*`` (``kexec_file_load(2)``)."""

    NONE = 0
    UNLOAD = 1
    ON_CRASH = 2
    NO_INITRAMFS = 4
    DEBUG = 8
    NO_CMA = 0x10
    FORCE_DTB = 0x20


@c_struct
class KexecSegment(CStruct):
    """``struct kexec_segment``: what is copied where; sizes in bytes."""

    C_NAME: ClassVar = "struct kexec_segment"
    C_HEADER: ClassVar = "linux/kexec.h"
    buf: int = u64()
    bufsz: int = u64()
    mem: int = u64()
    memsz: int = u64()
