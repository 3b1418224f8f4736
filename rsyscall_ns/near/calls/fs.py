"""Thin calls: files and fds."""

from __future__ import annotations

from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import c_offset, c_size, c_word, checked, int32

__all__ = [
    "chdir",
    "chroot",
    "close",
    "close_here",
    "dup3",
    "faccessat",
    "fchdir",
    "fcntl",
    "fstatfs",
    "getcwd",
    "getdents64",
    "ioctl",
    "lseek",
    "mkdirat",
    "openat",
    "pipe2",
    "pread64",
    "preadv2",
    "pwrite64",
    "pwritev2",
    "read",
    "readlinkat",
    "unlinkat",
    "write",
]


async def openat(
    sysif: SyscallInterface, dirfd: int, path: Address, flags: int, mode: int
) -> FileDescriptor:
    """Open a file; ``dirfd`` is a number or ``AT_FDCWD``. ``open(2)``."""
    return FileDescriptor(
        await checked(
            sysif,
            SYS.openat,
            int32("dirfd", dirfd),
            path.value,
            int32("flags", flags),
            int32("mode", mode),
        )
    )


async def read(sysif: SyscallInterface, fd: FileDescriptor, buf: Address, count: int) -> int:
    """Read up to ``count`` bytes. ``read(2)``."""
    return await checked(sysif, SYS.read, fd.number, buf.value, c_size("count", count))


async def write(sysif: SyscallInterface, fd: FileDescriptor, buf: Address, count: int) -> int:
    """Write up to ``count`` bytes. ``write(2)``."""
    return await checked(sysif, SYS.write, fd.number, buf.value, c_size("count", count))


async def pread64(
    sysif: SyscallInterface, fd: FileDescriptor, buf: Address, count: int, offset: int
) -> int:
    """Read at an offset. ``pread(2)``."""
    return await checked(
        sysif, SYS.pread64, fd.number, buf.value, c_size("count", count), c_offset("offset", offset)
    )


async def pwrite64(
    sysif: SyscallInterface, fd: FileDescriptor, buf: Address, count: int, offset: int
) -> int:
    """Write at an offset. ``pwrite(2)``."""
    return await checked(
        sysif,
        SYS.pwrite64,
        fd.number,
        buf.value,
        c_size("count", count),
        c_offset("offset", offset),
    )


async def preadv2(
    sysif: SyscallInterface, fd: FileDescriptor, iov: Address, iovcnt: int, offset: int, flags: int
) -> int:
    """Read into buffers, by flags; offset -1 is the file's own. ``preadv2(2)``."""
    return await _vector(sysif, SYS.preadv2, fd, iov, iovcnt, offset, flags)


async def pwritev2(
    sysif: SyscallInterface, fd: FileDescriptor, iov: Address, iovcnt: int, offset: int, flags: int
) -> int:
    """Write from buffers, by flags; offset -1 is the file's own. ``pwritev2(2)``."""
    return await _vector(sysif, SYS.pwritev2, fd, iov, iovcnt, offset, flags)


async def _vector(
    sysif: SyscallInterface,
    number: int,
    fd: FileDescriptor,
    iov: Address,
    iovcnt: int,
    offset: int,
    flags: int,
) -> int:
    # the offset comes as a low and a high word, of which 64-bit kernels look at the low one only
    low = c_offset("offset", offset)
    count = int32("iovcnt", iovcnt)
    return await checked(sysif, number, fd.number, iov.value, count, low, 0, int32("flags", flags))


async def lseek(sysif: SyscallInterface, fd: FileDescriptor, offset: int, whence: int) -> int:
    """Move the file offset. ``lseek(2)``."""
    return await checked(
        sysif, SYS.lseek, fd.number, c_offset("offset", offset), int32("whence", whence)
    )


async def close(sysif: SyscallInterface, fd: FileDescriptor) -> None:
    """Close an fd. ``close(2)``."""
    await checked(sysif, SYS.close, fd.number)


def close_here(number: int) -> None:
    """Close an fd of this very interpreter, without a checkpoint. ``close(2)``."""
    result = lib.rs_direct_call(SYS.close, number, 0, 0, 0, 0, 0)
    if result < 0:
        raise kernel_error(-result, "close", "this interpreter")


async def dup3(
    sysif: SyscallInterface, old: FileDescriptor, new: FileDescriptor, flags: int
) -> FileDescriptor:
    """Make ``new`` a copy of ``old``. ``dup(2)``."""
    return FileDescriptor(
        await checked(sysif, SYS.dup3, old.number, new.number, int32("flags", flags))
    )


async def fcntl(sysif: SyscallInterface, fd: FileDescriptor, op: int, arg: int) -> int:
    """Manipulate an fd. ``fcntl(2)``."""
    return await checked(sysif, SYS.fcntl, fd.number, int32("op", op), c_word("arg", arg))


async def ioctl(sysif: SyscallInterface, fd: FileDescriptor, op: int, arg: int) -> int:
    """Control a device. ``ioctl(2)``."""
    return await checked(sysif, SYS.ioctl, fd.number, int32("op", op), c_word("arg", arg))


async def pipe2(sysif: SyscallInterface, fds: Address, flags: int) -> None:
    """Make a pipe; two ints are written to ``fds``. ``pipe(2)``."""
    await checked(sysif, SYS.pipe2, fds.value, int32("flags", flags))


async def getdents64(sysif: SyscallInterface, fd: FileDescriptor, buf: Address, count: int) -> int:
    """Read directory entries. ``getdents(2)``."""
    return await checked(sysif, SYS.getdents64, fd.number, buf.value, c_size("count", count))


async def mkdirat(sysif: SyscallInterface, dirfd: int, path: Address, mode: int) -> None:
    """Make a directory. ``mkdir(2)``."""
    await checked(sysif, SYS.mkdirat, int32("dirfd", dirfd), path.value, int32("mode", mode))


async def unlinkat(sysif: SyscallInterface, dirfd: int, path: Address, flags: int) -> None:
    """Remove a name. ``unlink(2)``."""
    await checked(sysif, SYS.unlinkat, int32("dirfd", dirfd), path.value, int32("flags", flags))


async def faccessat(sysif: SyscallInterface, dirfd: int, path: Address, mode: int) -> None:
    """Check access by the real ids. ``access(2)``."""
    await checked(sysif, SYS.faccessat, int32("dirfd", dirfd), path.value, int32("mode", mode))


async def readlinkat(
    sysif: SyscallInterface, dirfd: int, path: Address, buf: Address, size: int
) -> int:
    """Read a symbolic link. ``readlink(2)``."""
    return await checked(
        sysif, SYS.readlinkat, int32("dirfd", dirfd), path.value, buf.value, c_size("size", size)
    )


async def chdir(sysif: SyscallInterface, path: Address) -> None:
    """Change the working directory. ``chdir(2)``."""
    await checked(sysif, SYS.chdir, path.value)


async def fchdir(sysif: SyscallInterface, fd: FileDescriptor) -> None:
    """Change the working directory to an fd's. ``chdir(2)``."""
    await checked(sysif, SYS.fchdir, fd.number)


async def chroot(sysif: SyscallInterface, path: Address) -> None:
    """Change the root directory. ``chroot(2)``."""
    await checked(sysif, SYS.chroot, path.value)


async def getcwd(sysif: SyscallInterface, buf: Address, size: int) -> int:
    """Read the working directory; returns its length with the NUL. ``getcwd(2)``."""
    return await checked(sysif, SYS.getcwd, buf.value, c_size("size", size))


async def fstatfs(sysif: SyscallInterface, fd: FileDescriptor, buf: Address) -> None:
    """Read what file system an fd is on. ``statfs(2)``."""
    await checked(sysif, SYS.fstatfs, fd.number, buf.value)
