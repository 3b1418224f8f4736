"""Thin calls: processes and threads. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor, Process, ProcessGroup
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, c_word, checked, checked32, id_of, int32, number_of, or_cwd

__all__ = [
    "acct",
    "arch_prctl",
    "clone",
    "clone3",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "get_robust_list",
    "getpgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getsid",
    "gettid",
    "ioperm",
    "iopl",
    "kill",
    "modify_ldt",
    "personality",
    "pidfd_getfd",
    "pidfd_open",
    "pidfd_send_signal",
    "prctl",
    "ptrace",
    "rseq",
    "set_robust_list",
    "set_tid_address",
    "setns",
    "setpgid",
    "setsid",
    "tgkill",
    "tkill",
    "unshare",
    "vhangup",
    "wait4",
    "waitid",
]


async def getpid(sysif: SyscallInterface) -> Process:
    """Return the process id. ``getpid(2)``."""
    return Process(await sysif.call(SYS.getpid))  # can't fail


async def clone(
    sysif: SyscallInterface,
    clone_flags: int,
    newsp: Address | None,
    parent_tidptr: Address | None,
    child_tidptr: Address | None,
    tls: int,
) -> Process:
    """Make a process or thread, with a stack of its own. ``clone(2)``."""
    made = await checked(
        sysif,
        SYS.clone,
        c_word("clone_flags", clone_flags),
        at(newsp),
        at(parent_tidptr),
        at(child_tidptr),
        c_word("tls", tls),
    )
    return Process(made)


async def execve(
    sysif: SyscallInterface, filename: Address | None, argv: Address | None, envp: Address | None
) -> None:
    """Become a program. ``execve(2)``."""
    await checked(sysif, SYS.execve, at(filename), at(argv), at(envp))


async def exit(sysif: SyscallInterface, error_code: int) -> None:
    """End the thread. ``exit(2)``."""
    await checked(sysif, SYS.exit, int32("error_code", error_code))


async def wait4(
    sysif: SyscallInterface, upid: int, stat_addr: Address | None, options: int, ru: Address | None
) -> int:
    """Wait for a child; returns its process id, 0 for none yet. ``wait4(2)``."""
    return await checked(
        sysif, SYS.wait4, int32("upid", upid), at(stat_addr), int32("options", options), at(ru)
    )


async def kill(sysif: SyscallInterface, pid: int, sig: int) -> None:
    """Signal a process, a group, or all. ``kill(2)``."""
    await checked(sysif, SYS.kill, int32("pid", pid), int32("sig", sig))


async def ptrace(
    sysif: SyscallInterface, request: int, pid: Process | None, addr: int = 0, data: int = 0
) -> int:
    """Trace a process. The kernel stores what ``PTRACE_PEEK*`` reads at ``data``. ``ptrace(2)``."""
    return await checked(
        sysif,
        SYS.ptrace,
        c_word("request", request),
        id_of(pid),
        c_word("addr", addr),
        c_word("data", data),
    )


async def setpgid(sysif: SyscallInterface, pid: Process | None, pgid: ProcessGroup | None) -> None:
    """Move a process into a process group. ``setpgid(2)``."""
    await checked(sysif, SYS.setpgid, id_of(pid), id_of(pgid))


async def getppid(sysif: SyscallInterface) -> int:
    """Return the parent's process id; 0 where it is not visible. ``getpid(2)``."""
    return await sysif.call(SYS.getppid)  # can't fail


async def getpgrp(sysif: SyscallInterface) -> ProcessGroup:
    """Return the caller's process group id. ``setpgid(2)``."""
    made = await checked(sysif, number_of("getpgrp"))
    return ProcessGroup(made)


async def setsid(sysif: SyscallInterface) -> ProcessGroup:
    """Begin a session; returns its id, which is that of the new process group too.

    ``setsid(2)``.
    """
    made = await checked(sysif, SYS.setsid)
    return ProcessGroup(made)


async def getpgid(sysif: SyscallInterface, pid: Process | None) -> ProcessGroup:
    """Return a process group id. ``setpgid(2)``."""
    made = await checked(sysif, SYS.getpgid, id_of(pid))
    return ProcessGroup(made)


async def getsid(sysif: SyscallInterface, pid: Process | None) -> int:
    """Return a session id; 0 where it is not visible. ``getsid(2)``."""
    return await checked(sysif, SYS.getsid, id_of(pid))


async def personality(sysif: SyscallInterface, personality: int) -> int:
    """Set the execution domain; returns the old one. ``personality(2)``."""
    return await checked(sysif, SYS.personality, int32("personality", personality))


async def vhangup(sysif: SyscallInterface) -> None:
    """Hang up the terminal. ``vhangup(2)``."""
    await checked(sysif, SYS.vhangup)


async def modify_ldt(
    sysif: SyscallInterface, func: int, ptr: Address | None, bytecount: int
) -> int:
    """Read or write the local descriptor table. ``modify_ldt(2)``."""
    return await checked32(
        sysif, number_of("modify_ldt"), int32("func", func), at(ptr), c_word("bytecount", bytecount)
    )


async def prctl(
    sysif: SyscallInterface, option: int, arg2: int = 0, arg3: int = 0, arg4: int = 0, arg5: int = 0
) -> int:
    """Control how the process or thread is treated. ``prctl(2)``."""
    return await checked(
        sysif,
        SYS.prctl,
        int32("option", option),
        c_word("arg2", arg2),
        c_word("arg3", arg3),
        c_word("arg4", arg4),
        c_word("arg5", arg5),
    )


async def arch_prctl(sysif: SyscallInterface, option: int, arg2: int) -> int:
    """Control what only this architecture has. ``arch_prctl(2)``."""
    return await checked(
        sysif, number_of("arch_prctl"), int32("option", option), c_word("arg2", arg2)
    )


async def acct(sysif: SyscallInterface, name: Address | None) -> None:
    """Switch process accounting on or off. ``acct(2)``."""
    await checked(sysif, SYS.acct, at(name))


async def iopl(sysif: SyscallInterface, level: int) -> None:
    """Change the I/O privilege level. ``iopl(2)``."""
    await checked(sysif, number_of("iopl"), int32("level", level))


async def ioperm(sysif: SyscallInterface, from_: int, num: int, turn_on: int) -> None:
    """Set which I/O ports may be used. ``ioperm(2)``."""
    await checked(
        sysif,
        number_of("ioperm"),
        c_word("from_", from_),
        c_word("num", num),
        int32("turn_on", turn_on),
    )


async def gettid(sysif: SyscallInterface) -> Process:
    """Return the thread id. ``gettid(2)``."""
    return Process(await sysif.call(SYS.gettid))  # can't fail


async def tkill(sysif: SyscallInterface, pid: Process | None, sig: int) -> None:
    """Signal a thread. ``tkill(2)``."""
    await checked(sysif, SYS.tkill, id_of(pid), int32("sig", sig))


async def set_tid_address(sysif: SyscallInterface, tidptr: Address | None) -> Process:
    """Have a word cleared when the thread ends; returns the thread id. ``set_tid_address(2)``."""
    made = await checked(sysif, SYS.set_tid_address, at(tidptr))
    return Process(made)


async def exit_group(sysif: SyscallInterface, error_code: int) -> None:
    """End the process. ``exit_group(2)``."""
    await checked(sysif, SYS.exit_group, int32("error_code", error_code))


async def tgkill(
    sysif: SyscallInterface, tgid: Process | None, pid: Process | None, sig: int
) -> None:
    """Signal a thread of a process. ``tkill(2)``."""
    await checked(sysif, SYS.tgkill, id_of(tgid), id_of(pid), int32("sig", sig))


async def waitid(
    sysif: SyscallInterface,
    which: int,
    upid: int,
    infop: Address | None,
    options: int,
    ru: Address | None,
) -> None:
    """Wait for a change of state of a child. ``waitid(2)``."""
    await checked(
        sysif,
        SYS.waitid,
        int32("which", which),
        int32("upid", upid),
        at(infop),
        int32("options", options),
        at(ru),
    )


async def unshare(sysif: SyscallInterface, unshare_flags: int) -> None:
    """Leave namespaces, or what else is shared. ``unshare(2)``."""
    await checked(sysif, SYS.unshare, c_word("unshare_flags", unshare_flags))


async def set_robust_list(sysif: SyscallInterface, head: Address | None, len: int) -> None:
    """Register the list of futexes to be released at the thread's end. ``get_robust_list(2)``."""
    await checked(sysif, SYS.set_robust_list, at(head), c_size("len", len))


async def get_robust_list(
    sysif: SyscallInterface, pid: Process | None, head_ptr: Address | None, len_ptr: Address | None
) -> None:
    """Read a thread's list of robust futexes. ``get_robust_list(2)``."""
    await checked(sysif, SYS.get_robust_list, id_of(pid), at(head_ptr), at(len_ptr))


async def setns(sysif: SyscallInterface, fd: FileDescriptor, flags: int) -> None:
    """Join a namespace, or those of a process. ``setns(2)``."""
    await checked(sysif, SYS.setns, fd.number, int32("flags", flags))


async def execveat(
    sysif: SyscallInterface,
    fd: FileDescriptor | None,
    filename: Address | None,
    argv: Address | None,
    envp: Address | None,
    flags: int,
) -> None:
    """Become a program, relative to a directory. ``execveat(2)``."""
    await checked(
        sysif, SYS.execveat, or_cwd(fd), at(filename), at(argv), at(envp), int32("flags", flags)
    )


async def rseq(
    sysif: SyscallInterface, rseq: Address | None, rseq_len: int, flags: int, sig: int
) -> None:
    """Register restartable sequences. ``rseq(2)``."""
    await checked(
        sysif,
        SYS.rseq,
        at(rseq),
        int32("rseq_len", rseq_len),
        int32("flags", flags),
        int32("sig", sig),
    )


async def pidfd_send_signal(
    sysif: SyscallInterface, pidfd: FileDescriptor, sig: int, info: Address | None, flags: int
) -> None:
    """Signal the process that an fd refers to. ``pidfd_send_signal(2)``."""
    await checked(
        sysif,
        SYS.pidfd_send_signal,
        pidfd.number,
        int32("sig", sig),
        at(info),
        int32("flags", flags),
    )


async def pidfd_open(sysif: SyscallInterface, pid: Process | None, flags: int) -> FileDescriptor:
    """Make an fd that refers to a process. ``pidfd_open(2)``."""
    made = await checked(sysif, SYS.pidfd_open, id_of(pid), int32("flags", flags))
    return FileDescriptor(made)


async def clone3(sysif: SyscallInterface, uargs: Address | None, size: int) -> Process:
    """Make a process or thread; a stack of its own lies in the struct. ``clone(2)``."""
    made = await checked(sysif, SYS.clone3, at(uargs), c_size("size", size))
    return Process(made)


async def pidfd_getfd(
    sysif: SyscallInterface, pidfd: FileDescriptor, fd: FileDescriptor, flags: int
) -> FileDescriptor:
    """Take a copy of another process's fd. ``pidfd_getfd(2)``."""
    made = await checked(sysif, SYS.pidfd_getfd, pidfd.number, fd.number, int32("flags", flags))
    return FileDescriptor(made)
