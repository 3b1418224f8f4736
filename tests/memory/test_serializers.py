"""Values survive the way into bytes and back; what does not fit is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    BYTES,
    INT32,
    SIGINFO,
    STACK,
    ArgumentRangeError,
    RsyscallError,
    SerializerError,
    Siginfo,
    Stack,
)
from rsyscall_ns.memory.serializers import Serializer
from rsyscall_ns.near.ids import Address

INTS = st.integers(-(2**31), 2**31 - 1)
ADDRESSES = st.builds(Address, st.integers(0, 2**64 - 1))
# pid, uid and the rest as the kernel's types allow them
SIGINFOS = st.builds(Siginfo, INTS, INTS, INTS, INTS, st.integers(0, 2**32 - 1), INTS)
FIXED = [(INT32, INTS), (SIGINFO, SIGINFOS), (STACK, st.builds(Stack, ADDRESSES, ADDRESSES))]


@pytest.mark.parametrize(("serializer", "values"), [*FIXED, (BYTES, st.binary(max_size=200))])
@given(data=st.data())
def test_a_value_survives_the_way_into_bytes_and_back(
    serializer: Serializer[Any],  # any of them
    values: st.SearchStrategy[Any],
    data: st.DataObject,
) -> None:
    value = data.draw(values)

    raw = serializer.to_bytes(value)

    assert serializer.from_bytes(raw) == value
    assert serializer.size in {0, len(raw)}


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_an_int_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(ArgumentRangeError, match="int"):
        INT32.to_bytes(value)


@pytest.mark.parametrize("value", [Siginfo(pid=2**31), Siginfo(uid=-1), Siginfo(status=2**40)])
def test_a_siginfo_that_does_not_fit_is_refused_by_name(value: Siginfo) -> None:
    with pytest.raises(RsyscallError):
        SIGINFO.to_bytes(value)


@given(SIGINFOS)
def test_a_siginfo_is_a_state_of_a_child_or_none_or_refused_by_name(value: Siginfo) -> None:
    try:
        state = value.child_state()
    except RsyscallError:
        return
    assert (state is None) == (value.pid == 0)


def test_the_error_is_a_value_error_too() -> None:
    assert issubclass(SerializerError, ValueError)
    assert issubclass(SerializerError, RsyscallError)
