"""Programs: lists of writes, calls and reads that are carried out in one go.

Owns the wire form of a program (``ffi/server/wire.h``, struct ``rs_op``). Knows nothing of how
a program gets to the process that carries it out.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_right
from collections.abc import Callable
from itertools import count
from typing import Final

from attrs import field, frozen

from .errors import ReturnsInChildError, RsyscallError, kernel_error
from .ids import INT_MAX, fit
from .nr import SYS, name_of
from .nr.signatures import signature

__all__ = [
    "OP",
    "Argument",
    "Blame",
    "Call",
    "Program",
    "ProgramError",
    "Read",
    "Ref",
    "Region",
    "Results",
    "Write",
]

OP: Final = struct.Struct("<BBBxI6QQ")
KIND_CALL, KIND_WRITE, KIND_READ = 1, 2, 3
MUST_SUCCEED: Final = 1
LOWEST_ERROR: Final = -4095
MASK: Final = 2**64 - 1
LOWEST: Final = -(2**63)
LONGEST: Final = 2**30  # bytes of one read step
SHOWN: Final = 256  # bytes of a string, in messages
LARGE: Final = 4096  # what is shown in hexadecimal
ARGUMENTS: Final = 6
FIRST_ARGUMENT: Final = 8  # where it is in a step
WORD: Final = 8  # bytes
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


@frozen
class Region:
    """Memory that a program has while it is carried out, used as an argument: its address.

    ``region + n`` is the address ``n`` bytes further on.
    """

    key: int  # no other program's memory has it
    size: int  # bytes
    offset: int = 0

    def __add__(self, more: int) -> Region:
        return Region(self.key, self.size, fit("offset", self.offset + more, 0, self.size))


Argument = int | Ref | Region
Blame = Callable[[int, str], OSError]  # of an errno, and of a text that tells the step
_keys = count()
_REFS = tuple(Ref(step) for step in range(256))


def ref_to(step: int) -> Ref:
    """Return the reference to a step; the first ones are made once."""
    return _REFS[step] if step < len(_REFS) else Ref(step)


@frozen
class Write:
    """Copy ``data`` to ``address`` in the process."""

    address: Argument
    data: bytes


@frozen
class Call:
    """Make a system call; a failing ``must_succeed`` call ends the program."""

    number: int
    args: tuple[Argument, ...] = ()
    must_succeed: bool = True


@frozen
class Read:
    """Copy ``length`` bytes from ``address`` in the process."""

    address: Argument
    length: int


class Program:
    """A program under construction; it may be executed any number of times.

    ``call``, ``write`` and ``read`` append a step and return a :class:`Ref` to its result. An
    argument is an int (negative ones as in C), such a Ref, or the :class:`Region` that ``room``
    returns.
    """

    __slots__ = (
        "blames",
        "interruptible",
        "links",
        "ops",
        "payloads",
        "places",
        "reads",
        "regions",
    )

    def __init__(self, steps: tuple[Write | Call | Read, ...] = ()) -> None:
        self.ops = bytearray()
        self.payloads: list[tuple[int, bytes]] = []
        self.reads: list[tuple[int, int]] = []
        self.regions: dict[int, bytes] = {}  # by key: what is in them when it begins
        self.places: list[tuple[int, Region]] = []  # in ops: where the address of one goes
        self.links: list[tuple[Region, Region]] = []  # in the first: the address of the second
        self.blames: list[tuple[int, Blame]] = []  # from which step on
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

    def room(self, content: bytes | bytearray | memoryview | int) -> Region:
        """Have memory with this content, or so many zeros, while the program is carried out.

        Its address is a multiple of 8; ``Results.read`` gives what is in it at the end. A byte of
        0 is behind it.
        """
        if isinstance(content, int):
            fit("length", content, 0, LONGEST)
        copy = bytes(content)
        region = Region(next(_keys), len(copy))
        self.regions[region.key] = copy
        return region

    def link(self, place: Region, to: Region) -> None:
        """Have the address of ``to`` stand at ``place`` when the program begins."""
        if not {place.key, to.key} <= self.regions.keys():
            raise ProgramError("a link is between memory of one program")
        fit("offset", place.offset, 0, place.size - WORD)
        self.links.append((place, to))

    def call(self, number: int, *args: Argument, must_succeed: bool = True) -> Ref:
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

    def blame(self, who: Blame) -> None:
        """Have the errors of the steps that follow be what ``who`` makes of them."""
        self.blames.append((len(self), who))

    def write(self, address: Argument, data: bytes) -> Ref:
        """Append a copy of ``data`` into the process's memory."""
        ref = self._append(KIND_WRITE, 0, 0, (address, len(data), 0))
        self.payloads.append((ref.step, bytes(data)))
        return ref

    def read(self, address: Argument, length: int) -> Ref:
        """Append a copy out of the process's memory; its result is ``bytes``."""
        fit("length", length, 0, LONGEST)
        ref = self._append(KIND_READ, 0, 0, (address, length, 0))
        self.reads.append((ref.step, length))
        return ref

    def _append(self, kind: int, flags: int, number: int, args: tuple[Argument, ...]) -> Ref:
        step = len(self.ops) // OP.size
        places: list[tuple[int, Region]] = []
        refs = 0
        words = [0] * ARGUMENTS
        if len(args) > ARGUMENTS:
            raise ProgramError(f"a system call has at most {ARGUMENTS} arguments, not {len(args)}")
        for index, arg in enumerate(args):
            if isinstance(arg, Ref):
                if not 0 <= arg.step < step:
                    raise ProgramError(
                        f"step {step + 1} refers to step {arg.step + 1}, which is not before it"
                    )
                refs |= 1 << index
                words[index] = arg.step
            elif isinstance(arg, Region):
                if arg.key not in self.regions:
                    raise ProgramError(f"step {step + 1} uses the memory of another program")
                places.append((step * OP.size + FIRST_ARGUMENT + WORD * index, arg))
            else:
                words[index] = fit("argument", arg, LOWEST, MASK) & MASK
        self.ops += OP.pack(kind, flags, refs, number, *words, 0)
        self.places += places
        return ref_to(step)

    def extend(self, other: Program) -> int:
        """Append all steps of another one; returns the number of the first of them.

        What was ``Ref(n)`` there is ``Ref(first + n)`` here; a Region stays the same, and is that
        of the first time if a program is appended twice.
        """
        first, at = len(self), len(self.ops)
        keys = {key: next(_keys) if key in self.regions else key for key in other.regions}
        ops = bytearray(other.ops)
        if first:
            for step in range(len(other)):
                kind, flags, refs, number, *words, end = OP.unpack_from(ops, step * OP.size)
                words = [word + first if refs & 1 << n else word for n, word in enumerate(words)]
                OP.pack_into(ops, step * OP.size, kind, flags, refs, number, *words, end)
        self.ops += ops
        self.payloads += [(first + step, data) for step, data in other.payloads]
        self.reads += [(first + step, length) for step, length in other.reads]
        self.blames += [(first + step, who) for step, who in other.blames]
        self.regions |= {keys[key]: content for key, content in other.regions.items()}

        def moved(region: Region) -> Region:
            return Region(keys[region.key], region.size, region.offset)

        self.places += [(at + place, moved(region)) for place, region in other.places]
        self.links += [(moved(place), moved(to)) for place, to in other.links]
        return first

    def step(self, index: int) -> Write | Call | Read:
        """Return one step as a value, for messages and tests."""
        kind, flags, refs, number, *words, _ = OP.unpack_from(self.ops, index * OP.size)
        args: list[Argument] = [
            Ref(word) if refs & 1 << place else word for place, word in enumerate(words[:ARGUMENTS])
        ]
        for place, region in self.places:
            at = place - index * OP.size - FIRST_ARGUMENT
            if 0 <= at < WORD * ARGUMENTS:
                args[at // WORD] = region
        if kind == KIND_CALL:
            return Call(number, tuple(args), bool(flags & MUST_SUCCEED))
        if kind == KIND_READ:
            return Read(args[0], words[1])
        return Write(args[0], dict(self.payloads)[index])


@frozen
class Results:
    """What a program gave: for a call the kernel's result, for a read the bytes."""

    program: Program
    values: tuple[int, ...]
    data: dict[int, bytes] = field(factory=dict)
    regions: dict[int, bytes] = field(factory=dict)  # by key
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every step was carried out."""
        return len(self.values) == len(self.program)

    def value(self, ref: Ref) -> int:
        """Return a call's raw result; negative ones are ``-errno``."""
        return self.values[ref.step]

    def read(self, what: Ref | Region) -> bytes:
        """Return the bytes of a read step, or what is in a region, from its offset on."""
        if isinstance(what, Region) and what.key in self.regions:
            return self.regions[what.key][what.offset :]
        if isinstance(what, Ref) and what.step in self.data:
            return self.data[what.step]
        raise ProgramError(f"nothing was read from {what}: it is not of the program that ran")

    def part(self, first: int, program: Program) -> Results:
        """Return what a program gave that this one was extended by; without data."""
        return Results(program, self.values[first : first + len(program)])

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
            raise kernel_error(-result, name_of(call.number), where, path, call.args)
        return result

    def check(self, where: object, path: object = None) -> Results:
        """Raise the error of the call that ended the program, if one did."""
        failed = self.failure()
        if failed is not None:
            step, number = failed
            call = self.program.step(step)
            assert isinstance(call, Call)
            error = kernel_error(number, name_of(call.number), where, path, call.args)
            error.add_note(
                f"step {step + 1} of {len(self.program)}: {describe(self.program, call)}"
            )
            raise error
        return self

    def error(self, step: int, where: object) -> OSError:
        """Return the error of a call that failed: it names the step, the call, its arguments."""
        call = self.program.step(step)
        assert isinstance(call, Call)
        number = -self.values[step]
        shown = describe(self.program, call)
        text = f"{os.strerror(number)} [step {step + 1} of {len(self.program)}: {shown} in {where}]"
        blames = self.program.blames
        at = bisect_right(blames, step, key=lambda blame: blame[0])
        return blames[at - 1][1](number, text) if at else OSError(number, text)


def describe(program: Program, call: Call) -> str:
    """Return a call of a program as one would write it, for messages."""
    name = name_of(call.number)
    known = signature(name)
    if known is None:
        return f"{name}({', '.join(show(program, arg) for arg in call.args)})"
    named = zip(known.parameters, call.args, strict=False)
    return f"{name}({', '.join(f'{at.name}={show(program, arg)}' for at, arg in named)})"


def show(program: Program, arg: Argument) -> str:
    """Return an argument as one would write it."""
    if isinstance(arg, Ref):
        return f"result of step {arg.step + 1}"
    if isinstance(arg, Region):
        content = program.regions[arg.key][arg.offset :]
        shown = content[:SHOWN].rstrip(b"\0")
        if not shown:
            return f"{len(content)} bytes"
        return repr(shown) + ("..." if len(content) > SHOWN else "")
    signed = arg - 2**64 if arg >= 2**63 else arg
    return str(signed) if abs(signed) < LARGE else hex(signed)
