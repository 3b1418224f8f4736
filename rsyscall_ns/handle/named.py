"""System calls by name: how the arguments of one become a step of a program."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, TypeGuard, cast, final

from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.nr.signatures import Parameter, Signature, signature, signatures
from rsyscall_ns.near.program import (
    FIRST_ARGUMENT,
    OP,
    SHOWN,
    WORD,
    Argument,
    ProgramError,
    Ref,
    Region,
)
from rsyscall_ns.near.strings import StrPath, c_string

from .fds.fd import FileDescriptor
from .fds.holding import FDRef, HoldingProgram
from .makes import MAKES, WHERE, kind_made_by
from .pointers.pointer import Pointer

__all__ = ["NamedCalls", "UnknownCallError"]

CHARS: Final = {"char*", "void*"}
CLOSING: Final = {"close", "close_range"}


class UnknownCallError(RsyscallError, AttributeError):
    """There is no system call of that name, or this processor's kernel does not have it."""

    def __init__(self, name: str, *, known: bool) -> None:
        why = f"not on {os.uname().machine}" if known else "not in Linux 6.18"
        super().__init__(f"there is no system call {name!r}: {why}")


@final
class NamedCalls:
    """Appends calls to a program: ``calls.openat(...)``."""

    __slots__ = ("_program",)

    def __init__(self, program: HoldingProgram) -> None:
        self._program = program

    def __dir__(self) -> list[str]:
        return [name for name in signatures() if hasattr(SYS, name)]

    def __getattr__(self, name: str) -> Callable[..., Ref]:
        known = signature(name)
        number = getattr(SYS, name, None)
        if known is None or number is None:
            raise UnknownCallError(name, known=known is not None)
        program = self._program

        def append(*args: object, must_succeed: bool = True, **named: object) -> Ref:
            given = arrange(name, known, args, named)
            words = [
                word(program, name, parameter, value)
                for parameter, value in zip(known.parameters, given, strict=False)
            ]
            ref = program.call(number, *words, must_succeed=must_succeed)
            start = ref.step * OP.size + FIRST_ARGUMENT
            for index, value in enumerate(given):
                if is_handle(value):
                    program.handles.append((start + WORD * index, value))
            if name in MAKES:
                ref = FDRef(ref.step, kind_made_by(name))
                place, values = WHERE.get(name, (0, None))
                if values is None or given[place] in values:
                    program.made[ref.step] = ref
            return ref

        append.__name__ = name
        return append


def arrange(
    name: str, known: Signature, args: tuple[object, ...], named: dict[str, object]
) -> list[object]:
    """Return the arguments in the order of the parameters."""
    names = [parameter.name for parameter in known.parameters]
    given = dict(zip(names, args, strict=False))
    twice = given.keys() & named.keys()
    given.update(named)
    most = len(given)
    if (
        len(args) > len(names)
        or twice
        or not given.keys() <= set(names)
        or most < known.least
        or set(names[:most]) != given.keys()
    ):
        by_name = (f"{key}={shown(value)}" for key, value in named.items())
        took = ", ".join([*map(shown, args), *by_name])
        raise ProgramError(f"{name} takes ({', '.join(names)}), not ({took})")
    return [given[key] for key in names[:most]]


def word(program: HoldingProgram, name: str, parameter: Parameter, value: object) -> Argument:
    """Return the word of one argument; memory that it needs becomes the program's."""
    if isinstance(value, int):
        return fit(f"{parameter.name} of {name}", value, *parameter.range)
    if isinstance(value, Ref) or (isinstance(value, Region) and parameter.address):
        return value
    if isinstance(value, FileDescriptor) and parameter.fd:
        refuse_closing(name)
        return value.near.number  # of today: it is asked for again when it is run
    if is_pointer(value) and parameter.address:
        return 0  # for now: it is asked for its address when it is run
    if value is None and parameter.pointer:
        return 0
    data = content(parameter, value)
    if data is None:
        c_type = parameter.c_type
        raise ProgramError(f"{parameter.name} of {name} is {c_type}, and can't be {shown(value)}")
    return program.room(data)


def content(parameter: Parameter, value: object) -> bytes | None:
    """Return what is to be in memory, so that its address is the argument; None: it can't be."""
    if parameter.pointer:
        if isinstance(value, (bytes, bytearray, memoryview)) and not parameter.text:
            return bytes(cast("bytes", value))
        if isinstance(value, (str, bytes, os.PathLike)) and is_text(parameter):
            return c_string(cast("StrPath", value))
    return None


def shown(value: object) -> str:
    """Return a value for a message: a buffer may be long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def is_handle(value: object) -> TypeGuard[FileDescriptor | Pointer[Any]]:
    """Whether the word of an argument is known only when the program is run."""
    return isinstance(value, (FileDescriptor, Pointer))


def is_pointer(value: object) -> TypeGuard[Pointer[Any]]:
    """Whether it is a pointer of any type."""
    return isinstance(value, Pointer)


def is_text(parameter: Parameter) -> bool:
    """Whether a string can be given; data of no type at all may be one."""
    return parameter.text or parameter.c_type.removeprefix("const ") in CHARS


def refuse_closing(name: str) -> None:
    """Refuse a handle whose fd would be closed behind its back."""
    if name in CLOSING:
        raise ProgramError(f"{name} would leave a handle of nothing: use handle.close()")
