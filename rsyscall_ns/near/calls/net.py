"""Thin calls: sockets."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import c_size, checked, int32

__all__ = [
    "accept4",
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "recvfrom",
    "sendto",
    "setsockopt",
    "shutdown",
    "socket",
    "socketpair",
]


async def socket(sysif: SyscallInterface, domain: int, kind: int, protocol: int) -> FileDescriptor:
    """Make a socket. ``socket(2)``."""
    return FileDescriptor(
        await checked(
            sysif,
            SYS.socket,
            int32("domain", domain),
            int32("kind", kind),
            int32("protocol", protocol),
        )
    )


async def socketpair(
    sysif: SyscallInterface, domain: int, kind: int, protocol: int, fds: Address
) -> None:
    """Make two connected sockets; two ints are written to ``fds``. ``socketpair(2)``."""
    await checked(
        sysif,
        SYS.socketpair,
        int32("domain", domain),
        int32("kind", kind),
        int32("protocol", protocol),
        fds.value,
    )


async def bind(sysif: SyscallInterface, fd: FileDescriptor, address: Address, size: int) -> None:
    """Give a socket its name. ``bind(2)``."""
    await checked(sysif, SYS.bind, fd.number, address.value, c_size("size", size))


async def listen(sysif: SyscallInterface, fd: FileDescriptor, backlog: int) -> None:
    """Accept connections from now on. ``listen(2)``."""
    await checked(sysif, SYS.listen, fd.number, int32("backlog", backlog))


async def accept4(
    sysif: SyscallInterface, fd: FileDescriptor, address: Address, size: Address, flags: int
) -> FileDescriptor:
    """Take a connection. ``accept(2)``."""
    return FileDescriptor(
        await checked(
            sysif, SYS.accept4, fd.number, address.value, size.value, int32("flags", flags)
        )
    )


async def connect(sysif: SyscallInterface, fd: FileDescriptor, address: Address, size: int) -> None:
    """Connect to a peer. ``connect(2)``."""
    await checked(sysif, SYS.connect, fd.number, address.value, c_size("size", size))


async def getsockname(
    sysif: SyscallInterface, fd: FileDescriptor, address: Address, size: Address
) -> None:
    """Read a socket's own name. ``getsockname(2)``."""
    await checked(sysif, SYS.getsockname, fd.number, address.value, size.value)


async def getpeername(
    sysif: SyscallInterface, fd: FileDescriptor, address: Address, size: Address
) -> None:
    """Read the peer's name. ``getpeername(2)``."""
    await checked(sysif, SYS.getpeername, fd.number, address.value, size.value)


async def shutdown(sysif: SyscallInterface, fd: FileDescriptor, how: int) -> None:
    """End one direction. ``shutdown(2)``."""
    await checked(sysif, SYS.shutdown, fd.number, int32("how", how))


async def sendto(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    buf: Address,
    count: int,
    flags: int,
    address: Address,
    size: int,
) -> int:
    """Send bytes. ``send(2)``."""
    return await checked(
        sysif,
        SYS.sendto,
        fd.number,
        buf.value,
        c_size("count", count),
        int32("flags", flags),
        address.value,
        c_size("size", size),
    )


async def recvfrom(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    buf: Address,
    count: int,
    flags: int,
    address: Address,
    size: Address,
) -> int:
    """Receive bytes. ``recv(2)``."""
    return await checked(
        sysif,
        SYS.recvfrom,
        fd.number,
        buf.value,
        c_size("count", count),
        int32("flags", flags),
        address.value,
        size.value,
    )


async def getsockopt(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    level: int,
    name: int,
    value: Address,
    size: Address,
) -> None:
    """Read an option. ``getsockopt(2)``."""
    await checked(
        sysif,
        SYS.getsockopt,
        fd.number,
        int32("level", level),
        int32("name", name),
        value.value,
        size.value,
    )


async def setsockopt(
    sysif: SyscallInterface, fd: FileDescriptor, level: int, name: int, value: Address, size: int
) -> None:
    """Set an option. ``setsockopt(2)``."""
    await checked(
        sysif,
        SYS.setsockopt,
        fd.number,
        int32("level", level),
        int32("name", name),
        value.value,
        c_size("size", size),
    )
