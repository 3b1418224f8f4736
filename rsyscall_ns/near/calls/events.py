"""Thin calls: fds that tell of events. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, c_word, checked, int32, number_of, or_cwd, or_none

__all__ = [
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd",
    "eventfd2",
    "fanotify_init",
    "fanotify_mark",
    "inotify_add_watch",
    "inotify_init",
    "inotify_init1",
    "inotify_rm_watch",
    "signalfd",
    "signalfd4",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
]


async def epoll_create(sysif: SyscallInterface, size: int) -> FileDescriptor:
    """Make an epoll; ``size`` is a number above 0 without a meaning. ``epoll_create(2)``."""
    made = await checked(sysif, number_of("epoll_create"), int32("size", size))
    return FileDescriptor(made)


async def epoll_wait(
    sysif: SyscallInterface,
    epfd: FileDescriptor,
    events: Address | None,
    maxevents: int,
    timeout: int,
) -> int:
    """Take events from an epoll; milliseconds. ``epoll_wait(2)``."""
    return await checked(
        sysif,
        number_of("epoll_wait"),
        epfd.number,
        at(events),
        int32("maxevents", maxevents),
        int32("timeout", timeout),
    )


async def epoll_ctl(
    sysif: SyscallInterface,
    epfd: FileDescriptor,
    op: int,
    fd: FileDescriptor,
    event: Address | None,
) -> None:
    """Add, change or remove an fd that an epoll watches. ``epoll_ctl(2)``."""
    await checked(sysif, SYS.epoll_ctl, epfd.number, int32("op", op), fd.number, at(event))


async def inotify_init(sysif: SyscallInterface) -> FileDescriptor:
    """Make an inotify. ``inotify_init(2)``."""
    made = await checked(sysif, number_of("inotify_init"))
    return FileDescriptor(made)


async def inotify_add_watch(
    sysif: SyscallInterface, fd: FileDescriptor, pathname: Address | None, mask: int
) -> int:
    """Watch a path, or change what is watched for; returns the watch's number.

    ``inotify_add_watch(2)``.
    """
    return await checked(sysif, SYS.inotify_add_watch, fd.number, at(pathname), int32("mask", mask))


async def inotify_rm_watch(sysif: SyscallInterface, fd: FileDescriptor, wd: int) -> None:
    """Stop to watch. ``inotify_rm_watch(2)``."""
    await checked(sysif, SYS.inotify_rm_watch, fd.number, int32("wd", wd))


async def epoll_pwait(
    sysif: SyscallInterface,
    epfd: FileDescriptor,
    events: Address | None,
    maxevents: int,
    timeout: int,
    sigmask: Address | None,
    sigsetsize: int,
) -> int:
    """Take events from an epoll, with a signal mask; milliseconds. ``epoll_wait(2)``."""
    return await checked(
        sysif,
        SYS.epoll_pwait,
        epfd.number,
        at(events),
        int32("maxevents", maxevents),
        int32("timeout", timeout),
        at(sigmask),
        c_size("sigsetsize", sigsetsize),
    )


async def signalfd(
    sysif: SyscallInterface, ufd: FileDescriptor | None, user_mask: Address | None, sizemask: int
) -> FileDescriptor:
    """Make an fd from which blocked signals are read, or change it. ``signalfd(2)``."""
    made = await checked(
        sysif, number_of("signalfd"), or_none(ufd), at(user_mask), c_size("sizemask", sizemask)
    )
    return FileDescriptor(made)


async def timerfd_create(sysif: SyscallInterface, clockid: int, flags: int) -> FileDescriptor:
    """Make a timer that is an fd. ``timerfd_create(2)``."""
    made = await checked(
        sysif, SYS.timerfd_create, int32("clockid", clockid), int32("flags", flags)
    )
    return FileDescriptor(made)


async def eventfd(sysif: SyscallInterface, count: int) -> FileDescriptor:
    """Make a counter. ``eventfd(2)``."""
    made = await checked(sysif, number_of("eventfd"), int32("count", count))
    return FileDescriptor(made)


async def timerfd_settime(
    sysif: SyscallInterface,
    ufd: FileDescriptor,
    flags: int,
    utmr: Address | None,
    otmr: Address | None,
) -> None:
    """Arm or disarm a timer. ``timerfd_create(2)``."""
    await checked(sysif, SYS.timerfd_settime, ufd.number, int32("flags", flags), at(utmr), at(otmr))


async def timerfd_gettime(
    sysif: SyscallInterface, ufd: FileDescriptor, otmr: Address | None
) -> None:
    """Read how long a timer has to go. ``timerfd_create(2)``."""
    await checked(sysif, SYS.timerfd_gettime, ufd.number, at(otmr))


async def signalfd4(
    sysif: SyscallInterface,
    ufd: FileDescriptor | None,
    user_mask: Address | None,
    sizemask: int,
    flags: int,
) -> FileDescriptor:
    """Make an fd from which blocked signals are read, or change it, by flags. ``signalfd(2)``."""
    made = await checked(
        sysif,
        SYS.signalfd4,
        or_none(ufd),
        at(user_mask),
        c_size("sizemask", sizemask),
        int32("flags", flags),
    )
    return FileDescriptor(made)


async def eventfd2(sysif: SyscallInterface, count: int, flags: int) -> FileDescriptor:
    """Make a counter, by flags. ``eventfd(2)``."""
    made = await checked(sysif, SYS.eventfd2, int32("count", count), int32("flags", flags))
    return FileDescriptor(made)


async def epoll_create1(sysif: SyscallInterface, flags: int) -> FileDescriptor:
    """Make an epoll, by flags. ``epoll_create(2)``."""
    made = await checked(sysif, SYS.epoll_create1, int32("flags", flags))
    return FileDescriptor(made)


async def inotify_init1(sysif: SyscallInterface, flags: int) -> FileDescriptor:
    """Make an inotify, by flags. ``inotify_init(2)``."""
    made = await checked(sysif, SYS.inotify_init1, int32("flags", flags))
    return FileDescriptor(made)


async def fanotify_init(sysif: SyscallInterface, flags: int, event_f_flags: int) -> FileDescriptor:
    """Make a fanotify group. ``fanotify_init(2)``."""
    made = await checked(
        sysif, SYS.fanotify_init, int32("flags", flags), int32("event_f_flags", event_f_flags)
    )
    return FileDescriptor(made)


async def fanotify_mark(
    sysif: SyscallInterface,
    fanotify_fd: FileDescriptor,
    flags: int,
    mask: int,
    dfd: FileDescriptor | None,
    pathname: Address | None,
) -> None:
    """Change what a fanotify group watches. ``fanotify_mark(2)``."""
    await checked(
        sysif,
        SYS.fanotify_mark,
        fanotify_fd.number,
        int32("flags", flags),
        c_word("mask", mask),
        or_cwd(dfd),
        at(pathname),
    )


async def epoll_pwait2(
    sysif: SyscallInterface,
    epfd: FileDescriptor,
    events: Address | None,
    maxevents: int,
    timeout: Address | None,
    sigmask: Address | None,
    sigsetsize: int,
) -> int:
    """Take events from an epoll, with a signal mask; a timespec. ``epoll_wait(2)``."""
    return await checked(
        sysif,
        SYS.epoll_pwait2,
        epfd.number,
        at(events),
        int32("maxevents", maxevents),
        at(timeout),
        at(sigmask),
        c_size("sigsetsize", sigsetsize),
    )
