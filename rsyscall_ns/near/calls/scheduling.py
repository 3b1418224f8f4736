"""Thin calls: who runs when, how much, and futexes. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, Process
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_word, checked, id_of, int32

__all__ = [
    "futex",
    "futex_requeue",
    "futex_wait",
    "futex_waitv",
    "futex_wake",
    "getcpu",
    "getpriority",
    "getrlimit",
    "getrusage",
    "ioprio_get",
    "ioprio_set",
    "prlimit64",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_rr_get_interval",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "sched_yield",
    "setpriority",
    "setrlimit",
]


async def sched_yield(sysif: SyscallInterface) -> None:
    """Let others run. ``sched_yield(2)``."""
    await checked(sysif, SYS.sched_yield)


async def getrlimit(sysif: SyscallInterface, resource: int, rlim: Address | None) -> None:
    """Read a resource limit. ``getrlimit(2)``."""
    await checked(sysif, SYS.getrlimit, int32("resource", resource), at(rlim))


async def getrusage(sysif: SyscallInterface, who: int, ru: Address | None) -> None:
    """Read what was used. ``getrusage(2)``."""
    await checked(sysif, SYS.getrusage, int32("who", who), at(ru))


async def getpriority(sysif: SyscallInterface, which: int, who: int) -> int:
    """Return 20 minus the nice value. ``getpriority(2)``."""
    return await checked(sysif, SYS.getpriority, int32("which", which), int32("who", who))


async def setpriority(sysif: SyscallInterface, which: int, who: int, niceval: int) -> None:
    """Set the nice value. ``getpriority(2)``."""
    await checked(
        sysif, SYS.setpriority, int32("which", which), int32("who", who), int32("niceval", niceval)
    )


async def sched_setparam(
    sysif: SyscallInterface, pid: Process | None, param: Address | None
) -> None:
    """Set a process's priority. ``sched_setparam(2)``."""
    await checked(sysif, SYS.sched_setparam, id_of(pid), at(param))


async def sched_getparam(
    sysif: SyscallInterface, pid: Process | None, param: Address | None
) -> None:
    """Read a process's priority. ``sched_setparam(2)``."""
    await checked(sysif, SYS.sched_getparam, id_of(pid), at(param))


async def sched_setscheduler(
    sysif: SyscallInterface, pid: Process | None, policy: int, param: Address | None
) -> None:
    """Set a process's policy and priority. ``sched_setscheduler(2)``."""
    await checked(sysif, SYS.sched_setscheduler, id_of(pid), int32("policy", policy), at(param))


async def sched_getscheduler(sysif: SyscallInterface, pid: Process | None) -> int:
    """Return a process's policy. ``sched_setscheduler(2)``."""
    return await checked(sysif, SYS.sched_getscheduler, id_of(pid))


async def sched_get_priority_max(sysif: SyscallInterface, policy: int) -> int:
    """Return a policy's highest priority. ``sched_get_priority_max(2)``."""
    return await checked(sysif, SYS.sched_get_priority_max, int32("policy", policy))


async def sched_get_priority_min(sysif: SyscallInterface, policy: int) -> int:
    """Return a policy's lowest priority. ``sched_get_priority_max(2)``."""
    return await checked(sysif, SYS.sched_get_priority_min, int32("policy", policy))


async def sched_rr_get_interval(
    sysif: SyscallInterface, pid: Process | None, interval: Address | None
) -> None:
    """Read the time slice of round robin. ``sched_rr_get_interval(2)``."""
    await checked(sysif, SYS.sched_rr_get_interval, id_of(pid), at(interval))


async def setrlimit(sysif: SyscallInterface, resource: int, rlim: Address | None) -> None:
    """Set a resource limit. ``getrlimit(2)``."""
    await checked(sysif, SYS.setrlimit, int32("resource", resource), at(rlim))


async def futex(
    sysif: SyscallInterface,
    uaddr: Address | None,
    op: int,
    val: int,
    utime: Address | None = None,
    uaddr2: Address | None = None,
    val3: int = 0,
) -> int:
    """Wait on a word in memory, wake those that wait, and more. ``futex(2)``."""
    return await checked(
        sysif,
        SYS.futex,
        at(uaddr),
        int32("op", op),
        int32("val", val),
        at(utime),
        at(uaddr2),
        int32("val3", val3),
    )


async def sched_setaffinity(
    sysif: SyscallInterface, pid: Process | None, len: int, user_mask_ptr: Address | None
) -> None:
    """Set which processors a process may use. ``sched_setaffinity(2)``."""
    await checked(sysif, SYS.sched_setaffinity, id_of(pid), int32("len", len), at(user_mask_ptr))


async def sched_getaffinity(
    sysif: SyscallInterface, pid: Process | None, len: int, user_mask_ptr: Address | None
) -> int:
    """Read which processors a process may use; returns the bytes of the mask.

    ``sched_setaffinity(2)``.
    """
    return await checked(
        sysif, SYS.sched_getaffinity, id_of(pid), int32("len", len), at(user_mask_ptr)
    )


async def ioprio_set(sysif: SyscallInterface, which: int, who: int, ioprio: int) -> None:
    """Set the I/O priority. ``ioprio_set(2)``."""
    await checked(
        sysif, SYS.ioprio_set, int32("which", which), int32("who", who), int32("ioprio", ioprio)
    )


async def ioprio_get(sysif: SyscallInterface, which: int, who: int) -> int:
    """Return the I/O priority. ``ioprio_set(2)``."""
    return await checked(sysif, SYS.ioprio_get, int32("which", which), int32("who", who))


async def prlimit64(
    sysif: SyscallInterface,
    pid: Process | None,
    resource: int,
    new_rlim: Address | None,
    old_rlim: Address | None,
) -> None:
    """Set and read a resource limit of a process. ``prlimit(2)``."""
    await checked(
        sysif, SYS.prlimit64, id_of(pid), int32("resource", resource), at(new_rlim), at(old_rlim)
    )


async def getcpu(
    sysif: SyscallInterface, cpup: Address | None, nodep: Address | None, unused: Address | None
) -> None:
    """Read which processor and node the thread is on. ``getcpu(2)``."""
    await checked(sysif, SYS.getcpu, at(cpup), at(nodep), at(unused))


async def sched_setattr(
    sysif: SyscallInterface, pid: Process | None, uattr: Address | None, flags: int
) -> None:
    """Set a process's policy with all its parameters. ``sched_setattr(2)``."""
    await checked(sysif, SYS.sched_setattr, id_of(pid), at(uattr), int32("flags", flags))


async def sched_getattr(
    sysif: SyscallInterface, pid: Process | None, uattr: Address | None, usize: int, flags: int
) -> None:
    """Read a process's policy with all its parameters. ``sched_setattr(2)``."""
    await checked(
        sysif,
        SYS.sched_getattr,
        id_of(pid),
        at(uattr),
        int32("usize", usize),
        int32("flags", flags),
    )


async def futex_waitv(
    sysif: SyscallInterface,
    waiters: Address | None,
    nr_futexes: int,
    flags: int,
    timeout: Address | None,
    clockid: int,
) -> int:
    """Wait on several words; returns which one was woken. ``futex_waitv(2)``."""
    return await checked(
        sysif,
        SYS.futex_waitv,
        at(waiters),
        int32("nr_futexes", nr_futexes),
        int32("flags", flags),
        at(timeout),
        int32("clockid", clockid),
    )


async def futex_wake(
    sysif: SyscallInterface, uaddr: Address | None, mask: int, nr: int, flags: int
) -> int:
    """Wake those that wait on a word. ``futex(2)``."""
    return await checked(
        sysif,
        SYS.futex_wake,
        at(uaddr),
        c_word("mask", mask),
        int32("nr", nr),
        int32("flags", flags),
    )


async def futex_wait(
    sysif: SyscallInterface,
    uaddr: Address | None,
    val: int,
    mask: int,
    flags: int,
    timeout: Address | None,
    clockid: int,
) -> None:
    """Wait on a word. ``futex(2)``."""
    await checked(
        sysif,
        SYS.futex_wait,
        at(uaddr),
        c_word("val", val),
        c_word("mask", mask),
        int32("flags", flags),
        at(timeout),
        int32("clockid", clockid),
    )


async def futex_requeue(
    sysif: SyscallInterface, waiters: Address | None, flags: int, nr_wake: int, nr_requeue: int
) -> int:
    """Wake those that wait on a word, and move others to another one. ``futex(2)``."""
    return await checked(
        sysif,
        SYS.futex_requeue,
        at(waiters),
        int32("flags", flags),
        int32("nr_wake", nr_wake),
        int32("nr_requeue", nr_requeue),
    )
