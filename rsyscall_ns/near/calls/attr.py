"""Thin calls: what files are: owners, modes, times, quotas. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_mode, c_size, checked, int32, number_of, or_cwd

__all__ = [
    "chmod",
    "chown",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchownat",
    "file_getattr",
    "file_setattr",
    "fstat",
    "fstatfs",
    "futimesat",
    "lchown",
    "lstat",
    "newfstatat",
    "quotactl",
    "quotactl_fd",
    "stat",
    "statfs",
    "statx",
    "ustat",
    "utime",
    "utimensat",
    "utimes",
]


async def stat(sysif: SyscallInterface, filename: Address | None, statbuf: Address | None) -> None:
    """Read what a file is. ``stat(2)``."""
    await checked(sysif, number_of("stat"), at(filename), at(statbuf))


async def fstat(sysif: SyscallInterface, fd: FileDescriptor, statbuf: Address | None) -> None:
    """Read what an fd's file is. ``stat(2)``."""
    await checked(sysif, SYS.fstat, fd.number, at(statbuf))


async def lstat(sysif: SyscallInterface, filename: Address | None, statbuf: Address | None) -> None:
    """Read what a file is; a symbolic link is not followed. ``stat(2)``."""
    await checked(sysif, number_of("lstat"), at(filename), at(statbuf))


async def chmod(sysif: SyscallInterface, filename: Address | None, mode: int) -> None:
    """Change a file's mode. ``chmod(2)``."""
    await checked(sysif, number_of("chmod"), at(filename), c_mode("mode", mode))


async def fchmod(sysif: SyscallInterface, fd: FileDescriptor, mode: int) -> None:
    """Change the mode of an fd's file. ``chmod(2)``."""
    await checked(sysif, SYS.fchmod, fd.number, c_mode("mode", mode))


async def chown(sysif: SyscallInterface, filename: Address | None, user: int, group: int) -> None:
    """Change a file's owner and group; -1 leaves one. ``chown(2)``."""
    await checked(
        sysif, number_of("chown"), at(filename), int32("user", user), int32("group", group)
    )


async def fchown(sysif: SyscallInterface, fd: FileDescriptor, user: int, group: int) -> None:
    """Change the owner and group of an fd's file. ``chown(2)``."""
    await checked(sysif, SYS.fchown, fd.number, int32("user", user), int32("group", group))


async def lchown(sysif: SyscallInterface, filename: Address | None, user: int, group: int) -> None:
    """Change the owner and group of a file, or of a symbolic link itself. ``chown(2)``."""
    await checked(
        sysif, number_of("lchown"), at(filename), int32("user", user), int32("group", group)
    )


async def utime(sysif: SyscallInterface, filename: Address | None, times: Address | None) -> None:
    """Change a file's times; seconds. ``utime(2)``."""
    await checked(sysif, number_of("utime"), at(filename), at(times))


async def ustat(sysif: SyscallInterface, dev: int, ubuf: Address | None) -> None:
    """Read how full a device's file system is. ``ustat(2)``."""
    await checked(sysif, number_of("ustat"), int32("dev", dev), at(ubuf))


async def statfs(sysif: SyscallInterface, pathname: Address | None, buf: Address | None) -> None:
    """Read what file system a path is on. ``statfs(2)``."""
    await checked(sysif, SYS.statfs, at(pathname), at(buf))


async def fstatfs(sysif: SyscallInterface, fd: FileDescriptor, buf: Address | None) -> None:
    """Read what file system an fd is on. ``statfs(2)``."""
    await checked(sysif, SYS.fstatfs, fd.number, at(buf))


async def quotactl(
    sysif: SyscallInterface, cmd: int, special: Address | None, id: int, addr: Address | None
) -> None:
    """Manage the disk quotas of a file system, by its device. ``quotactl(2)``."""
    await checked(sysif, SYS.quotactl, int32("cmd", cmd), at(special), int32("id", id), at(addr))


async def utimes(sysif: SyscallInterface, filename: Address | None, utimes: Address | None) -> None:
    """Change a file's times; microseconds. ``utime(2)``."""
    await checked(sysif, number_of("utimes"), at(filename), at(utimes))


async def fchownat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    user: int,
    group: int,
    flag: int,
) -> None:
    """Change a file's owner and group, by flags. ``chown(2)``."""
    await checked(
        sysif,
        SYS.fchownat,
        or_cwd(dfd),
        at(filename),
        int32("user", user),
        int32("group", group),
        int32("flag", flag),
    )


async def futimesat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    utimes: Address | None,
) -> None:
    """Change a file's times, relative to a directory; microseconds. ``futimesat(2)``."""
    await checked(sysif, number_of("futimesat"), or_cwd(dfd), at(filename), at(utimes))


async def newfstatat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    statbuf: Address | None,
    flag: int,
) -> None:
    """Read what a file is, relative to a directory. ``stat(2)``."""
    await checked(
        sysif, SYS.newfstatat, or_cwd(dfd), at(filename), at(statbuf), int32("flag", flag)
    )


async def fchmodat(
    sysif: SyscallInterface, dfd: FileDescriptor | None, filename: Address | None, mode: int
) -> None:
    """Change a file's mode, relative to a directory. ``chmod(2)``."""
    await checked(sysif, SYS.fchmodat, or_cwd(dfd), at(filename), c_mode("mode", mode))


async def utimensat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    utimes: Address | None,
    flags: int,
) -> None:
    """Change a file's times; nanoseconds. ``utimensat(2)``."""
    await checked(
        sysif, SYS.utimensat, or_cwd(dfd), at(filename), at(utimes), int32("flags", flags)
    )


async def statx(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    flags: int,
    mask: int,
    buffer: Address | None,
) -> None:
    """Read what a file is, in full. ``statx(2)``."""
    await checked(
        sysif,
        SYS.statx,
        or_cwd(dfd),
        at(filename),
        int32("flags", flags),
        int32("mask", mask),
        at(buffer),
    )


async def quotactl_fd(
    sysif: SyscallInterface, fd: FileDescriptor, cmd: int, id: int, addr: Address | None
) -> None:
    """Manage the disk quotas of an fd's file system. ``quotactl(2)``."""
    await checked(sysif, SYS.quotactl_fd, fd.number, int32("cmd", cmd), int32("id", id), at(addr))


async def fchmodat2(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    mode: int,
    flags: int,
) -> None:
    """Change a file's mode, by flags. ``chmod(2)``."""
    await checked(
        sysif, SYS.fchmodat2, or_cwd(dfd), at(filename), c_mode("mode", mode), int32("flags", flags)
    )


async def file_getattr(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    ufattr: Address | None,
    usize: int,
    at_flags: int,
) -> None:
    """Read the file system's own attributes of a file. ``FS_IOC_GETFLAGS(2)``."""
    await checked(
        sysif,
        SYS.file_getattr,
        or_cwd(dfd),
        at(filename),
        at(ufattr),
        c_size("usize", usize),
        int32("at_flags", at_flags),
    )


async def file_setattr(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    ufattr: Address | None,
    usize: int,
    at_flags: int,
) -> None:
    """Set the file system's own attributes of a file. ``FS_IOC_SETFLAGS(2)``."""
    await checked(
        sysif,
        SYS.file_setattr,
        or_cwd(dfd),
        at(filename),
        at(ufattr),
        c_size("usize", usize),
        int32("at_flags", at_flags),
    )
