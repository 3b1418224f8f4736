"""How values become bytes and bytes become values."""

from __future__ import annotations

import struct
from typing import Any, Generic, Protocol, TypeVar, final

from attrs import frozen

from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.abi.wait_h import SIGINFO_SIZE, Siginfo
from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import Address, fit

__all__ = ["BYTES", "INT32", "SIGINFO", "STACK", "Serializer", "SerializerError", "Stack"]
__all__ += ["UINT32", "struct_of"]

T = TypeVar("T")
Struct = TypeVar("Struct", bound=CStruct)
STACK_DATA = struct.Struct("<QQ")


class Serializer(Protocol[T]):
    """Turns a value of one type into bytes and back. ``size`` is 0 where it varies."""

    size: int

    def to_bytes(self, value: T) -> bytes:
        """Return the bytes of a value."""
        ...

    def from_bytes(self, data: bytes) -> T:
        """Return the value that ``data`` is, neither shorter nor longer than it takes."""
        ...


def _need(what: str, size: int, data: bytes) -> None:
    if len(data) != size:
        raise SerializerError(what, size, len(data))


@final
class BytesSerializer:
    """Bytes as they are."""

    size = 0

    def to_bytes(self, value: bytes) -> bytes:
        """Return them; an int is none, of which bytes() would make so many zeros."""
        return value if type(value) is bytes else memoryview(value).tobytes()

    def from_bytes(self, data: bytes) -> bytes:
        """Return them."""
        return data


@final
class Int32Serializer:
    """A C ``int``."""

    size = 4

    def to_bytes(self, value: int) -> bytes:
        """Return the four bytes; a value that does not fit is refused."""
        return fit("int", value, -(2**31), 2**31 - 1).to_bytes(4, "little", signed=True)

    def from_bytes(self, data: bytes) -> int:
        """Return the int."""
        _need("int", 4, data)
        return int.from_bytes(data, "little", signed=True)


@final
class Uint32Serializer:
    """A C ``uint32_t``, such as a futex word."""

    size = 4

    def to_bytes(self, value: int) -> bytes:
        """Return the four bytes; a value that does not fit is refused."""
        return fit("uint32_t", value, 0, 2**32 - 1).to_bytes(4, "little")

    def from_bytes(self, data: bytes) -> int:
        """Return the number."""
        _need("uint32_t", 4, data)
        return int.from_bytes(data, "little")


@final
class SiginfoSerializer:
    """``siginfo_t`` as waitid fills it."""

    size = SIGINFO_SIZE

    def to_bytes(self, value: Siginfo) -> bytes:
        """Return all 128 bytes."""
        return value.pack()

    def from_bytes(self, data: bytes) -> Siginfo:
        """Read the fields that waitid sets."""
        _need("siginfo_t", SIGINFO_SIZE, data)
        return Siginfo.unpack(data)


@final
class StructSerializer(Generic[Struct]):
    """A C struct of a size that is known."""

    __slots__ = ("cls", "size")

    def __init__(self, cls: type[Struct]) -> None:
        self.cls = cls
        self.size = cls.sizeof()

    def to_bytes(self, value: Struct) -> bytes:
        """Return the struct."""
        return value.pack()

    def from_bytes(self, data: bytes) -> Struct:
        """Return the value that ``data`` is, neither shorter nor longer."""
        return self.cls.unpack(data)


def struct_of(cls: type[Struct]) -> Serializer[Struct]:
    """Return what turns values of a struct's class into bytes and back."""
    return StructSerializer(cls)


@frozen
class Stack:
    """What lies on top of a new child's stack: the function that it calls, and its argument."""

    function: Address
    argument: Address


@final
class StackSerializer:
    """Stack data, as ``ffi/server/entry_*.S`` takes it off the stack."""

    size = STACK_DATA.size

    def to_bytes(self, value: Stack) -> bytes:
        """Return both words."""
        return STACK_DATA.pack(value.function.value, value.argument.value)

    def from_bytes(self, data: bytes) -> Stack:
        """Read both words."""
        _need("stack data", STACK_DATA.size, data)
        function, argument = STACK_DATA.unpack(data)
        return Stack(Address(function), Address(argument))


BYTES = BytesSerializer()
INT32 = Int32Serializer()
UINT32 = Uint32Serializer()
SIGINFO = SiginfoSerializer()
STACK = StackSerializer()
AnySerializer = Serializer[Any]  # for containers of pointers of all types
