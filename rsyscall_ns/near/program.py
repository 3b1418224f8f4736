"""Programs: lists of writes, calls and reads that are carried out in one go.

Owns the wire form of a program (``ffi/server/wire.h``, struct ``rs_op``). Knows nothing of how
a program gets to the process that carries it out.
"""

from __future__ import annotations

import struct
from typing import Final, final

from attrs import field, frozen

from .errors import ReturnsInChildError, RsyscallError, kernel_error
from .ids import INT_MAX, fit
from .nr import SYS, name_of

__all__ = ["OP", "Call", "Program", "ProgramError", "Read", "Ref", "Results", "Write"]

OP: Final = struct.Struct("<BBBxI6QQ")
KIND_CALL, KIND_WRITE, KIND_READ = 1, 2, 3
MUST_SUCCEED: Final = 1
LOWEST_ERROR: Final = -4095
MASK: Final = 2**64 - 1
LOWEST: Final = -(2**63)
LONGEST: Final = 2**30  # bytes of one read step
ARGUMENTS: Final = 6
ZEROS: Final = tuple((0,) * (ARGUMENTS - used + 1) for used in range(ARGUMENTS + 1))
RETURNS_TWICE: Final = {
    number: name for name in ("fork", "vfork") if (number := getattr(SYS, name, None)) is not None
}


class ProgramError(RsyscallError, ValueError):
    """A step that can't be part of a program."""


@frozen
class Ref:
    """The result of an earlier step of the same program, used as an argument."""

    step: int


_REFS = tuple(Ref(step) for step in range(256))


def ref_to(step: int) -> Ref:
    """Return the reference to a step; the first ones are made once."""
    return _REFS[step] if step < len(_REFS) else Ref(step)


@frozen
class Write:
    """Copy ``data`` to ``address`` in the process."""

    address: int | Ref
    data: bytes


@frozen
class Call:
    """Make a system call; a failing ``must_succeed`` call ends the program."""

    number: int
    args: tuple[int | Ref, ...] = ()
    must_succeed: bool = True


@frozen
class Read:
    """Copy ``length`` bytes from ``address`` in the process."""

    address: int | Ref
    length: int


@final
class Program:
    """A program under construction; it may be executed any number of times.

    ``call``, ``write`` and ``read`` append a step and return a :class:`Ref` to its result. An
    argument is an int (negative ones as in C) or such a Ref.
    """

    __slots__ = ("interruptible", "ops", "payloads", "reads")

    def __init__(self, steps: tuple[Write | Call | Read, ...] = ()) -> None:
        self.ops = bytearray()
        self.payloads: list[tuple[int, bytes]] = []
        self.reads: list[tuple[int, int]] = []
        self.interruptible = True
        for step in steps:
            match step:
                case Write(address, data):
                    self.write(address, data)
                case Call(number, args, must_succeed):
                    self.call(number, *args, must_succeed=must_succeed)
                case Read(address, length):
                    self.read(address, length)

    def __len__(self) -> int:
        return len(self.ops) // OP.size

    def call(self, number: int, *args: int | Ref, must_succeed: bool = True) -> Ref:
        """Append a system call."""
        fit("system call number", number, 0, INT_MAX)
        if number in RETURNS_TWICE:
            raise ReturnsInChildError(RETURNS_TWICE[number])
        flags = MUST_SUCCEED if must_succeed else 0
        try:
            # the usual case: nothing but numbers that are words already
            self.ops += OP.pack(KIND_CALL, flags, 0, number, *args, *ZEROS[len(args)])
        except (struct.error, IndexError):
            return self._append(KIND_CALL, flags, number, args)
        return ref_to(len(self.ops) // OP.size - 1)

    def write(self, address: int | Ref, data: bytes) -> Ref:
        """Append a copy of ``data`` into the process's memory."""
        ref = self._append(KIND_WRITE, 0, 0, (address, len(data), 0))
        self.payloads.append((ref.step, bytes(data)))
        return ref

    def read(self, address: int | Ref, length: int) -> Ref:
        """Append a copy out of the process's memory; its result is ``bytes``."""
        fit("length", length, 0, LONGEST)
        ref = self._append(KIND_READ, 0, 0, (address, length, 0))
        self.reads.append((ref.step, length))
        return ref

    def _append(self, kind: int, flags: int, number: int, args: tuple[int | Ref, ...]) -> Ref:
        step = len(self.ops) // OP.size
        refs = 0
        words = [0] * ARGUMENTS
        if len(args) > ARGUMENTS:
            raise ProgramError(f"a system call has at most {ARGUMENTS} arguments, not {len(args)}")
        for index, arg in enumerate(args):
            if isinstance(arg, Ref):
                if not 0 <= arg.step < step:
                    raise ProgramError(f"step {step} refers to step {arg.step}, not before it")
                refs |= 1 << index
                words[index] = arg.step
            else:
                words[index] = fit("argument", arg, LOWEST, MASK) & MASK
        self.ops += OP.pack(kind, flags, refs, number, *words, 0)
        return ref_to(step)

    def step(self, index: int) -> Write | Call | Read:
        """Return one step as a value, for messages and tests."""
        kind, flags, refs, number, *words, _ = OP.unpack_from(self.ops, index * OP.size)
        args = tuple(
            Ref(word) if refs & 1 << place else word for place, word in enumerate(words[:ARGUMENTS])
        )
        if kind == KIND_CALL:
            return Call(number, args, bool(flags & MUST_SUCCEED))
        if kind == KIND_READ:
            return Read(args[0], words[1])
        return Write(args[0], dict(self.payloads)[index])


@frozen
class Results:
    """What a program gave: for a call the kernel's result, for a read the bytes."""

    program: Program
    values: tuple[int, ...]
    data: dict[int, bytes] = field(factory=dict)
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every step was carried out."""
        return len(self.values) == len(self.program)

    def value(self, ref: Ref) -> int:
        """Return a call's raw result; negative ones are ``-errno``."""
        return self.values[ref.step]

    def read(self, ref: Ref) -> bytes:
        """Return the bytes of a read step."""
        return self.data[ref.step]

    def failure(self) -> tuple[int, int] | None:
        """Return (step, errno) of the must-succeed call that ended the program, or None."""
        if not self.values:
            return None
        step = len(self.values) - 1
        result = self.values[step]
        kind, flags = self.program.ops[step * OP.size : step * OP.size + 2]
        failed = kind == KIND_CALL and flags & MUST_SUCCEED and LOWEST_ERROR <= result < 0
        return (step, -result) if failed else None

    def require(self, ref: Ref, where: object, path: object = None) -> int:
        """Return a call's result, or raise its error, whether it had to succeed or not."""
        result = self.values[ref.step]
        if LOWEST_ERROR <= result < 0:
            call = self.program.step(ref.step)
            assert isinstance(call, Call)
            raise kernel_error(-result, name_of(call.number), where, path)
        return result

    def check(self, where: object, path: object = None) -> Results:
        """Raise the error of the call that ended the program, if one did."""
        failed = self.failure()
        if failed is not None:
            step, number = failed
            call = self.program.step(step)
            assert isinstance(call, Call)
            error = kernel_error(number, name_of(call.number), where, path)
            error.add_note(f"step {step + 1} of {len(self.program)}: {describe(call)}")
            raise error
        return self


def describe(call: Call) -> str:
    """Return a call as one would write it, for messages."""
    args = ", ".join(
        f"result of step {arg.step + 1}" if isinstance(arg, Ref) else hex(arg) for arg in call.args
    )
    return f"{name_of(call.number)}({args})"
