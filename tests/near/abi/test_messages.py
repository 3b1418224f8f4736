"""Control messages, netlink messages and attributes are packed and taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    NLM_F,
    Cmsg,
    SerializerError,
    nlattr,
    nlmsg,
    unpack_nlattrs,
    unpack_nlmsgs,
)
from rsyscall_ns.near.abi.msghdr_h import cmsg_space, pack_cmsgs, unpack_cmsgs
from tests.support.cheaders import c_values

INT32 = st.integers(-(2**31), 2**31 - 1)
CMSGS = st.lists(st.builds(Cmsg, INT32, INT32, st.binary(max_size=40)), max_size=4)


@given(messages=CMSGS)
def test_control_messages_survive_the_way_into_bytes_and_back(messages: list[Cmsg]) -> None:
    assert list(unpack_cmsgs(pack_cmsgs(messages))) == messages


@given(data=st.binary(max_size=80))
def test_any_bytes_are_control_messages_or_a_named_error(data: bytes) -> None:
    try:
        found = list(unpack_cmsgs(data))
    except SerializerError:
        return
    assert sum(16 + len(one.data) for one in found) <= len(data)


def test_a_control_message_takes_the_room_that_c_gives_it() -> None:
    sizes = (0, 1, 4, 8, 12, 16)

    there = c_values(("sys/socket.h",), [f"CMSG_SPACE({size})" for size in sizes])

    assert [cmsg_space(size) for size in sizes] == list(there.values())
    assert [len(pack_cmsgs([Cmsg(1, 1, bytes(size))])) for size in sizes] == list(there.values())


@given(
    messages=st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40), st.integers(0, 2**32 - 1)),
        max_size=4,
    )
)
def test_netlink_messages_survive_the_way_into_bytes_and_back(
    messages: list[tuple[int, bytes, int]],
) -> None:
    packed = b"".join(nlmsg(kind, body, NLM_F.REQUEST, seq) for kind, body, seq in messages)

    found = list(unpack_nlmsgs(packed))

    assert [(one.header.type, one.body, one.header.seq) for one in found] == messages
    assert all(packed.find(one.data) >= 0 for one in found)


@given(attributes=st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40)), max_size=4))
def test_netlink_attributes_survive_the_way_into_bytes_and_back(
    attributes: list[tuple[int, bytes]],
) -> None:
    packed = b"".join(nlattr(kind, content) for kind, content in attributes)

    assert list(unpack_nlattrs(packed)) == attributes


@given(data=st.binary(max_size=80))
def test_any_bytes_are_netlink_messages_and_attributes_or_a_named_error(data: bytes) -> None:
    for unpack in (unpack_nlmsgs, unpack_nlattrs):
        try:
            found = list(unpack(data))
        except SerializerError:
            continue
        assert len(found) <= len(data) // 4 + 1


@pytest.mark.parametrize("data", [b"\1", bytes(4), b"\xff\xff\0\0"])
def test_an_attribute_of_an_impossible_length_is_refused(data: bytes) -> None:
    with pytest.raises(SerializerError, match="attribute"):
        list(unpack_nlattrs(data))
