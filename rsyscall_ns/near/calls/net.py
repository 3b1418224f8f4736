"""Thin calls: sockets. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, checked, int32

__all__ = [
    "accept",
    "accept4",
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "socket",
    "socketpair",
]


async def socket(sysif: SyscallInterface, family: int, type: int, protocol: int) -> FileDescriptor:
    """Make a socket. ``socket(2)``."""
    made = await checked(
        sysif, SYS.socket, int32("family", family), int32("type", type), int32("protocol", protocol)
    )
    return FileDescriptor(made)


async def connect(
    sysif: SyscallInterface, fd: FileDescriptor, uservaddr: Address | None, addrlen: int
) -> None:
    """Connect to a peer. ``connect(2)``."""
    await checked(sysif, SYS.connect, fd.number, at(uservaddr), int32("addrlen", addrlen))


async def accept(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    upeer_sockaddr: Address | None,
    upeer_addrlen: Address | None,
) -> FileDescriptor:
    """Take a connection. ``accept(2)``."""
    made = await checked(sysif, SYS.accept, fd.number, at(upeer_sockaddr), at(upeer_addrlen))
    return FileDescriptor(made)


async def sendto(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    buff: Address | None,
    len: int,
    flags: int,
    addr: Address | None,
    addr_len: int,
) -> int:
    """Send bytes. ``send(2)``."""
    return await checked(
        sysif,
        SYS.sendto,
        fd.number,
        at(buff),
        c_size("len", len),
        int32("flags", flags),
        at(addr),
        int32("addr_len", addr_len),
    )


async def recvfrom(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    ubuf: Address | None,
    size: int,
    flags: int,
    addr: Address | None,
    addr_len: Address | None,
) -> int:
    """Receive bytes. ``recv(2)``."""
    return await checked(
        sysif,
        SYS.recvfrom,
        fd.number,
        at(ubuf),
        c_size("size", size),
        int32("flags", flags),
        at(addr),
        at(addr_len),
    )


async def sendmsg(
    sysif: SyscallInterface, fd: FileDescriptor, msg: Address | None, flags: int
) -> int:
    """Send a message, with ancillary data. ``send(2)``."""
    return await checked(sysif, SYS.sendmsg, fd.number, at(msg), int32("flags", flags))


async def recvmsg(
    sysif: SyscallInterface, fd: FileDescriptor, msg: Address | None, flags: int
) -> int:
    """Receive a message, with ancillary data. ``recv(2)``."""
    return await checked(sysif, SYS.recvmsg, fd.number, at(msg), int32("flags", flags))


async def shutdown(sysif: SyscallInterface, fd: FileDescriptor, how: int) -> None:
    """End one direction of a connection, or both. ``shutdown(2)``."""
    await checked(sysif, SYS.shutdown, fd.number, int32("how", how))


async def bind(
    sysif: SyscallInterface, fd: FileDescriptor, umyaddr: Address | None, addrlen: int
) -> None:
    """Give a socket its own name. ``bind(2)``."""
    await checked(sysif, SYS.bind, fd.number, at(umyaddr), int32("addrlen", addrlen))


async def listen(sysif: SyscallInterface, fd: FileDescriptor, backlog: int) -> None:
    """Accept connections from now on. ``listen(2)``."""
    await checked(sysif, SYS.listen, fd.number, int32("backlog", backlog))


async def getsockname(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    usockaddr: Address | None,
    usockaddr_len: Address | None,
) -> None:
    """Read a socket's own name. ``getsockname(2)``."""
    await checked(sysif, SYS.getsockname, fd.number, at(usockaddr), at(usockaddr_len))


async def getpeername(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    usockaddr: Address | None,
    usockaddr_len: Address | None,
) -> None:
    """Read the peer's name. ``getpeername(2)``."""
    await checked(sysif, SYS.getpeername, fd.number, at(usockaddr), at(usockaddr_len))


async def socketpair(
    sysif: SyscallInterface, family: int, type: int, protocol: int, usockvec: Address | None
) -> None:
    """Make two connected sockets; two ints are written to ``usockvec``. ``socketpair(2)``."""
    await checked(
        sysif,
        SYS.socketpair,
        int32("family", family),
        int32("type", type),
        int32("protocol", protocol),
        at(usockvec),
    )


async def setsockopt(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    level: int,
    optname: int,
    optval: Address | None,
    optlen: int,
) -> None:
    """Set an option. ``getsockopt(2)``."""
    await checked(
        sysif,
        SYS.setsockopt,
        fd.number,
        int32("level", level),
        int32("optname", optname),
        at(optval),
        int32("optlen", optlen),
    )


async def getsockopt(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    level: int,
    optname: int,
    optval: Address | None,
    optlen: Address | None,
) -> None:
    """Read an option. ``getsockopt(2)``."""
    await checked(
        sysif,
        SYS.getsockopt,
        fd.number,
        int32("level", level),
        int32("optname", optname),
        at(optval),
        at(optlen),
    )


async def accept4(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    upeer_sockaddr: Address | None,
    upeer_addrlen: Address | None,
    flags: int,
) -> FileDescriptor:
    """Take a connection, by flags. ``accept(2)``."""
    made = await checked(
        sysif, SYS.accept4, fd.number, at(upeer_sockaddr), at(upeer_addrlen), int32("flags", flags)
    )
    return FileDescriptor(made)


async def recvmmsg(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    mmsg: Address | None,
    vlen: int,
    flags: int,
    timeout: Address | None,
) -> int:
    """Receive several messages; returns how many came. ``recvmmsg(2)``."""
    return await checked(
        sysif,
        SYS.recvmmsg,
        fd.number,
        at(mmsg),
        int32("vlen", vlen),
        int32("flags", flags),
        at(timeout),
    )


async def sendmmsg(
    sysif: SyscallInterface, fd: FileDescriptor, mmsg: Address | None, vlen: int, flags: int
) -> int:
    """Send several messages; returns how many were sent. ``sendmmsg(2)``."""
    return await checked(
        sysif, SYS.sendmmsg, fd.number, at(mmsg), int32("vlen", vlen), int32("flags", flags)
    )
