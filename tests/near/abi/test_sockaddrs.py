"""Names of sockets have the layout that the C compiler gives them; any bytes are read safely."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    AF,
    ArgumentRangeError,
    PathError,
    SerializerError,
    Sockaddr,
    SockaddrAlg,
    SockaddrIn,
    SockaddrIn6,
    SockaddrLl,
    SockaddrNl,
    SockaddrUn,
    SockaddrUnknown,
    SockaddrVm,
)
from rsyscall_ns.near.abi.sockaddr_h import unpack_sockaddr
from tests.support.cheaders import struct_layout

Members = dict[str, bytes]
LAYOUTS: list[tuple[Sockaddr, str, str, Members]] = [
    (
        SockaddrIn("1.2.3.4", 0x1234),
        "netinet/in.h",
        "struct sockaddr_in",
        {"sin_family": b"\2\0", "sin_port": b"\x12\x34", "sin_addr": bytes((1, 2, 3, 4))},
    ),
    (
        SockaddrIn6("::1", 0x1234, 5, 6),
        "netinet/in.h",
        "struct sockaddr_in6",
        {
            "sin6_family": b"\x0a\0",
            "sin6_port": b"\x12\x34",
            "sin6_flowinfo": bytes((0, 0, 0, 5)),
            "sin6_addr": bytes(15) + b"\1",
            "sin6_scope_id": bytes((6, 0, 0, 0)),
        },
    ),
    (
        SockaddrUn(b"x" * SockaddrUn.LIMIT),
        "sys/un.h",
        "struct sockaddr_un",
        {"sun_family": b"\1\0", "sun_path": b"x" * 107 + b"\0"},
    ),
    (
        SockaddrNl(0x01020304, 0x05060708),
        "linux/netlink.h",
        "struct sockaddr_nl",
        {
            "nl_family": b"\x10\0",
            "nl_pid": bytes((4, 3, 2, 1)),
            "nl_groups": bytes((8, 7, 6, 5)),
        },
    ),
    (
        SockaddrVm(2, 0x1234, 1),
        "sys/socket.h linux/vm_sockets.h",
        "struct sockaddr_vm",
        {
            "svm_family": b"\x28\0",
            "svm_port": b"\x34\x12\0\0",
            "svm_cid": b"\2\0\0\0",
            "svm_flags": b"\1",
        },
    ),
    (
        SockaddrLl(0x0800, 7, b"abcdefgh", 1, 3),
        "linux/if_packet.h",
        "struct sockaddr_ll",
        {
            "sll_family": b"\x11\0",
            "sll_protocol": b"\x08\0",
            "sll_ifindex": b"\7\0\0\0",
            "sll_hatype": b"\1\0",
            "sll_pkttype": b"\3",
            "sll_halen": b"\x08",
            "sll_addr": b"abcdefgh",
        },
    ),
    (
        SockaddrAlg("hash", "sha256", 1, 2),
        "linux/types.h linux/if_alg.h",
        "struct sockaddr_alg",
        {
            "salg_family": b"\x26\0",
            "salg_type": b"hash".ljust(14, b"\0"),
            "salg_feat": b"\1\0\0\0",
            "salg_mask": b"\2\0\0\0",
            "salg_name": b"sha256".ljust(64, b"\0"),
        },
    ),
]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(("address", "header", "name", "members"), LAYOUTS, ids=lambda _: "")
def test_a_name_is_packed_as_the_c_struct(
    address: Sockaddr, header: str, name: str, members: Members, machine: str
) -> None:
    there = struct_layout(machine, header, name, members)

    packed = address.pack()

    assert len(packed) == there.size
    for member, content in members.items():
        at, size = there.members[member]
        assert packed[at : at + size] == content, member


@pytest.mark.parametrize("address", [row[0] for row in LAYOUTS], ids=str)
def test_a_name_survives_the_way_into_bytes_and_back(address: Sockaddr) -> None:
    assert unpack_sockaddr(address.pack()) == address
    assert str(address)


@given(
    family=st.one_of(st.sampled_from([row[0].family for row in LAYOUTS]), st.integers(0, 65535)),
    rest=st.binary(max_size=126),
)
def test_any_bytes_are_a_name_or_a_named_error(family: int, rest: bytes) -> None:
    try:
        value = unpack_sockaddr(struct.pack("<H", family) + rest)
    except SerializerError:
        return
    if value is None:
        assert family == AF.UNIX
        return
    assert value.family == family
    try:
        packed = value.pack()
    except PathError:
        assert isinstance(value, (SockaddrUn, SockaddrAlg))  # not to be sent
        return
    assert unpack_sockaddr(packed) == value


@pytest.mark.parametrize("size", [0, 1])
def test_what_has_no_family_is_no_name(size: int) -> None:
    assert unpack_sockaddr(bytes(size)) is None


def test_a_family_that_is_not_known_is_read_as_it_is_and_can_be_given_back() -> None:
    data = struct.pack("<H", AF.TIPC) + b"whatever"

    value = unpack_sockaddr(data)

    assert value == SockaddrUnknown(AF.TIPC, b"whatever")
    assert value is not None
    assert value.pack() == data


def test_an_abstract_name_is_read_and_never_given() -> None:
    value = unpack_sockaddr(struct.pack("<H", AF.UNIX) + b"\0hidden\0x")

    assert value == SockaddrUn(b"\0hidden\0x")
    assert isinstance(value, SockaddrUn)
    assert value.abstract
    assert str(value) == "@hidden@x"
    with pytest.raises(PathError, match="abstract"):
        value.pack()


def test_names_that_are_none_are_refused() -> None:
    refused: list[tuple[Sockaddr, str]] = [
        (SockaddrIn("nowhere", 1), "IPv4"),
        (SockaddrIn6("127.0.0.1", 1), "IPv6"),
        (SockaddrUn(b"\0abstract"), "NUL"),
        (SockaddrUn(b""), "empty"),
        (SockaddrUn(b"x" * 108), "longer"),
        (SockaddrAlg("x" * 14, "sha256"), "longer"),
        (SockaddrAlg("hash", "a\0b"), "NUL"),
        (SockaddrUnknown(AF.UNIX, b"\0abstract"), "SockaddrUn"),
    ]
    for address, why in refused:
        with pytest.raises(PathError, match=why):
            address.pack()
    with pytest.raises(ArgumentRangeError, match="length"):
        SockaddrLl(address=bytes(200)).pack()
    with pytest.raises(ArgumentRangeError, match="length"):
        SockaddrUnknown(99, bytes(200)).pack()


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_fit_is_refused(port: int) -> None:
    with pytest.raises(ArgumentRangeError, match="port"):
        SockaddrIn("127.0.0.1", port)
    with pytest.raises(ArgumentRangeError, match="port"):
        SockaddrIn6("::1", port)
    with pytest.raises(ArgumentRangeError, match="cid"):
        SockaddrVm(2**32, 1)


def test_the_end_of_a_longer_hardware_address_is_read_too() -> None:
    infiniband = SockaddrLl(0x800, 3, bytes(range(20)))

    assert unpack_sockaddr(infiniband.pack()) == infiniband
