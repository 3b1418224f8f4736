"""``<asm/prctl.h>`` of x86_64: what only that has."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = ["ARCH", "ARCH_SHSTK"]


class ARCH(IntEnum):
    """``ARCH_*``: what is asked of ``arch_prctl(2)``."""

    SET_GS = 0x1001
    SET_FS = 0x1002
    GET_FS = 0x1003
    GET_GS = 0x1004
    GET_CPUID = 0x1011
    SET_CPUID = 0x1012
    GET_XCOMP_SUPP = 0x1021
    GET_XCOMP_PERM = 0x1022
    REQ_XCOMP_PERM = 0x1023
    GET_XCOMP_GUEST_PERM = 0x1024
    REQ_XCOMP_GUEST_PERM = 0x1025
    MAP_VDSO_X32 = 0x2001
    MAP_VDSO_32 = 0x2002
    MAP_VDSO_64 = 0x2003
    GET_UNTAG_MASK = 0x4001
    ENABLE_TAGGED_ADDR = 0x4002
    GET_MAX_TAG_BITS = 0x4003
    FORCE_TAGGED_SVA = 0x4004
    SHSTK_ENABLE = 0x5001
    SHSTK_DISABLE = 0x5002
    SHSTK_LOCK = 0x5003
    SHSTK_UNLOCK = 0x5004
    SHSTK_STATUS = 0x5005


class ARCH_SHSTK(IntFlag):  # noqa: N801 - the header's own prefix
    """``ARCH_SHSTK_*``: features of shadow stacks."""

    NONE = 0
    SHSTK = 1
    WRSS = 2
