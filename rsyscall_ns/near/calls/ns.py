"""Thin calls: namespaces, mounts, memory, credentials."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import c_offset, c_size, checked, int32

__all__ = [
    "capget",
    "getegid",
    "geteuid",
    "getgid",
    "getuid",
    "mmap",
    "mount",
    "mprotect",
    "munmap",
    "sethostname",
    "setns",
    "umount2",
    "uname",
    "unshare",
]


async def unshare(sysif: SyscallInterface, flags: int) -> None:
    """Leave namespaces for new ones. ``unshare(2)``."""
    await checked(sysif, SYS.unshare, int32("flags", flags))


async def setns(sysif: SyscallInterface, fd: FileDescriptor, kind: int) -> None:
    """Join a namespace. ``setns(2)``."""
    await checked(sysif, SYS.setns, fd.number, int32("kind", kind))


async def sethostname(sysif: SyscallInterface, name: Address, size: int) -> None:
    """Set the host name. ``sethostname(2)``."""
    await checked(sysif, SYS.sethostname, name.value, c_size("size", size))


async def uname(sysif: SyscallInterface, buf: Address) -> None:
    """Read names of host and kernel. ``uname(2)``."""
    await checked(sysif, SYS.uname, buf.value)


async def mount(
    sysif: SyscallInterface,
    source: Address,
    target: Address,
    kind: Address,
    flags: int,
    data: Address,
) -> None:
    """Mount a file system. ``mount(2)``."""
    await checked(
        sysif, SYS.mount, source.value, target.value, kind.value, int32("flags", flags), data.value
    )


async def umount2(sysif: SyscallInterface, target: Address, flags: int) -> None:
    """Unmount. ``umount(2)``."""
    await checked(sysif, SYS.umount2, target.value, int32("flags", flags))


async def mmap(
    sysif: SyscallInterface,
    address: Address,
    length: int,
    prot: int,
    flags: int,
    fd: int,
    offset: int,
) -> Address:
    """Map memory. ``mmap(2)``."""
    return Address(
        await checked(
            sysif,
            SYS.mmap,
            address.value,
            c_size("length", length),
            int32("prot", prot),
            int32("flags", flags),
            int32("fd", fd),
            c_offset("offset", offset),
        )
    )


async def munmap(sysif: SyscallInterface, address: Address, length: int) -> None:
    """Unmap memory. ``munmap(2)``."""
    await checked(sysif, SYS.munmap, address.value, c_size("length", length))


async def mprotect(sysif: SyscallInterface, address: Address, length: int, prot: int) -> None:
    """Set the protection of memory. ``mprotect(2)``."""
    await checked(sysif, SYS.mprotect, address.value, c_size("length", length), int32("prot", prot))


async def capget(sysif: SyscallInterface, header: Address, data: Address) -> None:
    """Read capabilities. ``capget(2)``."""
    await checked(sysif, SYS.capget, header.value, data.value)


async def getuid(sysif: SyscallInterface) -> int:
    """Return the real user id. ``getuid(2)``."""
    return await sysif.call(SYS.getuid)  # can't fail


async def geteuid(sysif: SyscallInterface) -> int:
    """Return the effective user id. ``getuid(2)``."""
    return await sysif.call(SYS.geteuid)  # can't fail


async def getgid(sysif: SyscallInterface) -> int:
    """Return the real group id. ``getgid(2)``."""
    return await sysif.call(SYS.getgid)  # can't fail


async def getegid(sysif: SyscallInterface) -> int:
    """Return the effective group id. ``getgid(2)``."""
    return await sysif.call(SYS.getegid)  # can't fail
