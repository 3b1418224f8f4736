"""``task.net.netlink`` asks the kernel and returns its whole answer, or its error."""

from __future__ import annotations

import socket as plain
import struct
from errno import ENODEV, EPERM
from typing import Any

import pytest
import trio
from pyroute2.netlink.rtnl import (  # type: ignore[import-untyped] # it has no stubs
    ifinfmsg,  # pyright: ignore[reportMissingTypeStubs] - it has none
)

from rsyscall_ns import (
    AF,
    CLONE,
    NETLINK,
    NLM_F,
    SOCK,
    ArgumentRangeError,
    NetlinkError,
    SockaddrNl,
    Task,
    nlattr,
    unpack_nlattrs,
    unpack_nlmsgs,
)
from rsyscall_ns.handle.calls.netlink import converse
from rsyscall_ns.near.abi.nlmsg_h import nlmsg
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT

IFINFOMSG = struct.Struct("<BxHiII")
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
IFLA_IFNAME = 3
ANY_LINK = IFINFOMSG.pack(0, 0, 0, 0, 0)


def names(answer: bytes) -> set[str]:
    """Return the names of the interfaces in a dump."""
    return {
        content.rstrip(b"\0").decode()
        for message in unpack_nlmsgs(answer)
        for kind, content in unpack_nlattrs(message.body[IFINFOMSG.size :])
        if kind == IFLA_IFNAME
    }


async def test_a_dump_of_all_links_is_what_another_library_reads(task: Task) -> None:
    with nothing_left(task):
        answer = await task.net.netlink(NETLINK.ROUTE, RTM_GETLINK, ANY_LINK, NLM_F.DUMP)
    found: dict[str, int] = {}
    for message in unpack_nlmsgs(answer):
        assert message.header.type == RTM_NEWLINK
        assert message.header.flags & NLM_F.MULTI
        link: Any = ifinfmsg.ifinfmsg(message.data)
        link.decode()
        found[link.get_attr("IFLA_IFNAME")] = link["index"]
        await trio.lowlevel.checkpoint()  # the library takes its time
    assert found.keys() == names(answer)
    assert found.items() <= {(name, number) for number, name in plain.if_nameindex()}
    assert "lo" in found


async def test_many_links_take_many_parts(local: Task) -> None:
    count = 12
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET, uid_map=True, gid_map=True) as child:
        kind = nlattr(18, nlattr(1, b"bridge\0"))  # IFLA_LINKINFO, IFLA_INFO_KIND
        create = NLM_F.CREATE | NLM_F.EXCL
        try:
            for number in range(count):
                name = nlattr(IFLA_IFNAME, f"bridge{number}\0".encode())
                await child.net.netlink(NETLINK.ROUTE, RTM_NEWLINK, ANY_LINK + name + kind, create)
        except NetlinkError as error:
            pytest.skip(f"this kernel makes no bridge: {error}")
        answer = await child.net.netlink(NETLINK.ROUTE, RTM_GETLINK, ANY_LINK, NLM_F.DUMP)
        assert names(answer) >= {f"bridge{number}" for number in range(count)}
        assert len(answer) > 8192  # more than the first datagram can have
        index = await child.net.if_nametoindex("bridge0")
        assert await child.net.if_indextoname(index) == "bridge0"
        gone = IFINFOMSG.pack(0, 0, index, 0, 0)
        assert await child.net.netlink(NETLINK.ROUTE, RTM_DELLINK, gone) == b""


async def test_one_link_is_one_message(task: Task) -> None:
    index = await task.net.if_nametoindex("lo")
    request = IFINFOMSG.pack(0, 0, index, 0, 0)
    (message,) = unpack_nlmsgs(await task.net.netlink(NETLINK.ROUTE, RTM_GETLINK, request))
    assert message.header.type == RTM_NEWLINK
    assert IFINFOMSG.unpack_from(message.body)[2] == index


async def test_a_refused_request_is_the_kernels_error(task: Task) -> None:
    request = IFINFOMSG.pack(0, 0, 2**31 - 1, 0, 0)
    with nothing_left(task):
        with pytest.raises(NetlinkError, match="No such device") as caught:
            await task.net.netlink(NETLINK.ROUTE, RTM_GETLINK, request)
        assert caught.value.errno == ENODEV
        with pytest.raises(ArgumentRangeError, match="type"):
            await task.net.netlink(NETLINK.ROUTE, 2**16)


async def test_the_error_has_the_kernels_own_words(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET, uid_map=True, gid_map=True) as child:
        mtu = nlattr(4, struct.pack("<I", 2**31))  # IFLA_MTU
        with pytest.raises(NetlinkError, match="mtu"):
            await child.net.netlink(NETLINK.ROUTE, RTM_SETLINK, IFINFOMSG.pack(0, 0, 1, 0, 0) + mtu)


@pytest.mark.skipif(IS_ROOT, reason="root may do what an ordinary user is refused")
async def test_an_ordinary_user_changes_no_link_of_the_machine(task: Task) -> None:
    with pytest.raises(NetlinkError) as caught:
        await task.net.netlink(NETLINK.ROUTE, RTM_SETLINK, IFINFOMSG.pack(0, 0, 1, 0, 0))
    assert caught.value.errno == EPERM


async def test_what_others_send_is_no_answer(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET, uid_map=True, gid_map=True) as child:
        socket = await child.net.socket(AF.NETLINK, SOCK.RAW, NETLINK.ROUTE)
        await socket.bind(SockaddrNl())
        name = await socket.getsockname()
        assert isinstance(name, SockaddrNl)
        other = await child.net.socket(AF.NETLINK, SOCK.RAW, NETLINK.ROUTE)
        await other.sendto(nlmsg(3, struct.pack("<i", 0), NLM_F(0), 1), SockaddrNl(name.pid))
        messages = await converse(socket, RTM_GETLINK, ANY_LINK, NLM_F.DUMP)
        assert [one.header.type for one in messages][:1] == [RTM_NEWLINK]


async def test_a_protocol_that_there_is_not_is_an_error(task: Task) -> None:
    with nothing_left(task), pytest.raises(OSError, match=r"socket\(2\)"), trio.fail_after(5):
        await task.net.netlink(NETLINK.UNUSED, RTM_GETLINK)
