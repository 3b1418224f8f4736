"""Instructions of BPF, as ``<linux/bpf.h>`` has them, and programs of them with labels."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

import attrs

from rsyscall_ns.near.errors import RsyscallError, SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["BpfInsn", "BpfProgram", "BpfProgramError"]

_INSN: Final = struct.Struct("<BBhi")
_SIZES: Final = {1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18}
_ALU: Final = {
    "+": 0x00,
    "-": 0x10,
    "*": 0x20,
    "/": 0x30,
    "|": 0x40,
    "&": 0x50,
    "<<": 0x60,
    ">>": 0x70,
    "%": 0x90,
    "^": 0xA0,
    "=": 0xB0,
    "s>>": 0xC0,
}
_JUMPS: Final = {
    "==": 0x10,
    ">": 0x20,
    ">=": 0x30,
    "&": 0x40,
    "!=": 0x50,
    "s>": 0x60,
    "s>=": 0x70,
    "<": 0xA0,
    "<=": 0xB0,
    "s<": 0xC0,
    "s<=": 0xD0,
}
WIDE = 64  # bits
WORD = 8  # bytes
_LDX, _ST, _STX, _JMP, _ALU64, _ALU32 = 0x61, 0x62, 0x63, 0x05, 0x07, 0x04
_LOAD_64, _BY_REGISTER, _PSEUDO_MAP_IDX, _GOTO, _CALL, _EXIT = 0x18, 0x08, 5, 0x05, 0x85, 0x95
_WIDTHS: Final = {64: _ALU64, 32: _ALU32}
_REGISTERS: Final = 10
_LARGEST_SIGNED: Final = 2**31 - 1


class BpfProgramError(RsyscallError, ValueError):
    """A program of BPF that can't be put together."""

    def __init__(self, why: str) -> None:
        super().__init__(f"BPF program: {why}")


@value
class BpfInsn:
    """One ``struct bpf_insn``. ``to``: the label that a jump goes to, until it is put together.

    An operand is a register by its name, ``"r1"``, or a number of 32 bits. Where it is used with
    64 bits the kernel extends its sign, so it is at most 2**31 - 1 there: ``load_64`` takes more.
    """

    code: int
    dst: int = 0
    src: int = 0
    off: int = 0
    imm: int = 0
    to: str = ""

    def pack(self) -> bytes:
        """Return the eight bytes; what does not fit raises ArgumentRangeError."""
        fit("code", self.code, 0, 255)
        registers = fit("src", self.src, 0, 15) << 4 | fit("dst", self.dst, 0, 15)
        fit("off", self.off, -(2**15), 2**15 - 1)
        return _INSN.pack(self.code, registers, self.off, fit("imm", self.imm, -(2**31), 2**31 - 1))

    @classmethod
    def unpack(cls, data: bytes) -> BpfInsn:
        """Return the instruction that eight bytes are."""
        if len(data) != _INSN.size:
            raise SerializerError("struct bpf_insn", _INSN.size, len(data))
        code, registers, off, imm = _INSN.unpack(data)
        return cls(code, registers & 15, registers >> 4, off, imm)

    @classmethod
    def alu(cls, dst: str, op: str, operand: str | int, *, bits: int = 64) -> BpfInsn:
        """``dst op= operand``, of 64 or 32 bits; ``=`` just moves."""
        code = _known("operator", op, _ALU) | _known("number of bits", bits, _WIDTHS)
        return cls._with_operand(code, dst, operand, wide=bits == WIDE)

    @classmethod
    def load(cls, size: int, dst: str, address: str, off: int = 0) -> BpfInsn:
        """``dst = *(address + off)``, of 1, 2, 4 or 8 bytes."""
        return cls(_known("size", size, _SIZES) | _LDX, _register(dst), _register(address), off)

    @classmethod
    def store(cls, size: int, address: str, off: int, operand: str | int) -> BpfInsn:
        """``*(address + off) = operand``, of 1, 2, 4 or 8 bytes."""
        code = _known("size", size, _SIZES)
        if isinstance(operand, str):
            return cls(code | _STX, _register(address), _register(operand), off)
        return cls(code | _ST, _register(address), 0, off, _signed(operand, wide=size == WORD))

    @classmethod
    def jump(cls, dst: str, op: str, operand: str | int, to: str) -> BpfInsn:
        """Go to a label if ``dst op operand``."""
        made = cls._with_operand(_known("operator", op, _JUMPS) | _JMP, dst, operand, wide=True)
        return attrs.evolve(made, to=to)

    @classmethod
    def goto(cls, to: str) -> BpfInsn:
        """Go to a label."""
        return cls(_GOTO, to=to)

    @classmethod
    def call(cls, function: int) -> BpfInsn:
        """Call a function of the kernel by its number."""
        return cls(_CALL, imm=function)

    @classmethod
    def leave(cls) -> BpfInsn:
        """End, with ``r0``."""
        return cls(_EXIT)

    @classmethod
    def load_map(cls, dst: str, place: int) -> list[BpfInsn]:
        """``dst`` = the map at this place of ``prog_load(maps=...)``; two instructions."""
        return [cls(_LOAD_64, _register(dst), _PSEUDO_MAP_IDX, 0, place), cls(0)]

    @classmethod
    def load_64(cls, dst: str, value: int) -> list[BpfInsn]:
        """``dst`` = a number of 64 bits; two instructions."""
        fit("number", value, -(2**63), 2**64 - 1)
        low, high = value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF
        return [cls(_LOAD_64, _register(dst), 0, 0, _signed(low)), cls(0, imm=_signed(high))]

    @classmethod
    def _with_operand(cls, code: int, dst: str, operand: str | int, *, wide: bool) -> BpfInsn:
        if isinstance(operand, str):
            return cls(code | _BY_REGISTER, _register(dst), _register(operand))
        return cls(code, _register(dst), 0, 0, _signed(operand, wide=wide))


@value
class BpfProgram:
    """A program of BPF."""

    instructions: tuple[BpfInsn, ...]

    @classmethod
    def assemble(cls, *parts: BpfInsn | Iterable[BpfInsn] | str) -> BpfProgram:
        """Put instructions together; a string is a label, of what follows it."""
        labels: dict[str, int] = {}
        steps: list[BpfInsn] = []
        for part in parts:
            if isinstance(part, str):
                if part in labels:
                    raise BpfProgramError(f"there are two labels {part!r}")
                labels[part] = len(steps)
            else:
                steps += [part] if isinstance(part, BpfInsn) else part
        return cls(tuple(_resolved(step, at, labels) for at, step in enumerate(steps)))

    def pack(self) -> bytes:
        """Return the array of ``struct bpf_insn``."""
        for step in self.instructions:
            if step.to:
                raise BpfProgramError(f"a jump to {step.to!r} was not put together: use assemble")
        return b"".join(step.pack() for step in self.instructions)

    @classmethod
    def unpack(cls, data: bytes) -> BpfProgram:
        """Return the program that an array is; raises SerializerError for a part of one."""
        size = _INSN.size
        if len(data) % size:
            whole = len(data) // size + 1
            raise SerializerError(f"{whole} of struct bpf_insn", whole * size, len(data))
        parts = range(0, len(data), size)
        return cls(tuple(BpfInsn.unpack(data[at : at + size]) for at in parts))


def _resolved(step: BpfInsn, at: int, labels: dict[str, int]) -> BpfInsn:
    if not step.to:
        return step
    if step.to not in labels:
        raise BpfProgramError(f"there is no label {step.to!r}")
    return attrs.evolve(step, off=labels[step.to] - at - 1, to="")


def _known(what: str, key: str | int, found: dict[str, int] | dict[int, int]) -> int:
    for name, code in found.items():
        if name == key:
            return code
    raise BpfProgramError(f"{key!r} is no {what}: there are {', '.join(map(str, found))}")


def _register(name: str) -> int:
    number = name.removeprefix("r")
    if not name.startswith("r") or not number.isdecimal() or int(number) > _REGISTERS:
        raise BpfProgramError(f"{name!r} is no register: there are r0 to r10")
    return int(number)


def _signed(value: int, *, wide: bool = False) -> int:
    fit("immediate", value, -(2**31), _LARGEST_SIGNED if wide else 2**32 - 1)
    return value if value <= _LARGEST_SIGNED else value - 2**32
