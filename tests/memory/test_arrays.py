"""Serializers of one value and of several, one behind the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    EPOLL,
    UINT32S,
    UINT64,
    ArgumentRangeError,
    EpollEvent,
    ResIds,
    SerializerError,
    array_of,
    one_of,
)

EVENTS = array_of(EpollEvent)
EVENT = one_of(EpollEvent)
SIZE = EpollEvent.sizeof()
events = st.builds(EpollEvent, st.integers(0, 2**32 - 1).map(EPOLL), st.integers(0, 2**64 - 1))


@given(st.lists(events))
def test_a_list_becomes_bytes_and_itself_again(items: list[EpollEvent]) -> None:
    data = EVENTS.to_bytes(items)

    assert len(data) == SIZE * len(items)
    assert EVENTS.from_bytes(data) == items


@given(st.binary(max_size=5 * SIZE))
def test_bytes_are_so_many_values_or_refused(data: bytes) -> None:
    if len(data) % SIZE:
        with pytest.raises(SerializerError, match="array of EpollEvent"):
            EVENTS.from_bytes(data)
    else:
        assert EVENTS.from_bytes(EVENTS.to_bytes(EVENTS.from_bytes(data))) == (
            EVENTS.from_bytes(data)
        )


@given(events)
def test_one_value_becomes_bytes_and_itself_again(event: EpollEvent) -> None:
    assert EVENT.size == SIZE
    assert EVENT.from_bytes(EVENT.to_bytes(event)) == event


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_numbers_become_bytes_and_themselves_again(numbers: list[int]) -> None:
    data = UINT32S.to_bytes(numbers)

    assert len(data) == 4 * len(numbers)
    assert UINT32S.from_bytes(data) == numbers


@given(st.binary(max_size=20))
def test_bytes_are_so_many_numbers_or_refused(data: bytes) -> None:
    if len(data) % 4:
        with pytest.raises(SerializerError, match="array of unsigned int"):
            UINT32S.from_bytes(data)
    else:
        assert UINT32S.to_bytes(UINT32S.from_bytes(data)) == data


@given(st.binary(max_size=16))
def test_eight_bytes_are_a_word_and_others_are_none(data: bytes) -> None:
    if len(data) == UINT64.size == 8:
        assert UINT64.to_bytes(UINT64.from_bytes(data)) == data
    else:
        with pytest.raises(SerializerError, match="unsigned long takes 8 bytes"):
            UINT64.from_bytes(data)


def test_numbers_that_do_not_fit_are_refused() -> None:
    for number in (-1, 2**32):
        with pytest.raises(ArgumentRangeError, match="unsigned int"):
            UINT32S.to_bytes([number])
    for number in (-1, 2**64):
        with pytest.raises(ArgumentRangeError, match="unsigned long"):
            UINT64.to_bytes(number)


@given(st.binary(max_size=20))
def test_twelve_bytes_are_ids_and_others_are_none(data: bytes) -> None:
    if len(data) != ResIds.sizeof():
        with pytest.raises(SerializerError, match="ResIds takes 12 bytes"):
            ResIds.unpack(data)
        return
    ids = ResIds.unpack(data)
    if max(ids.real, ids.effective, ids.saved) == 2**32 - 1:
        with pytest.raises(ArgumentRangeError, match="id"):
            ids.pack()
    else:
        assert ids.pack() == data
