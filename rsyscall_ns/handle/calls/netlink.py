"""Requests to the kernel by netlink, and what it answers."""

from __future__ import annotations

import os
from errno import EAGAIN, EMSGSIZE
from typing import Final

from rsyscall_ns.handle.kinds.sockets import SocketFD
from rsyscall_ns.near.abi.netlink_h import NLM_F, NLMSG, NetlinkOption, Nlmsgerr
from rsyscall_ns.near.abi.nlmsg_h import NetlinkMessage, nlmsg, unpack_nlattrs, unpack_nlmsgs
from rsyscall_ns.near.abi.sockaddr_h import SockaddrNl
from rsyscall_ns.near.abi.socket_h import MSG, SOL
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import fit

__all__ = ["NetlinkError", "converse"]

KERNEL: Final = SockaddrNl()
ROOM: Final = 65536  # bytes; the kernel sends up to half of it at once
ANSWERED: Final = 1  # the number of the one request
NLMSGERR_ATTR_MSG: Final = 1


class NetlinkError(RsyscallError, OSError):
    """The kernel refused a netlink request, or its answer is not whole. errno says why."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, f"{os.strerror(number)} [netlink: {what}]")


async def converse(socket: SocketFD, kind: int, body: bytes, flags: NLM_F) -> list[NetlinkMessage]:
    """Send one request on a netlink socket, and return the messages that answer it."""
    fit("type of the message", kind, 0, 2**16 - 1)
    await socket.setsockopt(SOL.NETLINK, NetlinkOption.EXT_ACK, 1)
    dump = flags & NLM_F.DUMP == NLM_F.DUMP
    wanted = flags | NLM_F.REQUEST | (NLM_F(0) if dump else NLM_F.ACK)
    await socket.sendto(nlmsg(kind, body, wanted, ANSWERED), KERNEL)
    answer: list[NetlinkMessage] = []
    while True:
        received = await socket.recvmsg(ROOM)
        if received.address != KERNEL:
            continue  # other processes can send to us too
        if received.flags & MSG.TRUNC:
            raise NetlinkError(EMSGSIZE, f"an answer is longer than {ROOM} bytes")
        for message in unpack_nlmsgs(received.data):
            if message.header.seq != ANSWERED:
                continue
            if message.header.flags & NLM_F.DUMP_INTR:
                raise NetlinkError(EAGAIN, "what was listed has changed meanwhile: ask again")
            if message.header.type in {NLMSG.ERROR, NLMSG.DONE}:
                check(message)
                return answer
            answer.append(message)


def check(message: NetlinkMessage) -> None:
    """Raise the error that ends an answer, if it is one."""
    number = int.from_bytes(message.body[:4], "little", signed=True)
    if number >= 0:
        return
    text = "the request is refused"
    if message.header.flags & NLM_F.ACK_TLVS and message.header.type == NLMSG.ERROR:
        start = Nlmsgerr.sizeof()
        if not message.header.flags & NLM_F.CAPPED:
            length = Nlmsgerr.unpack(message.body[:start]).msg.len
            start += -(-(length - 16) // 4) * 4
        for attribute, content in unpack_nlattrs(message.body[start:]):
            if attribute == NLMSGERR_ATTR_MSG:
                text = content.rstrip(b"\0").decode(errors="replace")
    raise NetlinkError(-number, text)
