"""How values lie in memory as C structs.

Owns the description of a struct by the fields of an attrs class, and the packing of it. A struct's
fields lie where the C compiler puts them on the 64-bit machines that we know; the tests compare
every one with the compiler. To describe a struct::

    @c_struct
    class OpenHow(CStruct):
        C_NAME: ClassVar = "struct open_how"
        C_HEADER: ClassVar = "linux/openat2.h"
        flags: O = u64(O)
        mode: int = u64()
        resolve: RESOLVE = u64(RESOLVE)

Every field has the default 0, or what ``default`` says. attrs makes the methods of such a class
when it is first used: that takes about half a millisecond, and a program uses few of all the
structs that it imports.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, Self

import attrs
from attrs import frozen

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value as c_struct

__all__ = ["CStruct", "Layout", "Member", "be16", "be32", "c_struct", "chars", "i16", "i32", "i64"]
__all__ += ["layout_of", "nested", "u8", "u16", "u32", "u64"]

KEY: Final = "c"
_LAYOUTS: Final[dict[type[object], Layout]] = {}


class CStruct:
    """A value that lies in memory as a C struct. Subclasses are frozen attrs classes of fields."""

    C_NAME: ClassVar[str]
    C_HEADER: ClassVar[str]  # several are separated by spaces
    PACKED: ClassVar[bool] = False
    # C names of members that headers of Linux 6.1 may lack; all of them, if they lack the struct
    NEWER: ClassVar[frozenset[str]] = frozenset()
    MACHINES: ClassVar[frozenset[str]] = frozenset({"aarch64", "x86_64"})  # that have it so

    def pack(self) -> bytes:
        """Return the struct; what does not fit its field raises ArgumentRangeError."""
        return layout_of(type(self)).pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the value that ``data`` is, which must be neither shorter nor longer."""
        value = layout_of(cls).unpack(data)
        assert isinstance(value, cls)
        return value

    @classmethod
    def sizeof(cls) -> int:
        """Return how many bytes it takes."""
        return layout_of(cls).size


@frozen
class Member:
    """One field: how it lies in memory. ``then``: so many bytes without a name follow.

    The code and the size of an ``inner`` struct are its own.
    """

    code: str  # of the struct module
    size: int
    alignment: int
    then: int = 0
    c_name: str = ""  # where it is not the field's
    to_c: Callable[[Any], Any] | None = None
    from_c: Callable[[Any], Any] | None = None
    inner: type[CStruct] | None = None


@frozen
class Layout:
    """Where all members lie."""

    cls: type[Any]
    size: int
    alignment: int
    codec: struct.Struct
    members: tuple[tuple[str, Member], ...]
    offsets: tuple[int, ...]

    def pack(self, value: object) -> bytes:
        """Return the bytes of a value."""
        try:
            return self.codec.pack(*self._raw(value))
        except struct.error:
            self._complain(value)
            raise

    def _raw(self, value: object) -> Iterator[object]:
        for name, member in self.members:
            content = getattr(value, name)
            yield content if member.to_c is None else member.to_c(content)

    def _complain(self, value: object) -> None:
        for (name, member), raw in zip(self.members, self._raw(value), strict=True):
            if isinstance(raw, int):
                signed = member.code.islower()
                bits = 8 * member.size - signed
                fit(f"{self.cls.__name__}.{name}", raw, -(2**bits) if signed else 0, 2**bits - 1)

    def unpack(self, data: bytes) -> Any:  # noqa: ANN401 - of the class that this is the layout of
        """Return the value; data of another size raise SerializerError."""
        if len(data) != self.size:
            raise SerializerError(self.cls.C_NAME, self.size, len(data))
        raw = self.codec.unpack(data)
        return self.cls(
            *(
                content if member.from_c is None else member.from_c(content)
                for (_, member), content in zip(self.members, raw, strict=True)
            )
        )


def layout_of(cls: type[CStruct]) -> Layout:
    """Return where the members of a struct lie."""
    known = _LAYOUTS.get(cls)
    if known is None:
        known = _LAYOUTS[cls] = _lay_out(cls)
    return known


def _lay_out(cls: type[CStruct]) -> Layout:
    end, alignment = 0, 1
    code = "<"
    offsets: list[int] = []
    members: list[tuple[str, Member]] = []
    for field in attrs.fields(cls):  # type: ignore[arg-type] # c_struct made it an attrs class
        member: Member = field.metadata[KEY]
        if member.inner is not None:
            member = _holding(member, layout_of(member.inner))
        own = 1 if cls.PACKED else member.alignment
        start = -(-end // own) * own
        code += "x" * (start - end) + member.code + "x" * member.then
        offsets.append(start)
        members.append((field.name, member))
        end = start + member.size + member.then
        alignment = max(alignment, own)
    size = -(-end // alignment) * alignment
    codec = struct.Struct(code + "x" * (size - end))
    assert codec.size == size, "the codes of the members say how large they are"
    return Layout(cls, size, alignment, codec, tuple(members), tuple(offsets))


def _holding(member: Member, inner: Layout) -> Member:
    code = f"{inner.size}s"
    return attrs.evolve(
        member,
        code=code,
        size=inner.size,
        alignment=inner.alignment,
        to_c=inner.pack,
        from_c=inner.unpack,
    )


def _number(code: str, size: int) -> Callable[..., Any]:
    def number(
        kind: Callable[[int], Any] | None = None,
        *,
        default: Any = 0,  # noqa: ANN401 - an int, or of the kind
        then: int = 0,
        c_name: str = "",
    ) -> Any:  # noqa: ANN401 - attrs turns it into the field's type
        """Describe an integer; ``kind``: the enumeration that it becomes, if it is one of it."""
        from_c = None if kind is None else _becomes(kind)
        member = Member(code, size, size, then, c_name, None, from_c)
        first = default if kind is None else from_c and from_c(default)
        return attrs.field(default=first, metadata={KEY: member})

    return number


def _becomes(kind: Callable[[int], Any]) -> Callable[[int], Any]:
    def become(value: int) -> Any:  # noqa: ANN401 - of the kind, or an int that it lacks
        try:
            return kind(value)
        except ValueError:
            return value

    return become


u8, u16, u32, u64 = _number("B", 1), _number("H", 2), _number("I", 4), _number("Q", 8)
i16, i32, i64 = _number("h", 2), _number("i", 4), _number("q", 8)


def _big_endian(size: int, what: str) -> Callable[..., Any]:
    def to_c(value: int) -> bytes:
        return fit(what, value, 0, 256**size - 1).to_bytes(size, "big")

    def number(*, default: int = 0, then: int = 0, c_name: str = "") -> Any:  # noqa: ANN401 - as above
        """Describe an unsigned integer in network order."""
        member = Member(
            f"{size}s", size, size, then, c_name, to_c, lambda data: int.from_bytes(data, "big")
        )
        return attrs.field(default=default, metadata={KEY: member})

    return number


be16, be32 = _big_endian(2, "16-bit number"), _big_endian(4, "32-bit number")


def chars(
    size: int, *, text: bool = False, then: int = 0, c_name: str = "", alignment: int = 1
) -> Any:  # noqa: ANN401 - as above
    """Describe ``size`` bytes; as ``text`` they are a str without the zeros at its end."""

    def to_c(value: str | bytes) -> bytes:
        data = os.fsencode(value) if isinstance(value, str) else bytes(memoryview(value))
        if len(data) > size:
            raise SerializerError(f"a member of {size} bytes", size, len(data))
        return data

    def from_c(data: bytes) -> str:
        return os.fsdecode(data.split(b"\0", 1)[0])

    member = Member(f"{size}s", size, alignment, then, c_name, to_c, from_c if text else None)
    return attrs.field(default="" if text else bytes(size), metadata={KEY: member})


def nested(cls: type[CStruct], *, then: int = 0, c_name: str = "") -> Any:  # noqa: ANN401 - as above
    """Describe a struct within the struct."""
    member = Member("", 0, 1, then, c_name, inner=cls)
    return attrs.field(factory=cls, metadata={KEY: member})
