"""``<linux/filter.h>``: programs of classic BPF, as seccomp and sockets take them.

Owns the instructions and the value of a program. Their text is ``filter_text``'s.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import ClassVar, Final

import attrs

from rsyscall_ns.near.errors import RsyscallError, SerializerError
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, u8, u16, u32, u64

__all__ = ["BPF", "BPF_MAXINSNS", "FilterError", "FilterProgram", "SockFilter", "SockFprog"]

BPF_MAXINSNS: Final = 4096
_WORD: Final = 2**32 - 1
_SHIFT: Final = 31
_ALU: Final[dict[int, Callable[[int, int], int]]] = {
    0x00: lambda a, b: a + b,
    0x10: lambda a, b: a - b,
    0x20: lambda a, b: a * b,
    0x30: lambda a, b: a // b,
    0x40: lambda a, b: a | b,
    0x50: lambda a, b: a & b,
    0x60: lambda a, b: a << (b & _SHIFT),
    0x70: lambda a, b: a >> (b & _SHIFT),
    0x80: lambda a, b: -a,  # noqa: ARG005 - it has one operand
    0x90: lambda a, b: a % b,
    0xA0: lambda a, b: a ^ b,
}
_TESTS: Final[dict[int, Callable[[int, int], bool]]] = {
    0x10: lambda a, b: a == b,
    0x20: lambda a, b: a > b,
    0x30: lambda a, b: a >= b,
    0x40: lambda a, b: bool(a & b),
}


class BPF(IntEnum):
    """``BPF_*``: the parts of an instruction's code; those of one kind are added up."""

    LD = 0x00
    LDX = 0x01
    ST = 0x02
    STX = 0x03
    ALU = 0x04
    JMP = 0x05
    RET = 0x06
    MISC = 0x07
    W = 0x00
    H = 0x08
    B = 0x10
    IMM = 0x00
    ABS = 0x20
    IND = 0x40
    MEM = 0x60
    LEN = 0x80
    MSH = 0xA0
    ADD = 0x00
    SUB = 0x10
    MUL = 0x20
    DIV = 0x30
    OR = 0x40
    AND = 0x50
    LSH = 0x60
    RSH = 0x70
    NEG = 0x80
    MOD = 0x90
    XOR = 0xA0
    JA = 0x00
    JEQ = 0x10
    JGT = 0x20
    JGE = 0x30
    JSET = 0x40
    K = 0x00
    X = 0x08
    A = 0x10
    TAX = 0x00
    TXA = 0x80


class FilterError(RsyscallError, ValueError):
    """A program of classic BPF that can't be: its text, or what it is made of."""

    def __init__(self, why: str, line: int | None = None) -> None:
        where = "" if line is None else f"line {line}: "
        super().__init__(f"filter program, {where}{why}")


@c_struct
class SockFilter(CStruct):
    """``struct sock_filter``: one instruction. ``jt``, ``jf``: how many it skips then, or else."""

    C_NAME: ClassVar = "struct sock_filter"
    C_HEADER: ClassVar = "linux/filter.h"
    code: int = u16()
    jt: int = u8()
    jf: int = u8()
    k: int = u32()


@c_struct
class SockFprog(CStruct):
    """``struct sock_fprog``: how many instructions, and where they lie."""

    C_NAME: ClassVar = "struct sock_fprog"
    C_HEADER: ClassVar = "linux/filter.h"
    len: int = u16()
    filter: int = u64()


def _instructions(given: Iterable[SockFilter]) -> tuple[SockFilter, ...]:
    found = tuple(given)
    if not 1 <= len(found) <= BPF_MAXINSNS:
        raise FilterError(f"it has {len(found)} instructions, and may have 1 to {BPF_MAXINSNS}")
    return found


@value
class FilterProgram:
    """A program of classic BPF: 1 to 4096 instructions."""

    instructions: tuple[SockFilter, ...] = attrs.field(converter=_instructions)

    def pack(self) -> bytes:
        """Return the array of ``struct sock_filter``."""
        return b"".join(one.pack() for one in self.instructions)

    @classmethod
    def unpack(cls, data: bytes) -> FilterProgram:
        """Return the program that an array is; raises SerializerError for a part of one."""
        size = SockFilter.sizeof()
        if len(data) % size:
            whole = len(data) // size + 1
            raise SerializerError(f"{whole} of struct sock_filter", whole * size, len(data))
        steps = range(0, len(data), size)
        return cls(SockFilter.unpack(data[at : at + size]) for at in steps)

    def __len__(self) -> int:
        return len(self.instructions)

    def answer(self, data: bytes) -> int:
        """Return what the program answers for ``data``, as seccomp would run it.

        Words are in the order of this machine's bytes; a socket's are not. What seccomp does not
        allow in a program raises FilterError.
        """
        return _Machine(data).run(self.instructions)


class _Machine:
    """Runs those instructions that seccomp allows."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.a = 0
        self.x = 0
        self.memory = [0] * 16

    def run(self, steps: tuple[SockFilter, ...]) -> int:
        at = 0
        while at < len(steps):
            step = steps[at]
            kind = step.code & 7
            if kind == BPF.RET:
                return self.a if step.code & 0x18 == BPF.A else step.k
            at += 1 + (self._skip(step) if kind == BPF.JMP else self._do(step, kind))
        raise FilterError("it runs past its last instruction")

    def _skip(self, step: SockFilter) -> int:
        how = step.code & 0xF0
        if how == BPF.JA:
            return step.k
        if how not in _TESTS:
            raise FilterError(f"there is no jump of code {step.code:#x}")
        return step.jt if _TESTS[how](self.a, self._operand(step)) else step.jf

    def _operand(self, step: SockFilter) -> int:
        return self.x if step.code & BPF.X else step.k

    def _do(self, step: SockFilter, kind: int) -> int:
        if kind in {BPF.LD, BPF.LDX}:
            value = self._load(step)
            self.a, self.x = (value, self.x) if kind == BPF.LD else (self.a, value)
        elif kind in {BPF.ST, BPF.STX}:
            self.memory[step.k & 15] = self.a if kind == BPF.ST else self.x
        elif kind == BPF.ALU:
            self._calculate(step)
        elif step.code & 0xF8 == BPF.TXA:
            self.a = self.x
        else:
            self.x = self.a
        return 0

    def _calculate(self, step: SockFilter) -> None:
        how, operand = step.code & 0xF0, self._operand(step)
        if how not in _ALU or (not operand and how in {BPF.DIV, BPF.MOD}):
            raise FilterError(f"code {step.code:#x} can't be calculated with {operand}")
        self.a = _ALU[how](self.a, operand) & _WORD

    def _load(self, step: SockFilter) -> int:
        mode = step.code & 0xE0
        if mode == BPF.IMM:
            return step.k
        if mode == BPF.MEM:
            return self.memory[step.k & 15]
        if mode == BPF.LEN:
            return len(self.data)
        if step.code != BPF.LD | BPF.W | BPF.ABS or step.k % 4 or step.k + 4 > len(self.data):
            raise FilterError(f"seccomp does not allow a load of code {step.code:#x} at {step.k}")
        word: int = struct.unpack_from("<I", self.data, step.k)[0]
        return word
