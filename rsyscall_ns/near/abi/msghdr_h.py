"""``<sys/socket.h>``: messages, and the control messages that go with them.

Knows nothing of handles: an fd in a control message is a number here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, i32, nested, u32, u64

__all__ = ["Cmsg", "Mmsghdr", "Msghdr", "cmsg_space", "pack_cmsgs", "unpack_cmsgs"]

CMSGHDR: Final = struct.Struct("<Qii")
ALIGNMENT: Final = 8


@c_struct
class Msghdr(CStruct):
    """``struct msghdr``, with addresses as numbers."""

    C_NAME: ClassVar = "struct msghdr"
    C_HEADER: ClassVar = "sys/socket.h"
    name: int = u64(c_name="msg_name")
    namelen: int = u32(c_name="msg_namelen")
    iov: int = u64(c_name="msg_iov")
    iovlen: int = u64(c_name="msg_iovlen")
    control: int = u64(c_name="msg_control")
    controllen: int = u64(c_name="msg_controllen")
    flags: int = i32(c_name="msg_flags")


@c_struct
class Mmsghdr(CStruct):
    """``struct mmsghdr``: one of several messages, and how many bytes of it were transferred."""

    C_NAME: ClassVar = "struct mmsghdr"
    C_HEADER: ClassVar = "sys/socket.h"
    hdr: Msghdr = nested(Msghdr, c_name="msg_hdr")
    len: int = u32(c_name="msg_len")


@value
class Cmsg:
    """A control message as it is: its level (``SOL``), its type there, and its data."""

    level: int
    type: int
    data: bytes


def aligned(size: int) -> int:
    """Return the size up to where the next control message can begin."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def cmsg_space(size: int) -> int:
    """Return how much room a control message with so much data takes. ``cmsg(3)``."""
    return CMSGHDR.size + aligned(size)


def pack_cmsgs(messages: Iterable[Cmsg]) -> bytes:
    """Return control messages as sendmsg takes them."""
    packed = bytearray()
    for message in messages:
        head = CMSGHDR.pack(CMSGHDR.size + len(message.data), message.level, message.type)
        packed += (head + message.data).ljust(cmsg_space(len(message.data)), b"\0")
    return bytes(packed)


def unpack_cmsgs(data: bytes) -> Iterator[Cmsg]:
    """Yield the control messages that recvmsg wrote.

    A length that is shorter than the head, or goes beyond the end, raises SerializerError.
    """
    at = 0
    while len(data) - at >= CMSGHDR.size:
        length, level, kind = CMSGHDR.unpack_from(data, at)
        left = len(data) - at
        if not CMSGHDR.size <= length <= left:
            raise SerializerError("a control message", max(length, CMSGHDR.size), left, least=True)
        yield Cmsg(level, kind, data[at + CMSGHDR.size : at + length])
        at += aligned(length)
