"""``<sys/user.h>``: the registers of a traced thread."""

from __future__ import annotations

import os
from typing import ClassVar, Final

from .layout import CStruct, c_struct, u64

__all__ = ["AnyUserRegs", "UserRegsAarch64", "UserRegsX86", "own_registers"]


@c_struct
class UserRegsX86(CStruct):
    """``struct user_regs_struct`` of x86_64. ``orig_rax``: the system call's number, or -1."""

    C_NAME: ClassVar = "struct user_regs_struct"
    C_HEADER: ClassVar = "sys/user.h"
    MACHINES: ClassVar = frozenset({"x86_64"})
    r15: int = u64()
    r14: int = u64()
    r13: int = u64()
    r12: int = u64()
    rbp: int = u64()
    rbx: int = u64()
    r11: int = u64()
    r10: int = u64()
    r9: int = u64()
    r8: int = u64()
    rax: int = u64()
    rcx: int = u64()
    rdx: int = u64()
    rsi: int = u64()
    rdi: int = u64()
    orig_rax: int = u64()
    rip: int = u64()
    cs: int = u64()
    eflags: int = u64()
    rsp: int = u64()
    ss: int = u64()
    fs_base: int = u64()
    gs_base: int = u64()
    ds: int = u64()
    es: int = u64()
    fs: int = u64()
    gs: int = u64()

    @property
    def pc(self) -> int:
        """Where it runs."""
        return self.rip

    @property
    def sp(self) -> int:
        """Where its stack ends."""
        return self.rsp


@c_struct
class UserRegsAarch64(CStruct):
    """``struct user_regs_struct`` of aarch64. ``x8``: the system call's number."""

    C_NAME: ClassVar = "struct user_regs_struct"
    C_HEADER: ClassVar = "sys/user.h"
    MACHINES: ClassVar = frozenset({"aarch64"})
    x0: int = u64(c_name="regs[0]")
    x1: int = u64(c_name="regs[1]")
    x2: int = u64(c_name="regs[2]")
    x3: int = u64(c_name="regs[3]")
    x4: int = u64(c_name="regs[4]")
    x5: int = u64(c_name="regs[5]")
    x6: int = u64(c_name="regs[6]")
    x7: int = u64(c_name="regs[7]")
    x8: int = u64(c_name="regs[8]")
    x9: int = u64(c_name="regs[9]")
    x10: int = u64(c_name="regs[10]")
    x11: int = u64(c_name="regs[11]")
    x12: int = u64(c_name="regs[12]")
    x13: int = u64(c_name="regs[13]")
    x14: int = u64(c_name="regs[14]")
    x15: int = u64(c_name="regs[15]")
    x16: int = u64(c_name="regs[16]")
    x17: int = u64(c_name="regs[17]")
    x18: int = u64(c_name="regs[18]")
    x19: int = u64(c_name="regs[19]")
    x20: int = u64(c_name="regs[20]")
    x21: int = u64(c_name="regs[21]")
    x22: int = u64(c_name="regs[22]")
    x23: int = u64(c_name="regs[23]")
    x24: int = u64(c_name="regs[24]")
    x25: int = u64(c_name="regs[25]")
    x26: int = u64(c_name="regs[26]")
    x27: int = u64(c_name="regs[27]")
    x28: int = u64(c_name="regs[28]")
    x29: int = u64(c_name="regs[29]")
    x30: int = u64(c_name="regs[30]")
    sp: int = u64()
    pc: int = u64()
    pstate: int = u64()


AnyUserRegs = UserRegsX86 | UserRegsAarch64
_KINDS: Final[dict[str, type[AnyUserRegs]]] = {"x86_64": UserRegsX86, "aarch64": UserRegsAarch64}


def own_registers() -> type[AnyUserRegs]:
    """Return what the registers of this machine are."""
    return _KINDS[os.uname().machine]
