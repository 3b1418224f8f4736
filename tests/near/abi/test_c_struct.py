"""A class that describes a C struct is made when it is first used, by whatever way that is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, ClassVar, Final

import attrs
import pytest

from rsyscall_ns.near.abi.layout import CStruct, c_struct, layout_of, nested, u16, u32

THREADS: Final = 4


def outer() -> type[Any]:
    """Describe a struct within a struct that nobody has used yet."""

    @c_struct
    class Inner(CStruct):
        C_NAME: ClassVar = "struct inner"
        low: int = u16()

    @c_struct
    class Outer(CStruct):
        C_NAME: ClassVar = "struct outer"
        first: int = u32(default=7)
        rest: Inner = nested(Inner)

    return Outer


USES: Final[dict[str, tuple[Callable[[type[Any]], object], object]]] = {
    "made": (lambda cls: (cls(8).first, cls(8).rest.low), (8, 0)),
    "laid out": (lambda cls: layout_of(cls).size, 8),
    "unpacked": (lambda cls: cls.unpack(bytes([1, 0, 0, 0, 2, 0, 0, 0])).rest.low, 2),
    "asked for its fields": (
        lambda cls: [field.name for field in attrs.fields(cls)],
        ["first", "rest"],
    ),
    "asked what it takes": (lambda cls: list(inspect.signature(cls).parameters), ["first", "rest"]),
    "asked what it matches": (lambda cls: cls.__match_args__, ("first", "rest")),
}


@pytest.mark.parametrize("use", USES)
def test_the_first_use_makes_the_class(use: str) -> None:
    how, found = USES[use]

    assert how(outer()) == found


@pytest.mark.parametrize("use", USES)
def test_after_its_first_use_it_is_a_frozen_attrs_class(use: str) -> None:
    cls = outer()
    USES[use][0](cls)

    assert cls(1) == cls(1) != cls(2)
    assert hash(cls(1)) == hash(cls(1))
    assert repr(cls(1)).endswith("Outer(first=1, rest=" + repr(cls().rest) + ")")
    assert attrs.evolve(cls(1), first=2) == cls(2)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        cls().first = 1
    assert attrs.has(cls)


def test_a_struct_that_goes_on_where_another_ends_has_the_fields_of_both() -> None:
    base: Any = outer()

    @c_struct
    class Longer(base):  # type: ignore[misc] # made by a function, to be new
        last: int = u32()

    longer: Any = Longer
    made = longer(1, last=3)

    assert made.pack() == b"\1\0\0\0" + bytes(4) + b"\3\0\0\0"
    assert base().pack() == b"\7\0\0\0" + bytes(4)


def test_many_threads_may_use_it_first() -> None:
    cls = outer()
    together = Barrier(THREADS)

    def use(number: int) -> int:
        together.wait()
        return len(cls(number).pack())

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(use, range(THREADS))) == [8] * THREADS
