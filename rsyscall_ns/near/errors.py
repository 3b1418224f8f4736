"""The base of every named error, and how a kernel error gets its context.

Owns :class:`RsyscallError` and the errors of the lowest layer. A system call that fails raises
the plain ``OSError`` subclass of its errno (``PermissionError``, ``ProcessLookupError`` ...): its
message says which call failed, on which fd, in which process.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from errno import ENOSYS
from typing import Final, Self

from .nr.fd_first import FD_FIRST
from .nr.table import rows

__all__ = [
    "ArgumentRangeError",
    "MissingCallError",
    "PathError",
    "ReturnsInChildError",
    "RsyscallError",
    "SerializerError",
    "TaskLostError",
    "UnresponsiveTaskError",
    "kernel_error",
    "missing_call",
    "named_here",
]

FD_LIMIT: Final = 2**31
# calls that are many in one: which argument says what is done
SUBCALLS: Final = {
    "arch_prctl": 0,
    "bpf": 0,
    "fcntl": 1,
    "keyctl": 0,
    "prctl": 0,
    "seccomp": 0,
}


class RsyscallError(Exception):
    """Base of all errors that this library names itself."""


class ArgumentRangeError(RsyscallError, ValueError):
    """An argument does not fit the C type that it would be stored in."""

    def __init__(self, what: str, value: int, low: int, high: int) -> None:
        super().__init__(f"{what} is {value}, but must be from {low} to {high}")


class PathError(RsyscallError, ValueError):
    """A path or string that the kernel could not be given, such as one with a NUL byte."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"{path!r} {why}")


class SerializerError(RsyscallError, ValueError):
    """Bytes that are not a value of the type: too few, too many, or of another form."""

    def __init__(self, what: str, need: int, got: int, *, least: bool = False) -> None:
        amount = f"at least {need}" if least else str(need)
        super().__init__(f"{what} takes {amount} bytes, but there are {got}")

    @classmethod
    def malformed(cls, what: str, why: str) -> Self:
        """Build the error of bytes that are as many as they must be, but of another form."""
        error = cls(what, 0, 0)
        error.args = (f"{what} {why}",)
        return error


class ReturnsInChildError(RsyscallError, ValueError):
    """A call that would return a second time, in a child on the very same stack."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}(2) would return twice into the same code: use task.spawn() or task.clone(), "
            "which give the child a stack of its own"
        )


class TaskLostError(RsyscallError):
    """The process that should have made the call has exec'd, died or can't be reached."""

    def __init__(self, process: object, why: str) -> None:
        super().__init__(f"no call can be made in {process}: {why}")


class UnresponsiveTaskError(TaskLostError):
    """The process has not answered an interrupt in time; whether the call happens is not known."""


class MissingCallError(RsyscallError, OSError):
    """A system call that this kernel or this machine lacks, or that is denied as if it did.

    Its errno is ENOSYS.
    """


def made_on(call: str, args: Sequence[object]) -> str:
    """Return words that name what a call was to do, and the fd that it was made on.

    None where there was none, and no operation where it was given as a plain number.
    """
    at = SUBCALLS.get(call, len(args))
    operation = args[at] if at < len(args) else None
    doing = f" {operation.name}" if isinstance(operation, IntEnum) else ""
    fd = args[0] if args and call in FD_FIRST else None
    if not isinstance(fd, int) or not 0 <= fd < FD_LIMIT:
        return doing
    if call == "ioctl" and isinstance(args[1], int):
        doing = f" {int(args[1]):#x}"
    return f"{doing} of fd {fd}"


def missing_call(call: str, where: object, path: object = None) -> MissingCallError:
    """Build the error of a call that is not there: it names the Linux that has it."""
    row = rows().get(call)
    machine, release = os.uname().machine, os.uname().release
    if row is None:
        why = "no kernel up to 6.18 has it"
    elif row.number(machine) is None:
        why = f"there is none on {machine}"
    elif not row.family:
        why = row.effect
    elif version(row.since) > version(release):
        why = f"it came with Linux {row.since}, and this kernel is {release}"
    else:
        why = (
            f"Linux has it since {row.since}, and this kernel is {release}: a filter of system "
            "calls, the kernel's configuration or the file system denies it"
        )
    message = f"{os.strerror(ENOSYS)} [{call}(2) in {where}]: {why}"
    if path is None:
        return MissingCallError(ENOSYS, message)
    return MissingCallError(ENOSYS, message, path)


def version(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: ``6.1.0-13-amd64`` is 6, 1, 0."""
    numbers = text.split("-", maxsplit=1)[0].split(".")
    return tuple(int(number) for number in numbers if number.isdecimal())


def kernel_error(
    number: int, call: str, where: object, path: object = None, args: Sequence[object] = ()
) -> OSError:
    """Build the OSError for errno ``number`` of ``call``, made in the process ``where``.

    ``args``: those of the call, of which the message names an fd that it was made on, and what
    ``prctl``, ``keyctl`` and others that are many calls in one were to do.
    """
    if number == ENOSYS:
        return missing_call(call, where, path)
    message = f"{os.strerror(number)} [{call}(2){made_on(call, args)} in {where}]"
    if path is None:
        return OSError(number, message)
    return OSError(number, message, path)


@contextmanager
def named_here(call: str) -> Generator[None]:
    """Name the call in the errors of a block that makes it in this very interpreter."""
    try:
        yield
    except OSError as error:
        raise kernel_error(error.errno or 0, call, "this interpreter") from None
