"""``<linux/netlink.h>``: how netlink messages and their attributes are packed and taken apart.

The constants are in ``netlink_h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .netlink_h import NLM_F, Nlmsghdr

__all__ = ["NetlinkMessage", "nlattr", "nlmsg", "unpack_nlattrs", "unpack_nlmsgs"]

HEADER: Final = Nlmsghdr.sizeof()
ATTRIBUTE: Final = struct.Struct("<HH")
ALIGNMENT: Final = 4
TYPE_MASK: Final = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER


def aligned(size: int) -> int:
    """Return the size up to where the next one can begin."""
    return -(-size // ALIGNMENT) * ALIGNMENT


@value
class NetlinkMessage:
    """A message: what it begins with, and the rest. ``data`` are the bytes of both."""

    header: Nlmsghdr
    body: bytes

    @property
    def data(self) -> bytes:
        """All of it, as it came."""
        return self.header.pack() + self.body


def nlmsg(kind: int, body: bytes, flags: NLM_F, seq: int = 0) -> bytes:
    """Return a message as the kernel takes it."""
    length = fit("length of the message", HEADER + len(body), HEADER, 2**32 - 1)
    head = Nlmsghdr(len=length, type=kind, flags=flags, seq=seq).pack()
    return (head + body).ljust(aligned(length), b"\0")


def unpack_nlmsgs(data: bytes) -> Iterator[NetlinkMessage]:
    """Yield the messages of one datagram.

    A length that is shorter than the head, or goes beyond the end, raises SerializerError.
    """
    at = 0
    while at < len(data):
        left = len(data) - at
        if left < HEADER:
            raise SerializerError("a netlink message", HEADER, left, least=True)
        header = Nlmsghdr.unpack(data[at : at + HEADER])
        if not HEADER <= header.len <= left:
            raise SerializerError("a netlink message", max(header.len, HEADER), left, least=True)
        yield NetlinkMessage(header, data[at + HEADER : at + header.len])
        at += aligned(header.len)


def nlattr(kind: int, content: bytes) -> bytes:
    """Return an attribute as the kernel takes it."""
    length = fit("length of the attribute", ATTRIBUTE.size + len(content), 0, 0xFFFF)
    return (ATTRIBUTE.pack(length, kind) + content).ljust(aligned(length), b"\0")


def unpack_nlattrs(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the content of each attribute.

    A length that is shorter than the head, or goes beyond the end, raises SerializerError.
    """
    at = 0
    while at < len(data):
        left = len(data) - at
        if left < ATTRIBUTE.size:
            raise SerializerError("a netlink attribute", ATTRIBUTE.size, left, least=True)
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if not ATTRIBUTE.size <= length <= left:
            need = max(length, ATTRIBUTE.size)
            raise SerializerError("a netlink attribute", need, left, least=True)
        yield kind & TYPE_MASK, data[at + ATTRIBUTE.size : at + length]
        at += aligned(length)
