"""The base of every named error, and how a kernel error gets its context.

Owns :class:`RsyscallError` and the errors of the lowest layer. A system call that fails raises
the plain ``OSError`` subclass of its errno (``PermissionError``, ``ProcessLookupError`` ...): its
message says which call failed, in which process.
"""

from __future__ import annotations

import os

__all__ = [
    "ArgumentRangeError",
    "PathError",
    "ReturnsInChildError",
    "RsyscallError",
    "TaskLostError",
    "UnresponsiveTaskError",
    "kernel_error",
]


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


def kernel_error(number: int, call: str, where: object, path: object = None) -> OSError:
    """Build the OSError for errno ``number`` of ``call``, made in the process ``where``."""
    message = f"{os.strerror(number)} [{call}(2) in {where}]"
    if path is None:
        return OSError(number, message)
    return OSError(number, message, path)
