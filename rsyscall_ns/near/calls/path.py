"""Thin calls: paths and directories. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_mode, c_size, c_word, checked, int32, number_of, or_cwd

__all__ = [
    "access",
    "chdir",
    "chroot",
    "creat",
    "faccessat",
    "faccessat2",
    "fchdir",
    "getcwd",
    "getdents",
    "getdents64",
    "link",
    "linkat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "name_to_handle_at",
    "open",
    "open_by_handle_at",
    "openat",
    "openat2",
    "readlink",
    "readlinkat",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "symlink",
    "symlinkat",
    "umask",
    "unlink",
    "unlinkat",
]


async def open(
    sysif: SyscallInterface, filename: Address | None, flags: int, mode: int = 0
) -> FileDescriptor:
    """Open a file. ``open(2)``."""
    made = await checked(
        sysif, number_of("open"), at(filename), int32("flags", flags), c_mode("mode", mode)
    )
    return FileDescriptor(made)


async def access(sysif: SyscallInterface, filename: Address | None, mode: int) -> None:
    """Check what the real ids may do with a file. ``access(2)``."""
    await checked(sysif, number_of("access"), at(filename), int32("mode", mode))


async def getdents(
    sysif: SyscallInterface, fd: FileDescriptor, dirent: Address | None, count: int
) -> int:
    """Read directory entries of the old form. ``getdents(2)``."""
    return await checked(sysif, number_of("getdents"), fd.number, at(dirent), int32("count", count))


async def getcwd(sysif: SyscallInterface, buf: Address | None, size: int) -> int:
    """Read the working directory; returns its length with the NUL. ``getcwd(2)``."""
    return await checked(sysif, SYS.getcwd, at(buf), c_word("size", size))


async def chdir(sysif: SyscallInterface, filename: Address | None) -> None:
    """Change the working directory. ``chdir(2)``."""
    await checked(sysif, SYS.chdir, at(filename))


async def fchdir(sysif: SyscallInterface, fd: FileDescriptor) -> None:
    """Change the working directory to that of an fd. ``chdir(2)``."""
    await checked(sysif, SYS.fchdir, fd.number)


async def rename(sysif: SyscallInterface, oldname: Address | None, newname: Address | None) -> None:
    """Change a file's name. ``rename(2)``."""
    await checked(sysif, number_of("rename"), at(oldname), at(newname))


async def mkdir(sysif: SyscallInterface, pathname: Address | None, mode: int) -> None:
    """Make a directory. ``mkdir(2)``."""
    await checked(sysif, number_of("mkdir"), at(pathname), c_mode("mode", mode))


async def rmdir(sysif: SyscallInterface, pathname: Address | None) -> None:
    """Remove an empty directory. ``rmdir(2)``."""
    await checked(sysif, number_of("rmdir"), at(pathname))


async def creat(sysif: SyscallInterface, pathname: Address | None, mode: int) -> FileDescriptor:
    """Make and open a file, or empty one. ``open(2)``."""
    made = await checked(sysif, number_of("creat"), at(pathname), c_mode("mode", mode))
    return FileDescriptor(made)


async def link(sysif: SyscallInterface, oldname: Address | None, newname: Address | None) -> None:
    """Give a file another name. ``link(2)``."""
    await checked(sysif, number_of("link"), at(oldname), at(newname))


async def unlink(sysif: SyscallInterface, pathname: Address | None) -> None:
    """Remove a name. ``unlink(2)``."""
    await checked(sysif, number_of("unlink"), at(pathname))


async def symlink(
    sysif: SyscallInterface, oldname: Address | None, newname: Address | None
) -> None:
    """Make a symbolic link. ``symlink(2)``."""
    await checked(sysif, number_of("symlink"), at(oldname), at(newname))


async def readlink(
    sysif: SyscallInterface, path: Address | None, buf: Address | None, bufsiz: int
) -> int:
    """Read what a symbolic link says. ``readlink(2)``."""
    return await checked(sysif, number_of("readlink"), at(path), at(buf), int32("bufsiz", bufsiz))


async def umask(sysif: SyscallInterface, mask: int) -> int:
    """Set the file mode creation mask; returns the old one. ``umask(2)``."""
    return await checked(sysif, SYS.umask, int32("mask", mask))


async def mknod(sysif: SyscallInterface, filename: Address | None, mode: int, dev: int) -> None:
    """Make a file, FIFO, socket or device node. ``mknod(2)``."""
    await checked(sysif, number_of("mknod"), at(filename), c_mode("mode", mode), int32("dev", dev))


async def chroot(sysif: SyscallInterface, filename: Address | None) -> None:
    """Change the root directory. ``chroot(2)``."""
    await checked(sysif, SYS.chroot, at(filename))


async def getdents64(
    sysif: SyscallInterface, fd: FileDescriptor, dirent: Address | None, count: int
) -> int:
    """Read directory entries; 0 is the end. ``getdents(2)``."""
    return await checked(sysif, SYS.getdents64, fd.number, at(dirent), int32("count", count))


async def openat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    flags: int,
    mode: int = 0,
) -> FileDescriptor:
    """Open a file, relative to a directory. ``open(2)``."""
    made = await checked(
        sysif, SYS.openat, or_cwd(dfd), at(filename), int32("flags", flags), c_mode("mode", mode)
    )
    return FileDescriptor(made)


async def mkdirat(
    sysif: SyscallInterface, dfd: FileDescriptor | None, pathname: Address | None, mode: int
) -> None:
    """Make a directory, relative to another. ``mkdir(2)``."""
    await checked(sysif, SYS.mkdirat, or_cwd(dfd), at(pathname), c_mode("mode", mode))


async def mknodat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    mode: int,
    dev: int,
) -> None:
    """Make a file, FIFO, socket or device node, relative to a directory. ``mknod(2)``."""
    await checked(
        sysif, SYS.mknodat, or_cwd(dfd), at(filename), c_mode("mode", mode), int32("dev", dev)
    )


async def unlinkat(
    sysif: SyscallInterface, dfd: FileDescriptor | None, pathname: Address | None, flag: int
) -> None:
    """Remove a name, relative to a directory. ``unlink(2)``."""
    await checked(sysif, SYS.unlinkat, or_cwd(dfd), at(pathname), int32("flag", flag))


async def renameat(
    sysif: SyscallInterface,
    olddfd: FileDescriptor | None,
    oldname: Address | None,
    newdfd: FileDescriptor | None,
    newname: Address | None,
) -> None:
    """Change a file's name, relative to directories. ``rename(2)``."""
    await checked(sysif, SYS.renameat, or_cwd(olddfd), at(oldname), or_cwd(newdfd), at(newname))


async def linkat(
    sysif: SyscallInterface,
    olddfd: FileDescriptor | None,
    oldname: Address | None,
    newdfd: FileDescriptor | None,
    newname: Address | None,
    flags: int,
) -> None:
    """Give a file another name, relative to directories. ``link(2)``."""
    await checked(
        sysif,
        SYS.linkat,
        or_cwd(olddfd),
        at(oldname),
        or_cwd(newdfd),
        at(newname),
        int32("flags", flags),
    )


async def symlinkat(
    sysif: SyscallInterface,
    oldname: Address | None,
    newdfd: FileDescriptor | None,
    newname: Address | None,
) -> None:
    """Make a symbolic link, relative to a directory. ``symlink(2)``."""
    await checked(sysif, SYS.symlinkat, at(oldname), or_cwd(newdfd), at(newname))


async def readlinkat(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    pathname: Address | None,
    buf: Address | None,
    bufsiz: int,
) -> int:
    """Read what a symbolic link says, relative to a directory. ``readlink(2)``."""
    return await checked(
        sysif, SYS.readlinkat, or_cwd(dfd), at(pathname), at(buf), int32("bufsiz", bufsiz)
    )


async def faccessat(
    sysif: SyscallInterface, dfd: FileDescriptor | None, filename: Address | None, mode: int
) -> None:
    """Check what the real ids may do with a file, relative to a directory. ``access(2)``."""
    await checked(sysif, SYS.faccessat, or_cwd(dfd), at(filename), int32("mode", mode))


async def name_to_handle_at(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    name: Address | None,
    handle: Address | None,
    mnt_id: Address | None,
    flag: int,
) -> None:
    """Get the handle of a file, which outlives its fds. ``open_by_handle_at(2)``."""
    await checked(
        sysif,
        SYS.name_to_handle_at,
        or_cwd(dfd),
        at(name),
        at(handle),
        at(mnt_id),
        int32("flag", flag),
    )


async def open_by_handle_at(
    sysif: SyscallInterface, mountdirfd: FileDescriptor | None, handle: Address | None, flags: int
) -> FileDescriptor:
    """Open a file by its handle. ``open_by_handle_at(2)``."""
    made = await checked(
        sysif, SYS.open_by_handle_at, or_cwd(mountdirfd), at(handle), int32("flags", flags)
    )
    return FileDescriptor(made)


async def renameat2(
    sysif: SyscallInterface,
    olddfd: FileDescriptor | None,
    oldname: Address | None,
    newdfd: FileDescriptor | None,
    newname: Address | None,
    flags: int,
) -> None:
    """Change a file's name, by flags. ``rename(2)``."""
    await checked(
        sysif,
        SYS.renameat2,
        or_cwd(olddfd),
        at(oldname),
        or_cwd(newdfd),
        at(newname),
        int32("flags", flags),
    )


async def openat2(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    how: Address | None,
    usize: int,
) -> FileDescriptor:
    """Open a file, with rules for how its path is resolved. ``openat2(2)``."""
    made = await checked(
        sysif, SYS.openat2, or_cwd(dfd), at(filename), at(how), c_size("usize", usize)
    )
    return FileDescriptor(made)


async def faccessat2(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    mode: int,
    flags: int,
) -> None:
    """Check what one may do with a file, by flags. ``access(2)``."""
    await checked(
        sysif, SYS.faccessat2, or_cwd(dfd), at(filename), int32("mode", mode), int32("flags", flags)
    )
