"""Thin calls: fds of any kind, and making some. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor, Process
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, c_word, checked, id_of, int32, number_of, or_none

__all__ = [
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "flock",
    "ioctl",
    "kcmp",
    "memfd_create",
    "memfd_secret",
    "perf_event_open",
    "pipe",
    "pipe2",
    "poll",
    "ppoll",
    "pselect6",
    "select",
    "userfaultfd",
]


async def close(sysif: SyscallInterface, fd: FileDescriptor) -> None:
    """Close an fd. ``close(2)``."""
    await checked(sysif, SYS.close, fd.number)


async def poll(sysif: SyscallInterface, ufds: Address | None, nfds: int, timeout_msecs: int) -> int:
    """Wait until one of several fds is ready; milliseconds. ``poll(2)``."""
    return await checked(
        sysif,
        number_of("poll"),
        at(ufds),
        int32("nfds", nfds),
        int32("timeout_msecs", timeout_msecs),
    )


async def ioctl(sysif: SyscallInterface, fd: FileDescriptor, cmd: int, arg: int = 0) -> int:
    """Control a device, or what else is behind an fd. ``ioctl(2)``."""
    return await checked(sysif, SYS.ioctl, fd.number, int32("cmd", cmd), c_word("arg", arg))


async def pipe(sysif: SyscallInterface, fildes: Address | None) -> None:
    """Make a pipe; two ints are written to ``fildes``. ``pipe(2)``."""
    await checked(sysif, number_of("pipe"), at(fildes))


async def select(
    sysif: SyscallInterface,
    n: int,
    inp: Address | None,
    outp: Address | None,
    exp: Address | None,
    tvp: Address | None,
) -> int:
    """Wait until one of several fds is ready. ``select(2)``."""
    return await checked(
        sysif, number_of("select"), int32("n", n), at(inp), at(outp), at(exp), at(tvp)
    )


async def dup(sysif: SyscallInterface, fildes: FileDescriptor) -> FileDescriptor:
    """Make another fd for the same open file. ``dup(2)``."""
    made = await checked(sysif, SYS.dup, fildes.number)
    return FileDescriptor(made)


async def dup2(
    sysif: SyscallInterface, oldfd: FileDescriptor, newfd: FileDescriptor
) -> FileDescriptor:
    """Make ``newfd`` a copy of ``oldfd``. ``dup2(2)``."""
    made = await checked(sysif, number_of("dup2"), oldfd.number, newfd.number)
    return FileDescriptor(made)


async def fcntl(sysif: SyscallInterface, fd: FileDescriptor, cmd: int, arg: int = 0) -> int:
    """Manipulate an fd. ``fcntl(2)``."""
    return await checked(sysif, SYS.fcntl, fd.number, int32("cmd", cmd), c_word("arg", arg))


async def flock(sysif: SyscallInterface, fd: FileDescriptor, cmd: int) -> None:
    """Lock a file, or unlock it, for the open file. ``flock(2)``."""
    await checked(sysif, SYS.flock, fd.number, int32("cmd", cmd))


async def pselect6(
    sysif: SyscallInterface,
    n: int,
    inp: Address | None,
    outp: Address | None,
    exp: Address | None,
    tsp: Address | None,
    sig: Address | None,
) -> int:
    """Wait until one of several fds is ready, with a signal mask. ``select(2)``."""
    return await checked(
        sysif, SYS.pselect6, int32("n", n), at(inp), at(outp), at(exp), at(tsp), at(sig)
    )


async def ppoll(
    sysif: SyscallInterface,
    ufds: Address | None,
    nfds: int,
    tsp: Address | None,
    sigmask: Address | None,
    sigsetsize: int,
) -> int:
    """Wait until one of several fds is ready, with a signal mask. ``poll(2)``."""
    return await checked(
        sysif,
        SYS.ppoll,
        at(ufds),
        int32("nfds", nfds),
        at(tsp),
        at(sigmask),
        c_size("sigsetsize", sigsetsize),
    )


async def dup3(
    sysif: SyscallInterface, oldfd: FileDescriptor, newfd: FileDescriptor, flags: int
) -> FileDescriptor:
    """Make ``newfd`` a copy of ``oldfd``, by flags. ``dup(2)``."""
    made = await checked(sysif, SYS.dup3, oldfd.number, newfd.number, int32("flags", flags))
    return FileDescriptor(made)


async def pipe2(sysif: SyscallInterface, fildes: Address | None, flags: int) -> None:
    """Make a pipe, by flags; two ints are written to ``fildes``. ``pipe(2)``."""
    await checked(sysif, SYS.pipe2, at(fildes), int32("flags", flags))


async def perf_event_open(
    sysif: SyscallInterface,
    attr_uptr: Address | None,
    pid: int,
    cpu: int,
    group_fd: FileDescriptor | None,
    flags: int,
) -> FileDescriptor:
    """Make an fd that counts or samples events. ``perf_event_open(2)``."""
    made = await checked(
        sysif,
        SYS.perf_event_open,
        at(attr_uptr),
        int32("pid", pid),
        int32("cpu", cpu),
        or_none(group_fd),
        c_word("flags", flags),
    )
    return FileDescriptor(made)


async def kcmp(
    sysif: SyscallInterface,
    pid1: Process | None,
    pid2: Process | None,
    type: int,
    idx1: int,
    idx2: int,
) -> int:
    """Compare what two processes have: files, memory, fds; 0 is the same. ``kcmp(2)``."""
    return await checked(
        sysif,
        SYS.kcmp,
        id_of(pid1),
        id_of(pid2),
        int32("type", type),
        c_word("idx1", idx1),
        c_word("idx2", idx2),
    )


async def memfd_create(
    sysif: SyscallInterface, uname: Address | None, flags: int
) -> FileDescriptor:
    """Make a file that lies in memory and has no name in any directory. ``memfd_create(2)``."""
    made = await checked(sysif, SYS.memfd_create, at(uname), int32("flags", flags))
    return FileDescriptor(made)


async def userfaultfd(sysif: SyscallInterface, flags: int) -> FileDescriptor:
    """Make an fd that tells of page faults and resolves them. ``userfaultfd(2)``."""
    made = await checked(sysif, SYS.userfaultfd, int32("flags", flags))
    return FileDescriptor(made)


async def close_range(sysif: SyscallInterface, fd: int, max_fd: int, flags: int) -> None:
    """Close the fds of a range, or mark them close-on-exec. ``close_range(2)``."""
    await checked(
        sysif, SYS.close_range, int32("fd", fd), int32("max_fd", max_fd), int32("flags", flags)
    )


async def memfd_secret(sysif: SyscallInterface, flags: int) -> FileDescriptor:
    """Make a file whose memory only its mappers can see, not even the kernel.

    ``memfd_secret(2)``.
    """
    made = await checked(sysif, SYS.memfd_secret, int32("flags", flags))
    return FileDescriptor(made)
