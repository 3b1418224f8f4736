"""``<netinet/in.h>``, ``<sys/un.h>``, ``<linux/*.h>``: sockets' names of each family.

A name of a family that is not known here is read as a :class:`SockaddrUnknown`.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import ClassVar, Final, Self

from attrs import Attribute, field

from rsyscall_ns.near.errors import PathError, SerializerError
from rsyscall_ns.near.ids import INT_MAX, fit
from rsyscall_ns.near.values import value

from .socket_h import AF

__all__ = ["SOCKADDR_MAX", "Sockaddr", "SockaddrAlg", "SockaddrIn", "SockaddrIn6", "SockaddrLl"]
__all__ += ["SockaddrNl", "SockaddrUn", "SockaddrUnknown", "SockaddrVm", "unpack_sockaddr"]

SOCKADDR_MAX: Final = 128  # struct sockaddr_storage
FAMILY: Final = struct.Struct("<H")
NL: Final = struct.Struct("<H2xII")
VM: Final = struct.Struct("<HHIIB3x")
LL: Final = struct.Struct("<H2siHBB")
ALG: Final = struct.Struct("<H14sII64s")
LL_ADDRESS: Final = 8  # bytes that struct sockaddr_ll has for it; InfiniBand's are longer


def _fits(low: int, high: int) -> Callable[[object, Attribute[int], int], None]:
    def check(_instance: object, attribute: Attribute[int], value: int) -> None:
        fit(attribute.name, value, low, high)

    return check


U8: Final = _fits(0, 2**8 - 1)
U16: Final = _fits(0, 2**16 - 1)
U32: Final = _fits(0, 2**32 - 1)


def _whole(what: str, size: int, data: bytes) -> None:
    if len(data) < size:
        raise SerializerError(what, size, len(data), least=True)


@value
class SockaddrIn:
    """An IPv4 address and port (``ip(7)``)."""

    family: ClassVar[AF] = AF.INET
    address: str
    port: int = field(validator=U16)

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_in``."""
        try:
            raw = socket.inet_pton(socket.AF_INET, self.address)
        except OSError as error:
            raise PathError(self.address, "is not an IPv4 address such as 127.0.0.1") from error
        return FAMILY.pack(AF.INET) + struct.pack(">H", self.port) + raw + bytes(8)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the address; what is too short raises SerializerError."""
        _whole("struct sockaddr_in", 8, data)
        return cls(socket.inet_ntop(socket.AF_INET, data[4:8]), int.from_bytes(data[2:4], "big"))


@value
class SockaddrIn6:
    """An IPv6 address and port (``ipv6(7)``)."""

    family: ClassVar[AF] = AF.INET6
    address: str
    port: int = field(validator=U16)
    flowinfo: int = field(default=0, validator=U32)
    scope_id: int = field(default=0, validator=U32)

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_in6``."""
        try:
            raw = socket.inet_pton(socket.AF_INET6, self.address)
        except OSError as error:
            raise PathError(self.address, "is not an IPv6 address such as ::1") from error
        head = FAMILY.pack(AF.INET6) + struct.pack(">HI", self.port, self.flowinfo)
        return head + raw + struct.pack("<I", self.scope_id)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the address; what is too short raises SerializerError."""
        _whole("struct sockaddr_in6", 28, data)
        port, flowinfo = struct.unpack_from(">HI", data, 2)
        (scope,) = struct.unpack_from("<I", data, 24)
        return cls(socket.inet_ntop(socket.AF_INET6, data[8:24]), port, flowinfo, scope)


@value
class SockaddrUn:
    """A path in the file system (``unix(7)``).

    Abstract names, which begin with a NUL byte, are only read: everybody in the network namespace
    can reach them, whatever the permissions are.
    """

    family: ClassVar[AF] = AF.UNIX
    LIMIT: ClassVar[int] = 107
    path: bytes = field(converter=os.fsencode)

    def __str__(self) -> str:
        return os.fsdecode(self.path.replace(b"\0", b"@"))

    @property
    def abstract(self) -> bool:
        """Whether it is no path but a name in the network namespace."""
        return self.path.startswith(b"\0")

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_un``; an abstract name raises PathError."""
        if b"\0" in self.path:
            raise PathError(self.path, "has a NUL byte: abstract sockets are refused")
        if not self.path:
            raise PathError(self.path, "is empty: that would be an abstract socket, give a path")
        if len(self.path) > self.LIMIT:
            raise PathError(self.path, f"is longer than a socket's {self.LIMIT} bytes")
        return FAMILY.pack(AF.UNIX) + self.path + b"\0"

    @classmethod
    def unpack(cls, data: bytes) -> Self | None:
        """Return the name; None for a socket without one."""
        name = data[FAMILY.size :]
        if not name:
            return None
        return cls(name if name.startswith(b"\0") else name.split(b"\0", 1)[0])


@value
class SockaddrNl:
    """A netlink port, and the multicast groups that it is in (``netlink(7)``).

    ``pid``: 0 is the kernel; in ``bind`` it means that the kernel chooses.
    """

    family: ClassVar[AF] = AF.NETLINK
    pid: int = field(default=0, validator=U32)
    groups: int = field(default=0, validator=U32)

    def __str__(self) -> str:
        return f"netlink {self.pid}, groups {self.groups:#x}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_nl``."""
        return NL.pack(AF.NETLINK, self.pid, self.groups)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the address; what is too short raises SerializerError."""
        _whole("struct sockaddr_nl", NL.size, data)
        _, pid, groups = NL.unpack_from(data)
        return cls(pid, groups)


@value
class SockaddrVm:
    """A virtual machine, or its host, and a port there (``vsock(7)``)."""

    family: ClassVar[AF] = AF.VSOCK
    cid: int = field(validator=U32)
    port: int = field(validator=U32)
    flags: int = field(default=0, validator=U8)

    def __str__(self) -> str:
        return f"vsock {self.cid}:{self.port}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_vm``."""
        return VM.pack(AF.VSOCK, 0, self.port, self.cid, self.flags)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the address; what is too short raises SerializerError."""
        _whole("struct sockaddr_vm", VM.size, data)
        _, _, port, cid, flags = VM.unpack_from(data)
        return cls(cid, port, flags)


@value
class SockaddrLl:
    """A network interface by its index, and an address on its link (``packet(7)``).

    ``protocol``: an ``ETH_P`` number, in the machine's order here.
    """

    family: ClassVar[AF] = AF.PACKET
    protocol: int = field(default=0, validator=U16)
    ifindex: int = field(default=0, validator=_fits(-INT_MAX - 1, INT_MAX))
    address: bytes = b""
    hatype: int = field(default=0, validator=U16)
    pkttype: int = field(default=0, validator=U8)

    def __str__(self) -> str:
        return f"interface {self.ifindex}, {self.address.hex(':')}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_ll``."""
        length = fit("length of the address", len(self.address), 0, SOCKADDR_MAX - LL.size)
        protocol = self.protocol.to_bytes(2, "big")
        head = LL.pack(AF.PACKET, protocol, self.ifindex, self.hatype, self.pkttype, length)
        return head + self.address.ljust(LL_ADDRESS, b"\0")

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the address; what is too short raises SerializerError."""
        _whole("struct sockaddr_ll", LL.size, data)
        _, protocol, ifindex, hatype, pkttype, length = LL.unpack_from(data)
        _whole("struct sockaddr_ll", LL.size + length, data)
        address = data[LL.size : LL.size + length]
        return cls(int.from_bytes(protocol, "big"), ifindex, address, hatype, pkttype)


@value
class SockaddrAlg:
    """An algorithm of the kernel's cryptography: type ``hash`` and name ``sha256``, say."""

    family: ClassVar[AF] = AF.ALG
    type: str
    name: str
    feat: int = field(default=0, validator=U32)
    mask: int = field(default=0, validator=U32)

    def __str__(self) -> str:
        return f"{self.type} {self.name}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr_alg``; what is too long raises PathError."""
        for text, room in ((self.type, 14), (self.name, 64)):
            if len(os.fsencode(text)) >= room or "\0" in text:
                raise PathError(text, f"has a NUL, or is longer than {room - 1} bytes")
        kind, name = os.fsencode(self.type), os.fsencode(self.name)
        return ALG.pack(AF.ALG, kind, self.feat, self.mask, name)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the address; what is too short raises SerializerError."""
        _whole("struct sockaddr_alg", ALG.size, data)
        _, kind, feat, mask, name = ALG.unpack_from(data)
        kind, name = (os.fsdecode(text.split(b"\0", 1)[0]) for text in (kind, name))
        return cls(kind, name, feat, mask)


@value
class SockaddrUnknown:
    """A name of a family that has no class here: the bytes behind the family's number."""

    family: int = field(validator=U16)
    data: bytes

    def __str__(self) -> str:
        return f"family {self.family}, {self.data.hex()}"

    def pack(self) -> bytes:
        """Return the ``struct sockaddr``; families that have a class raise PathError."""
        if self.family in CLASSES:
            kind = CLASSES[self.family].__name__
            raise PathError(self.data, f"is of a family that is known: use {kind}")
        fit("length of the address", len(self.data), 0, SOCKADDR_MAX - FAMILY.size)
        return FAMILY.pack(self.family) + self.data

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the address; what is too short raises SerializerError."""
        _whole("struct sockaddr", FAMILY.size, data)
        return cls(FAMILY.unpack_from(data)[0], data[FAMILY.size :])


Known = SockaddrIn | SockaddrIn6 | SockaddrUn | SockaddrNl | SockaddrVm | SockaddrLl | SockaddrAlg
Sockaddr = Known | SockaddrUnknown
CLASSES: Final[dict[int, type[Known]]] = {
    kind.family: kind
    for kind in (
        SockaddrIn,
        SockaddrIn6,
        SockaddrUn,
        SockaddrNl,
        SockaddrVm,
        SockaddrLl,
        SockaddrAlg,
    )
}


def unpack_sockaddr(data: bytes) -> Sockaddr | None:
    """Return the name in a ``struct sockaddr``, None if there is none.

    One that is shorter than its family's raises SerializerError.
    """
    if len(data) < FAMILY.size:
        return None
    kind = CLASSES.get(FAMILY.unpack_from(data)[0], SockaddrUnknown)
    return kind.unpack(data)
