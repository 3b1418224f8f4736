"""Every C struct lies in memory as the compiler says, and survives the way into bytes and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns.near.abi.layout import CStruct, layout_of
from rsyscall_ns.near.errors import ArgumentRangeError, SerializerError
from tests.support.cheaders import struct_layout
from tests.support.structs import structs

STRUCTS = structs()


def named(cls: type[CStruct]) -> str:
    return cls.__name__


@pytest.mark.parametrize(
    ("cls", "machine"),
    [(cls, machine) for cls in STRUCTS for machine in sorted(cls.MACHINES)],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_it_is_laid_out_as_the_c_compiler_does(cls: type[CStruct], machine: str) -> None:
    layout = layout_of(cls)
    pairs = zip(layout.offsets, layout.members, strict=True)
    here = {m.c_name or name: (at, m.size) for at, (name, m) in pairs}

    there = struct_layout(machine, cls.C_HEADER, cls.C_NAME, here)

    if not there.size and cls.NEWER:
        pytest.skip(f"the C headers for {machine} are too old to have {cls.C_NAME}")
    assert there.members == {name: here[name] for name in there.members}
    assert here.keys() - there.members.keys() <= cls.NEWER
    if there.members.keys() == here.keys() and not cls.C_NAME.startswith("union "):
        assert there.size == layout.size


@given(data=st.data())
@pytest.mark.parametrize("cls", STRUCTS, ids=named)
def test_bytes_become_a_value_and_the_same_bytes_again(
    cls: type[CStruct], data: st.DataObject
) -> None:
    raw = data.draw(st.binary(min_size=cls.sizeof(), max_size=cls.sizeof()))

    value = cls.unpack(raw)

    packed = value.pack()
    assert cls.unpack(packed) == value
    assert len(packed) == len(raw)
    assert cls.unpack(packed).pack() == packed


@pytest.mark.parametrize("cls", STRUCTS, ids=named)
def test_zeros_are_the_default(cls: type[CStruct]) -> None:
    assert cls.unpack(cls().pack()) == cls()


@pytest.mark.parametrize("change", [-1, 1], ids=["short", "long"])
@pytest.mark.parametrize("cls", STRUCTS, ids=named)
def test_another_size_is_refused_by_a_named_error(cls: type[CStruct], change: int) -> None:
    with pytest.raises(SerializerError, match=f"{cls.sizeof()} bytes"):
        cls.unpack(bytes(cls.sizeof() + change))


@pytest.mark.parametrize("cls", STRUCTS, ids=named)
def test_a_number_that_does_not_fit_is_refused_by_its_name(cls: type[CStruct]) -> None:
    for name, member in layout_of(cls).members:
        if member.to_c is None:
            with pytest.raises(ArgumentRangeError, match=name):
                cls(**{name: 2 ** (8 * member.size)}).pack()
