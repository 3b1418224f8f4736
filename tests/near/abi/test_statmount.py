"""What statmount writes becomes a value, and bytes again; what is broken gets a named error."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import STATMOUNT, SerializerError, StatMount
from rsyscall_ns.near.abi.statmount_h import ARRAYS, NUMBERS, TEXTS, RawStatMount

TEXT = st.binary(max_size=20).map(lambda data: data.replace(b"\0", b"").decode(errors="replace"))
SIZE = RawStatMount.sizeof()


@st.composite
def values(draw: st.DrawFn) -> StatMount:
    mask = STATMOUNT(draw(st.integers(0, 0x7FFF)))
    found: dict[str, Any] = {"mask": mask, "mnt_id": draw(st.integers(0, 2**64 - 1))}
    for name, flag in TEXTS.items():
        if flag in mask:
            found[name] = draw(TEXT)
    for name, (flag, _) in ARRAYS.items():
        if flag in mask:
            found[name] = tuple(draw(st.lists(TEXT, max_size=3)))
    return StatMount(**found)


@given(value=values())
def test_a_value_survives_the_way_into_bytes_and_back(value: StatMount) -> None:
    assert StatMount.unpack(value.pack()) == value
    assert StatMount.unpack(value.pack() + b"more") == value


@given(value=values(), data=st.data())
def test_what_was_cut_off_is_refused(value: StatMount, data: st.DataObject) -> None:
    whole = value.pack()
    with pytest.raises(SerializerError, match="statmount"):
        StatMount.unpack(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(head=st.binary(min_size=SIZE, max_size=SIZE), strings=st.binary(max_size=64))
def test_any_bytes_are_a_value_or_refused(head: bytes, strings: bytes) -> None:
    size = (SIZE + len(strings)).to_bytes(4, "little")
    try:
        value = StatMount.unpack(size + head[4:] + strings)
    except SerializerError:
        return
    assert StatMount.unpack(value.pack()) == value


def test_a_string_without_an_end_is_refused_by_its_name() -> None:
    whole = StatMount(mask=STATMOUNT.FS_TYPE, fs_type="tmpfs").pack()
    with pytest.raises(SerializerError, match="fs_type"):
        StatMount.unpack(whole[:-1] + b"x")


def test_a_size_smaller_than_the_struct_is_refused() -> None:
    with pytest.raises(SerializerError, match="statmount"):
        StatMount.unpack(bytes(SIZE))


def test_every_field_has_a_flag_that_tells_of_it() -> None:
    assert len(TEXTS) + len(ARRAYS) + len(NUMBERS) == len(fields(StatMount))
