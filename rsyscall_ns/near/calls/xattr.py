"""Thin calls: extended attributes. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, checked, int32, or_cwd

__all__ = [
    "fgetxattr",
    "flistxattr",
    "fremovexattr",
    "fsetxattr",
    "getxattr",
    "getxattrat",
    "lgetxattr",
    "listxattr",
    "listxattrat",
    "llistxattr",
    "lremovexattr",
    "lsetxattr",
    "removexattr",
    "removexattrat",
    "setxattr",
    "setxattrat",
]


async def setxattr(
    sysif: SyscallInterface,
    pathname: Address | None,
    name: Address | None,
    value: Address | None,
    size: int,
    flags: int,
) -> None:
    """Set an extended attribute. ``setxattr(2)``."""
    await checked(
        sysif,
        SYS.setxattr,
        at(pathname),
        at(name),
        at(value),
        c_size("size", size),
        int32("flags", flags),
    )


async def lsetxattr(
    sysif: SyscallInterface,
    pathname: Address | None,
    name: Address | None,
    value: Address | None,
    size: int,
    flags: int,
) -> None:
    """Set an extended attribute of a file, or of a symbolic link itself. ``setxattr(2)``."""
    await checked(
        sysif,
        SYS.lsetxattr,
        at(pathname),
        at(name),
        at(value),
        c_size("size", size),
        int32("flags", flags),
    )


async def fsetxattr(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    name: Address | None,
    value: Address | None,
    size: int,
    flags: int,
) -> None:
    """Set an extended attribute of an fd's file. ``setxattr(2)``."""
    await checked(
        sysif,
        SYS.fsetxattr,
        fd.number,
        at(name),
        at(value),
        c_size("size", size),
        int32("flags", flags),
    )


async def getxattr(
    sysif: SyscallInterface,
    pathname: Address | None,
    name: Address | None,
    value: Address | None,
    size: int,
) -> int:
    """Read an extended attribute. ``getxattr(2)``."""
    return await checked(
        sysif, SYS.getxattr, at(pathname), at(name), at(value), c_size("size", size)
    )


async def lgetxattr(
    sysif: SyscallInterface,
    pathname: Address | None,
    name: Address | None,
    value: Address | None,
    size: int,
) -> int:
    """Read an extended attribute of a file, or of a symbolic link itself. ``getxattr(2)``."""
    return await checked(
        sysif, SYS.lgetxattr, at(pathname), at(name), at(value), c_size("size", size)
    )


async def fgetxattr(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    name: Address | None,
    value: Address | None,
    size: int,
) -> int:
    """Read an extended attribute of an fd's file. ``getxattr(2)``."""
    return await checked(sysif, SYS.fgetxattr, fd.number, at(name), at(value), c_size("size", size))


async def listxattr(
    sysif: SyscallInterface, pathname: Address | None, list: Address | None, size: int
) -> int:
    """List the names of extended attributes. ``listxattr(2)``."""
    return await checked(sysif, SYS.listxattr, at(pathname), at(list), c_size("size", size))


async def llistxattr(
    sysif: SyscallInterface, pathname: Address | None, list: Address | None, size: int
) -> int:
    """List the names of extended attributes; a symbolic link is not followed. ``listxattr(2)``."""
    return await checked(sysif, SYS.llistxattr, at(pathname), at(list), c_size("size", size))


async def flistxattr(
    sysif: SyscallInterface, fd: FileDescriptor, list: Address | None, size: int
) -> int:
    """List the names of extended attributes of an fd's file. ``listxattr(2)``."""
    return await checked(sysif, SYS.flistxattr, fd.number, at(list), c_size("size", size))


async def removexattr(
    sysif: SyscallInterface, pathname: Address | None, name: Address | None
) -> None:
    """Remove an extended attribute. ``removexattr(2)``."""
    await checked(sysif, SYS.removexattr, at(pathname), at(name))


async def lremovexattr(
    sysif: SyscallInterface, pathname: Address | None, name: Address | None
) -> None:
    """Remove an extended attribute of a file, or of a symbolic link itself. ``removexattr(2)``."""
    await checked(sysif, SYS.lremovexattr, at(pathname), at(name))


async def fremovexattr(sysif: SyscallInterface, fd: FileDescriptor, name: Address | None) -> None:
    """Remove an extended attribute of an fd's file. ``removexattr(2)``."""
    await checked(sysif, SYS.fremovexattr, fd.number, at(name))


async def setxattrat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    pathname: Address | None,
    at_flags: int,
    name: Address | None,
    uargs: Address | None,
    usize: int,
) -> None:
    """Set an extended attribute, relative to a directory. ``setxattr(2)``."""
    await checked(
        sysif,
        SYS.setxattrat,
        or_cwd(dfd),
        at(pathname),
        int32("at_flags", at_flags),
        at(name),
        at(uargs),
        c_size("usize", usize),
    )


async def getxattrat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    pathname: Address | None,
    at_flags: int,
    name: Address | None,
    uargs: Address | None,
    usize: int,
) -> int:
    """Read an extended attribute, relative to a directory. ``getxattr(2)``."""
    return await checked(
        sysif,
        SYS.getxattrat,
        or_cwd(dfd),
        at(pathname),
        int32("at_flags", at_flags),
        at(name),
        at(uargs),
        c_size("usize", usize),
    )


async def listxattrat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    pathname: Address | None,
    at_flags: int,
    list: Address | None,
    size: int,
) -> int:
    """List the names of extended attributes, relative to a directory. ``listxattr(2)``."""
    return await checked(
        sysif,
        SYS.listxattrat,
        or_cwd(dfd),
        at(pathname),
        int32("at_flags", at_flags),
        at(list),
        c_size("size", size),
    )


async def removexattrat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    pathname: Address | None,
    at_flags: int,
    name: Address | None,
) -> None:
    """Remove an extended attribute, relative to a directory. ``removexattr(2)``."""
    await checked(
        sysif, SYS.removexattrat, or_cwd(dfd), at(pathname), int32("at_flags", at_flags), at(name)
    )
