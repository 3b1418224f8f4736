"""Thin calls: processes, signals, waiting."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor, Process, ProcessGroup
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import c_size, c_word, checked, int32

__all__ = [
    "clone3",
    "getpgid",
    "getpid",
    "getpriority",
    "kill",
    "pidfd_open",
    "pidfd_send_signal",
    "prctl",
    "rt_sigaction",
    "rt_sigprocmask",
    "setpgid",
    "setpriority",
    "setsid",
    "signalfd4",
    "waitid",
]


async def getpid(sysif: SyscallInterface) -> Process:
    """Return the process's own id. ``getpid(2)``."""
    return Process(await checked(sysif, SYS.getpid))


async def getpgid(sysif: SyscallInterface, pid: int) -> ProcessGroup:
    """Return a process's group; 0 is the caller. ``getpgid(2)``."""
    return ProcessGroup(await checked(sysif, SYS.getpgid, int32("pid", pid)))


async def signalfd4(
    sysif: SyscallInterface, fd: int, mask: Address, size: int, flags: int
) -> FileDescriptor:
    """Make an fd (``fd`` is -1) from which blocked signals are read. ``signalfd(2)``."""
    return FileDescriptor(
        await checked(
            sysif,
            SYS.signalfd4,
            int32("fd", fd),
            mask.value,
            c_size("size", size),
            int32("flags", flags),
        )
    )


async def setpgid(sysif: SyscallInterface, pid: int, pgid: int) -> None:
    """Put a process into a group. ``setpgid(2)``."""
    await checked(sysif, SYS.setpgid, int32("pid", pid), int32("pgid", pgid))


async def setsid(sysif: SyscallInterface) -> ProcessGroup:
    """Begin a session. ``setsid(2)``."""
    return ProcessGroup(await checked(sysif, SYS.setsid))


async def kill(sysif: SyscallInterface, pid: int, sig: int) -> None:
    """Send a signal; a negative id is a group's. ``kill(2)``."""
    await checked(sysif, SYS.kill, int32("pid", pid), int32("sig", sig))


async def setpriority(sysif: SyscallInterface, which: int, who: int, priority: int) -> None:
    """Set a nice value. ``setpriority(2)``."""
    await checked(
        sysif,
        SYS.setpriority,
        int32("which", which),
        int32("who", who),
        int32("priority", priority),
    )


async def getpriority(sysif: SyscallInterface, which: int, who: int) -> int:
    """Return 20 minus the nice value. ``getpriority(2)``."""
    return await checked(sysif, SYS.getpriority, int32("which", which), int32("who", who))


async def waitid(
    sysif: SyscallInterface, idtype: int, id_: int, infop: Address, options: int, rusage: Address
) -> None:
    """Wait for a change of state. ``waitid(2)``."""
    await checked(
        sysif,
        SYS.waitid,
        int32("idtype", idtype),
        int32("id", id_),
        infop.value,
        int32("options", options),
        rusage.value,
    )


async def pidfd_open(sysif: SyscallInterface, pid: Process, flags: int) -> FileDescriptor:
    """Open a pidfd. ``pidfd_open(2)``."""
    return FileDescriptor(await checked(sysif, SYS.pidfd_open, pid.id, int32("flags", flags)))


async def pidfd_send_signal(
    sysif: SyscallInterface, pidfd: FileDescriptor, sig: int, info: Address, flags: int
) -> None:
    """Send a signal through a pidfd. ``pidfd_send_signal(2)``."""
    await checked(
        sysif,
        SYS.pidfd_send_signal,
        pidfd.number,
        int32("sig", sig),
        info.value,
        int32("flags", flags),
    )


async def clone3(sysif: SyscallInterface, args: Address, size: int) -> Process:
    """Make a child that runs what its stack's data says. ``clone3(2)``."""
    return Process(await checked(sysif, SYS.clone3, args.value, c_size("size", size)))


async def rt_sigaction(sysif: SyscallInterface, sig: int, act: Address, old: Address) -> None:
    """Read or set a disposition. ``sigaction(2)``."""
    await checked(sysif, SYS.rt_sigaction, int32("sig", sig), act.value, old.value, 8)


async def rt_sigprocmask(sysif: SyscallInterface, how: int, new: Address, old: Address) -> None:
    """Read or set the signal mask. ``sigprocmask(2)``."""
    await checked(sysif, SYS.rt_sigprocmask, int32("how", how), new.value, old.value, 8)


async def prctl(sysif: SyscallInterface, op: int, a: int, b: int, c: int, d: int) -> int:
    """Operate on the process. ``prctl(2)``."""
    return await checked(
        sysif,
        SYS.prctl,
        int32("op", op),
        c_word("a", a),
        c_word("b", b),
        c_word("c", c),
        c_word("d", d),
    )
