"""``<sys/socket.h>``, ``<netinet/in.h>``, ``<sys/un.h>``, ``<net/if.h>``: sockets' names."""

from __future__ import annotations

import os
import socket
import struct
from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from attrs import field, frozen

from rsyscall_ns.near.errors import PathError
from rsyscall_ns.near.ids import fit

__all__ = ["AF", "IFF_UP", "IFREQ", "MSG", "SHUT", "SIOCGIFFLAGS", "SIOCSIFFLAGS", "SO", "SOCK"]
__all__ += ["SOCKADDR_MAX", "SOL", "Sockaddr", "SockaddrIn", "SockaddrIn6", "SockaddrUn"]
__all__ += ["unpack_sockaddr"]

SOCKADDR_MAX: Final = 128  # struct sockaddr_storage
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
IFREQ: Final = struct.Struct("<16sH22x")


class AF(IntEnum):
    """``AF_*``: address families."""

    UNSPEC = 0
    UNIX = 1
    INET = 2
    INET6 = 10
    NETLINK = 16
    PACKET = 17
    VSOCK = 40


class SOCK(IntFlag):
    """``SOCK_*``: socket types and creation flags."""

    STREAM = 1
    DGRAM = 2
    RAW = 3
    SEQPACKET = 5
    NONBLOCK = 0o4000
    CLOEXEC = 0o2000000


class SOL(IntEnum):
    """``SOL_*``, ``IPPROTO_*``: levels of socket options."""

    IP = 0
    SOCKET = 1
    TCP = 6
    IPV6 = 41


class SO(IntEnum):
    """``SO_*``: options of level ``SOL.SOCKET``."""

    REUSEADDR = 2
    TYPE = 3
    ERROR = 4
    BROADCAST = 6
    SNDBUF = 7
    RCVBUF = 8
    KEEPALIVE = 9
    REUSEPORT = 15
    ACCEPTCONN = 30
    PROTOCOL = 38
    DOMAIN = 39


class SHUT(IntEnum):
    """``SHUT_*``: which direction shutdown ends."""

    RD = 0
    WR = 1
    RDWR = 2


class MSG(IntFlag):
    """``MSG_*``: flags of send and recv."""

    NONE = 0
    OOB = 1
    PEEK = 2
    TRUNC = 0x20
    DONTWAIT = 0x40
    WAITALL = 0x100
    NOSIGNAL = 0x4000


def _port(_instance: object, _attribute: object, value: int) -> None:
    fit("port", value, 0, 0xFFFF)


@frozen
class SockaddrIn:
    """An IPv4 address and port."""

    family: ClassVar[AF] = AF.INET
    address: str
    port: int = field(validator=_port)

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_in``."""
        try:
            raw = socket.inet_pton(socket.AF_INET, self.address)
        except OSError as error:
            raise PathError(self.address, "is not an IPv4 address such as 127.0.0.1") from error
        return struct.pack("<H", AF.INET) + struct.pack(">H", self.port) + raw + bytes(8)


@frozen
class SockaddrIn6:
    """An IPv6 address and port."""

    family: ClassVar[AF] = AF.INET6
    address: str
    port: int = field(validator=_port)
    flowinfo: int = 0
    scope_id: int = 0

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_in6``."""
        try:
            raw = socket.inet_pton(socket.AF_INET6, self.address)
        except OSError as error:
            raise PathError(self.address, "is not an IPv6 address such as ::1") from error
        head = struct.pack("<H", AF.INET6) + struct.pack(">HI", self.port, self.flowinfo)
        return head + raw + struct.pack("<I", self.scope_id)


@frozen
class SockaddrUn:
    """A path in the file system; empty for an unnamed socket."""

    family: ClassVar[AF] = AF.UNIX
    LIMIT: ClassVar[int] = 107
    path: bytes

    def __str__(self) -> str:
        return os.fsdecode(self.path)

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_un``."""
        if b"\0" in self.path:
            raise PathError(self.path, "has a NUL byte: abstract sockets are refused")
        if len(self.path) > self.LIMIT:
            raise PathError(self.path, f"is longer than a socket's {self.LIMIT} bytes")
        return struct.pack("<H", AF.UNIX) + self.path + b"\0"


Sockaddr = SockaddrIn | SockaddrIn6 | SockaddrUn


def unpack_sockaddr(data: bytes) -> Sockaddr | None:
    """Return the address in a ``struct sockaddr``, None if there is none."""
    size = struct.calcsize("<H")
    if len(data) < size:
        return None
    (family,) = struct.unpack_from("<H", data)
    match family:
        case AF.INET:
            return SockaddrIn(socket.inet_ntop(socket.AF_INET, data[4:8]), _be16(data))
        case AF.INET6:
            flow = int.from_bytes(data[4:8], "big")
            scope = int.from_bytes(data[24:28], "little")
            address = socket.inet_ntop(socket.AF_INET6, data[8:24])
            return SockaddrIn6(address, _be16(data), flow, scope)
        case AF.UNIX:
            if len(data) == size:
                return None
            return SockaddrUn(data[2:].split(b"\0", 1)[0])
        case _:
            raise PathError(data, f"is an address of family {family}, which is not known here")


def _be16(data: bytes) -> int:
    return int.from_bytes(data[2:4], "big")
