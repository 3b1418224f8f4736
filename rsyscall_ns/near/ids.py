"""Near ids: plain values that mean something only inside one namespace.

They carry no namespace; the far layer checks that they are used where they belong.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from .errors import ArgumentRangeError

__all__ = ["SIZE_LIMIT", "Address", "FileDescriptor", "IpcObject", "KeySerial", "Process"]
__all__ += ["ProcessGroup", "fit"]

INT_MAX = 2**31 - 1
SIZE_LIMIT = 1 << 47  # bytes that a process can have mapped, on either machine


def fit(what: str, value: int, low: int, high: int) -> int:
    """Return ``value`` if it is within ``low..high``, else raise ArgumentRangeError."""
    if low <= value <= high:
        return value
    raise ArgumentRangeError(what, value, low, high)


def _int(what: str, low: int, high: int) -> Callable[[object, object, int], None]:
    def check(_instance: object, _attribute: object, value: int) -> None:
        if not low <= value <= high:
            fit(what, value, low, high)

    return check


@frozen
class FileDescriptor:
    """An index into some fd table."""

    number: int = field(validator=_int("file descriptor", 0, INT_MAX))

    def __str__(self) -> str:
        return f"fd {self.number}"


@frozen
class Address:
    """A byte's place in some address space."""

    value: int = field(validator=_int("address", 0, 2**64 - 1))

    def __add__(self, offset: int) -> Address:
        return Address(self.value + offset)

    def __str__(self) -> str:
        return hex(self.value)


@frozen
class Process:
    """A process id in some pid namespace."""

    id: int = field(validator=_int("process id", 1, INT_MAX))

    def __str__(self) -> str:
        return f"process {self.id}"


@frozen
class ProcessGroup:
    """A process group id in some pid namespace; 0 where the group's leader is not visible."""

    id: int = field(validator=_int("process group id", 0, INT_MAX))

    def __str__(self) -> str:
        return f"process group {self.id}"


@frozen
class IpcObject:
    """The id of a System V IPC object in some ipc namespace."""

    id: int = field(validator=_int("id of an ipc object", 0, INT_MAX))

    def __str__(self) -> str:
        return f"ipc object {self.id}"


@frozen
class KeySerial:
    """The serial number of a key, the same for all processes of a machine.

    One below zero is a keyring of whoever uses it (``KEY_SPEC``); 0 is none.
    """

    number: int = field(validator=_int("serial number of a key", -INT_MAX - 1, INT_MAX))

    def __str__(self) -> str:
        return f"key {self.number:#x}"
