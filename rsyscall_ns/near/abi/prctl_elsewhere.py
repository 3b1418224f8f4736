"""``<linux/prctl.h>``: what the arguments of those options may be that only other machines have."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = [
    "PR_ENDIAN",
    "PR_FPEMU",
    "PR_FP_EXC",
    "PR_FP_MODE",
    "PR_PPC_DEXCR",
    "PR_PPC_DEXCR_CTRL",
    "PR_RISCV_CTX_SW_FENCEI",
    "PR_RISCV_SCOPE",
    "PR_RISCV_V_VSTATE_CTRL",
    "PR_UNALIGN",
]


class PR_UNALIGN(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``PR_UNALIGN_*``: what follows of an unaligned access."""

    NOPRINT = 1
    SIGBUS = 2


class PR_FPEMU(IntFlag):  # noqa: N801 - as above
    """``PR_FPEMU_*``: of Itanium."""

    NOPRINT = 1
    SIGFPE = 2


class PR_FP_EXC(IntFlag):  # noqa: N801 - as above
    """``PR_FP_EXC_*``: floating-point exceptions, of PowerPC."""

    DISABLED = 0
    NONRECOV = 1
    ASYNC = 2
    PRECISE = 3
    SW_ENABLE = 0x80
    DIV = 0x10000
    OVF = 0x20000
    UND = 0x40000
    RES = 0x80000
    INV = 0x100000


class PR_ENDIAN(IntEnum):  # noqa: N801 - as above
    """``PR_ENDIAN_*``: of PowerPC."""

    BIG = 0
    LITTLE = 1
    PPC_LITTLE = 2


class PR_FP_MODE(IntFlag):  # noqa: N801 - as above
    """``PR_FP_MODE_*``: floating-point registers, of MIPS."""

    FR = 1
    FRE = 2


class PR_RISCV_V_VSTATE_CTRL(IntFlag):  # noqa: N801 - as above
    """``PR_RISCV_V_VSTATE_CTRL_*``."""

    DEFAULT = 0
    OFF = 1
    ON = 2
    INHERIT = 16
    CUR_MASK = 0x3
    NEXT_MASK = 0xC
    MASK = 0x1F


class PR_RISCV_CTX_SW_FENCEI(IntEnum):  # noqa: N801 - as above
    """``PR_RISCV_CTX_SW_FENCEI_*``."""

    ON = 0
    OFF = 1


class PR_RISCV_SCOPE(IntEnum):  # noqa: N801 - as above
    """``PR_RISCV_SCOPE_*``."""

    PER_PROCESS = 0
    PER_THREAD = 1


class PR_PPC_DEXCR(IntEnum):  # noqa: N801 - as above
    """``PR_PPC_DEXCR_*``: which aspect."""

    SBHE = 0
    IBRTPD = 1
    SRAPD = 2
    NPHIE = 3


class PR_PPC_DEXCR_CTRL(IntFlag):  # noqa: N801 - as above
    """``PR_PPC_DEXCR_CTRL_*``: how it is."""

    EDITABLE = 1
    SET = 2
    CLEAR = 4
    SET_ONEXEC = 8
    CLEAR_ONEXEC = 16
