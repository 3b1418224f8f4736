"""Thin calls: signals. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, Process
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, checked, id_of, int32, number_of

__all__ = [
    "alarm",
    "getitimer",
    "pause",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_tgsigqueueinfo",
    "setitimer",
    "sigaltstack",
]


async def rt_sigaction(
    sysif: SyscallInterface, sig: int, act: Address | None, oact: Address | None, sigsetsize: int
) -> None:
    """Set what a signal does, or read it. ``sigaction(2)``."""
    await checked(
        sysif,
        SYS.rt_sigaction,
        int32("sig", sig),
        at(act),
        at(oact),
        c_size("sigsetsize", sigsetsize),
    )


async def rt_sigprocmask(
    sysif: SyscallInterface, how: int, nset: Address | None, oset: Address | None, sigsetsize: int
) -> None:
    """Change the mask of blocked signals. ``sigprocmask(2)``."""
    await checked(
        sysif,
        SYS.rt_sigprocmask,
        int32("how", how),
        at(nset),
        at(oset),
        c_size("sigsetsize", sigsetsize),
    )


async def pause(sysif: SyscallInterface) -> None:
    """Wait for a signal. It always fails with EINTR. ``pause(2)``."""
    await checked(sysif, number_of("pause"))


async def getitimer(sysif: SyscallInterface, which: int, value: Address | None) -> None:
    """Read an interval timer. ``getitimer(2)``."""
    await checked(sysif, SYS.getitimer, int32("which", which), at(value))


async def alarm(sysif: SyscallInterface, seconds: int) -> int:
    """Have SIGALRM sent after so many seconds; returns what was left of the last. ``alarm(2)``."""
    return await checked(sysif, number_of("alarm"), int32("seconds", seconds))


async def setitimer(
    sysif: SyscallInterface, which: int, value: Address | None, ovalue: Address | None
) -> None:
    """Set an interval timer. ``getitimer(2)``."""
    await checked(sysif, SYS.setitimer, int32("which", which), at(value), at(ovalue))


async def rt_sigpending(sysif: SyscallInterface, uset: Address | None, sigsetsize: int) -> None:
    """Read which blocked signals are waiting. ``sigpending(2)``."""
    await checked(sysif, SYS.rt_sigpending, at(uset), c_size("sigsetsize", sigsetsize))


async def rt_sigtimedwait(
    sysif: SyscallInterface,
    uthese: Address | None,
    uinfo: Address | None,
    uts: Address | None,
    sigsetsize: int,
) -> int:
    """Wait for one of several signals; returns its number. ``sigwaitinfo(2)``."""
    return await checked(
        sysif, SYS.rt_sigtimedwait, at(uthese), at(uinfo), at(uts), c_size("sigsetsize", sigsetsize)
    )


async def rt_sigqueueinfo(
    sysif: SyscallInterface, pid: Process | None, sig: int, uinfo: Address | None
) -> None:
    """Signal a process, with data. ``rt_sigqueueinfo(2)``."""
    await checked(sysif, SYS.rt_sigqueueinfo, id_of(pid), int32("sig", sig), at(uinfo))


async def rt_sigsuspend(sysif: SyscallInterface, unewset: Address | None, sigsetsize: int) -> None:
    """Wait for a signal, with another mask. It always fails with EINTR. ``sigsuspend(2)``."""
    await checked(sysif, SYS.rt_sigsuspend, at(unewset), c_size("sigsetsize", sigsetsize))


async def sigaltstack(sysif: SyscallInterface, uss: Address | None, uoss: Address | None) -> None:
    """Set where signal handlers have their stack. ``sigaltstack(2)``."""
    await checked(sysif, SYS.sigaltstack, at(uss), at(uoss))


async def rt_tgsigqueueinfo(
    sysif: SyscallInterface,
    tgid: Process | None,
    pid: Process | None,
    sig: int,
    uinfo: Address | None,
) -> None:
    """Signal a thread, with data. ``rt_sigqueueinfo(2)``."""
    await checked(
        sysif, SYS.rt_tgsigqueueinfo, id_of(tgid), id_of(pid), int32("sig", sig), at(uinfo)
    )
