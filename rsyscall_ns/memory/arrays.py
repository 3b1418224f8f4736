"""Serializers of several values one behind the other, and of one that packs itself."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, Generic, Protocol, Self, TypeVar, final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit

from .serializers import Serializer

__all__ = ["UINT32S", "UINT64", "Packed", "array_of", "one_of"]

UINT32: Final = struct.Struct("<I")
WORD: Final = struct.Struct("<Q")


class Packed(Protocol):
    """A value that becomes bytes, always as many, and back."""

    def pack(self) -> bytes:
        """Return the bytes."""
        ...

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the value that ``data`` is, which must be neither shorter nor longer."""
        ...

    @classmethod
    def sizeof(cls) -> int:
        """Return how many bytes it takes."""
        ...


Item = TypeVar("Item", bound=Packed)


@final
class OneSerializer(Generic[Item]):
    """One value."""

    __slots__ = ("cls", "size")

    def __init__(self, cls: type[Item]) -> None:
        self.cls = cls
        self.size = cls.sizeof()

    def to_bytes(self, value: Item) -> bytes:
        """Return the struct."""
        return value.pack()

    def from_bytes(self, data: bytes) -> Item:
        """Return the value that ``data`` is, neither shorter nor longer."""
        return self.cls.unpack(data)


@final
class ArraySerializer(Generic[Item]):
    """A C array: as many values as there are."""

    __slots__ = ("cls",)
    size = 0

    def __init__(self, cls: type[Item]) -> None:
        self.cls = cls

    def to_bytes(self, value: Sequence[Item]) -> bytes:
        """Return all of them."""
        return b"".join(item.pack() for item in value)

    def from_bytes(self, data: bytes) -> Sequence[Item]:
        """Return the values; half a one at the end is refused."""
        one = self.cls.sizeof()
        if len(data) % one:
            name = f"an array of {self.cls.__name__}"
            raise SerializerError(name, -(-len(data) // one) * one, len(data))
        return [self.cls.unpack(data[at : at + one]) for at in range(0, len(data), one)]


@final
class Uint32sSerializer:
    """A C array of ``unsigned int``."""

    size = 0

    def to_bytes(self, value: Sequence[int]) -> bytes:
        """Return four bytes for each; a value that does not fit is refused."""
        return b"".join(UINT32.pack(fit("unsigned int", one, 0, 2**32 - 1)) for one in value)

    def from_bytes(self, data: bytes) -> Sequence[int]:
        """Return the numbers; half a one at the end is refused."""
        if len(data) % UINT32.size:
            whole = -(-len(data) // UINT32.size) * UINT32.size
            raise SerializerError("an array of unsigned int", whole, len(data))
        return [one for (one,) in UINT32.iter_unpack(data)]


@final
class Uint64Serializer:
    """A C ``unsigned long``."""

    size = WORD.size

    def to_bytes(self, value: int) -> bytes:
        """Return the eight bytes; a value that does not fit is refused."""
        return WORD.pack(fit("unsigned long", value, 0, 2**64 - 1))

    def from_bytes(self, data: bytes) -> int:
        """Return the number that ``data`` is, neither shorter nor longer."""
        if len(data) != WORD.size:
            raise SerializerError("unsigned long", WORD.size, len(data))
        number: int = WORD.unpack(data)[0]
        return number


UINT64: Final[Serializer[int]] = Uint64Serializer()
UINT32S: Final[Serializer[Sequence[int]]] = Uint32sSerializer()


def one_of(cls: type[Item]) -> Serializer[Item]:
    """Return what turns a value of a class into bytes and back."""
    return OneSerializer(cls)


def array_of(cls: type[Item]) -> Serializer[Sequence[Item]]:
    """Return what turns several values of a class into bytes and back."""
    return ArraySerializer(cls)
