"""Thin calls: reading and writing. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_offset, c_size, c_word, checked, int32

__all__ = [
    "cachestat",
    "copy_file_range",
    "fadvise64",
    "fallocate",
    "fdatasync",
    "fsync",
    "ftruncate",
    "lseek",
    "pread64",
    "preadv",
    "preadv2",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readahead",
    "readv",
    "sendfile",
    "splice",
    "sync",
    "sync_file_range",
    "syncfs",
    "tee",
    "truncate",
    "vmsplice",
    "write",
    "writev",
]


async def read(sysif: SyscallInterface, fd: FileDescriptor, buf: Address | None, count: int) -> int:
    """Read up to ``count`` bytes from an fd, at its file offset. ``read(2)``."""
    return await checked(sysif, SYS.read, fd.number, at(buf), c_size("count", count))


async def write(
    sysif: SyscallInterface, fd: FileDescriptor, buf: Address | None, count: int
) -> int:
    """Write up to ``count`` bytes to an fd, at its file offset. ``write(2)``."""
    return await checked(sysif, SYS.write, fd.number, at(buf), c_size("count", count))


async def lseek(sysif: SyscallInterface, fd: FileDescriptor, offset: int, whence: int) -> int:
    """Move the file offset; returns it, in bytes from the start. ``lseek(2)``."""
    return await checked(
        sysif, SYS.lseek, fd.number, c_offset("offset", offset), int32("whence", whence)
    )


async def pread64(
    sysif: SyscallInterface, fd: FileDescriptor, buf: Address | None, count: int, pos: int
) -> int:
    """Read from an fd at an offset; the file's own stays as it is. ``pread(2)``."""
    return await checked(
        sysif, SYS.pread64, fd.number, at(buf), c_size("count", count), c_offset("pos", pos)
    )


async def pwrite64(
    sysif: SyscallInterface, fd: FileDescriptor, buf: Address | None, count: int, pos: int
) -> int:
    """Write to an fd at an offset; the file's own stays as it is. ``pwrite(2)``."""
    return await checked(
        sysif, SYS.pwrite64, fd.number, at(buf), c_size("count", count), c_offset("pos", pos)
    )


async def readv(sysif: SyscallInterface, fd: FileDescriptor, vec: Address | None, vlen: int) -> int:
    """Read into several buffers. ``readv(2)``."""
    return await checked(sysif, SYS.readv, fd.number, at(vec), c_word("vlen", vlen))


async def writev(
    sysif: SyscallInterface, fd: FileDescriptor, vec: Address | None, vlen: int
) -> int:
    """Write from several buffers. ``writev(2)``."""
    return await checked(sysif, SYS.writev, fd.number, at(vec), c_word("vlen", vlen))


async def sendfile(
    sysif: SyscallInterface,
    out_fd: FileDescriptor,
    in_fd: FileDescriptor,
    offset: Address | None,
    count: int,
) -> int:
    """Copy bytes from a file to another fd within the kernel. ``sendfile(2)``."""
    return await checked(
        sysif, SYS.sendfile, out_fd.number, in_fd.number, at(offset), c_size("count", count)
    )


async def fsync(sysif: SyscallInterface, fd: FileDescriptor) -> None:
    """Have a file's data and metadata written to its device. ``fsync(2)``."""
    await checked(sysif, SYS.fsync, fd.number)


async def fdatasync(sysif: SyscallInterface, fd: FileDescriptor) -> None:
    """Have a file's data written to its device. ``fdatasync(2)``."""
    await checked(sysif, SYS.fdatasync, fd.number)


async def truncate(sysif: SyscallInterface, path: Address | None, length: int) -> None:
    """Set the length of a file, by its path. ``truncate(2)``."""
    await checked(sysif, SYS.truncate, at(path), c_word("length", length))


async def ftruncate(sysif: SyscallInterface, fd: FileDescriptor, length: int) -> None:
    """Set the length of a file. ``ftruncate(2)``."""
    await checked(sysif, SYS.ftruncate, fd.number, c_offset("length", length))


async def sync(sysif: SyscallInterface) -> None:
    """Have everything written to the devices. ``sync(2)``."""
    await checked(sysif, SYS.sync)


async def readahead(sysif: SyscallInterface, fd: FileDescriptor, offset: int, count: int) -> None:
    """Have part of a file read into the page cache. ``readahead(2)``."""
    await checked(
        sysif, SYS.readahead, fd.number, c_offset("offset", offset), c_size("count", count)
    )


async def fadvise64(
    sysif: SyscallInterface, fd: FileDescriptor, offset: int, len: int, advice: int
) -> None:
    """Tell how part of a file will be used. ``posix_fadvise(2)``."""
    await checked(
        sysif,
        SYS.fadvise64,
        fd.number,
        c_offset("offset", offset),
        c_size("len", len),
        int32("advice", advice),
    )


async def splice(
    sysif: SyscallInterface,
    fd_in: FileDescriptor,
    off_in: Address | None,
    fd_out: FileDescriptor,
    off_out: Address | None,
    len: int,
    flags: int,
) -> int:
    """Move bytes between a pipe and another fd within the kernel. ``splice(2)``."""
    return await checked(
        sysif,
        SYS.splice,
        fd_in.number,
        at(off_in),
        fd_out.number,
        at(off_out),
        c_size("len", len),
        int32("flags", flags),
    )


async def tee(
    sysif: SyscallInterface, fdin: FileDescriptor, fdout: FileDescriptor, len: int, flags: int
) -> int:
    """Copy bytes from one pipe to another without consuming them. ``tee(2)``."""
    return await checked(
        sysif, SYS.tee, fdin.number, fdout.number, c_size("len", len), int32("flags", flags)
    )


async def sync_file_range(
    sysif: SyscallInterface, fd: FileDescriptor, offset: int, nbytes: int, flags: int
) -> None:
    """Have part of a file written to its device, without metadata. ``sync_file_range(2)``."""
    await checked(
        sysif,
        SYS.sync_file_range,
        fd.number,
        c_offset("offset", offset),
        c_offset("nbytes", nbytes),
        int32("flags", flags),
    )


async def vmsplice(
    sysif: SyscallInterface, fd: FileDescriptor, uiov: Address | None, nr_segs: int, flags: int
) -> int:
    """Put memory into a pipe, or what is in a pipe into memory. ``vmsplice(2)``."""
    return await checked(
        sysif, SYS.vmsplice, fd.number, at(uiov), c_word("nr_segs", nr_segs), int32("flags", flags)
    )


async def fallocate(
    sysif: SyscallInterface, fd: FileDescriptor, mode: int, offset: int, len: int
) -> None:
    """Allocate, free, zero, insert or collapse part of a file. ``fallocate(2)``."""
    await checked(
        sysif,
        SYS.fallocate,
        fd.number,
        int32("mode", mode),
        c_offset("offset", offset),
        c_offset("len", len),
    )


async def preadv(
    sysif: SyscallInterface, fd: FileDescriptor, vec: Address | None, vlen: int, offset: int
) -> int:
    """Read into several buffers, at an offset. ``preadv(2)``."""
    return await checked(
        sysif, SYS.preadv, fd.number, at(vec), c_word("vlen", vlen), c_offset("offset", offset), 0
    )


async def pwritev(
    sysif: SyscallInterface, fd: FileDescriptor, vec: Address | None, vlen: int, offset: int
) -> int:
    """Write from several buffers, at an offset. ``pwritev(2)``."""
    return await checked(
        sysif, SYS.pwritev, fd.number, at(vec), c_word("vlen", vlen), c_offset("offset", offset), 0
    )


async def syncfs(sysif: SyscallInterface, fd: FileDescriptor) -> None:
    """Have a file system written to its device. ``syncfs(2)``."""
    await checked(sysif, SYS.syncfs, fd.number)


async def copy_file_range(
    sysif: SyscallInterface,
    fd_in: FileDescriptor,
    off_in: Address | None,
    fd_out: FileDescriptor,
    off_out: Address | None,
    len: int,
    flags: int,
) -> int:
    """Copy bytes between two files within the kernel, or have them share blocks.

    ``copy_file_range(2)``.
    """
    return await checked(
        sysif,
        SYS.copy_file_range,
        fd_in.number,
        at(off_in),
        fd_out.number,
        at(off_out),
        c_size("len", len),
        int32("flags", flags),
    )


async def preadv2(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    vec: Address | None,
    vlen: int,
    offset: int,
    flags: int,
) -> int:
    """Read into several buffers, by flags; an offset of -1 is the file's own. ``preadv2(2)``."""
    return await checked(
        sysif,
        SYS.preadv2,
        fd.number,
        at(vec),
        c_word("vlen", vlen),
        c_offset("offset", offset),
        0,
        int32("flags", flags),
    )


async def pwritev2(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    vec: Address | None,
    vlen: int,
    offset: int,
    flags: int,
) -> int:
    """Write from several buffers, by flags; an offset of -1 is the file's own. ``pwritev2(2)``."""
    return await checked(
        sysif,
        SYS.pwritev2,
        fd.number,
        at(vec),
        c_word("vlen", vlen),
        c_offset("offset", offset),
        0,
        int32("flags", flags),
    )


async def cachestat(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    cstat_range: Address | None,
    cstat: Address | None,
    flags: int,
) -> None:
    """Read how much of a file is in the page cache. ``cachestat(2)``."""
    await checked(
        sysif, SYS.cachestat, fd.number, at(cstat_range), at(cstat), int32("flags", flags)
    )
