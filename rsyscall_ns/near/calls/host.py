"""Thin calls: the machine, its kernel, and restrictions. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, c_word, checked, int32, or_none

__all__ = [
    "bpf",
    "delete_module",
    "finit_module",
    "getrandom",
    "init_module",
    "kexec_file_load",
    "kexec_load",
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "lsm_get_self_attr",
    "lsm_list_modules",
    "lsm_set_self_attr",
    "reboot",
    "seccomp",
    "setdomainname",
    "sethostname",
    "sysinfo",
    "syslog",
    "uname",
]


async def uname(sysif: SyscallInterface, name: Address | None) -> None:
    """Read the names of the machine and its kernel. ``uname(2)``."""
    await checked(sysif, SYS.uname, at(name))


async def sysinfo(sysif: SyscallInterface, info: Address | None) -> None:
    """Read how much memory, swap and load there is. ``sysinfo(2)``."""
    await checked(sysif, SYS.sysinfo, at(info))


async def syslog(sysif: SyscallInterface, type: int, buf: Address | None, len: int) -> int:
    """Read or clear the kernel's messages. ``syslog(2)``."""
    return await checked(sysif, SYS.syslog, int32("type", type), at(buf), int32("len", len))


async def reboot(
    sysif: SyscallInterface, magic1: int, magic2: int, cmd: int, arg: Address | None
) -> int:
    """Reboot, halt, or end a pid namespace. ``reboot(2)``."""
    return await checked(
        sysif,
        SYS.reboot,
        int32("magic1", magic1),
        int32("magic2", magic2),
        int32("cmd", cmd),
        at(arg),
    )


async def sethostname(sysif: SyscallInterface, name: Address | None, len: int) -> None:
    """Set the host name. ``gethostname(2)``."""
    await checked(sysif, SYS.sethostname, at(name), int32("len", len))


async def setdomainname(sysif: SyscallInterface, name: Address | None, len: int) -> None:
    """Set the NIS domain name. ``getdomainname(2)``."""
    await checked(sysif, SYS.setdomainname, at(name), int32("len", len))


async def init_module(
    sysif: SyscallInterface, umod: Address | None, len: int, uargs: Address | None
) -> None:
    """Load a kernel module that lies in memory. ``init_module(2)``."""
    await checked(sysif, SYS.init_module, at(umod), c_word("len", len), at(uargs))


async def delete_module(sysif: SyscallInterface, name_user: Address | None, flags: int) -> None:
    """Unload a kernel module. ``delete_module(2)``."""
    await checked(sysif, SYS.delete_module, at(name_user), int32("flags", flags))


async def kexec_load(
    sysif: SyscallInterface, entry: int, nr_segments: int, segments: Address | None, flags: int
) -> None:
    """Load a kernel to be run later. ``kexec_load(2)``."""
    await checked(
        sysif,
        SYS.kexec_load,
        c_word("entry", entry),
        c_word("nr_segments", nr_segments),
        at(segments),
        c_word("flags", flags),
    )


async def finit_module(
    sysif: SyscallInterface, fd: FileDescriptor, uargs: Address | None, flags: int
) -> None:
    """Load a kernel module from a file. ``init_module(2)``."""
    await checked(sysif, SYS.finit_module, fd.number, at(uargs), int32("flags", flags))


async def seccomp(sysif: SyscallInterface, op: int, flags: int, uargs: Address | None) -> int:
    """Filter the system calls of the thread. ``seccomp(2)``."""
    return await checked(sysif, SYS.seccomp, int32("op", op), int32("flags", flags), at(uargs))


async def getrandom(sysif: SyscallInterface, ubuf: Address | None, len: int, flags: int) -> int:
    """Get random bytes. ``getrandom(2)``."""
    return await checked(sysif, SYS.getrandom, at(ubuf), c_size("len", len), int32("flags", flags))


async def kexec_file_load(
    sysif: SyscallInterface,
    kernel_fd: FileDescriptor,
    initrd_fd: FileDescriptor | None,
    cmdline_len: int,
    cmdline_ptr: Address | None,
    flags: int,
) -> None:
    """Load a kernel to be run later, from files. ``kexec_load(2)``."""
    await checked(
        sysif,
        SYS.kexec_file_load,
        kernel_fd.number,
        or_none(initrd_fd),
        c_word("cmdline_len", cmdline_len),
        at(cmdline_ptr),
        c_word("flags", flags),
    )


async def bpf(sysif: SyscallInterface, cmd: int, uattr: Address | None, size: int) -> int:
    """Use maps, programs and other objects of BPF. ``bpf(2)``."""
    return await checked(sysif, SYS.bpf, int32("cmd", cmd), at(uattr), int32("size", size))


async def landlock_create_ruleset(
    sysif: SyscallInterface, attr: Address | None, size: int, flags: int
) -> FileDescriptor:
    """Make a set of rules, or return the version of the interface.

    ``landlock_create_ruleset(2)``.
    """
    made = await checked(
        sysif, SYS.landlock_create_ruleset, at(attr), c_size("size", size), int32("flags", flags)
    )
    return FileDescriptor(made)


async def landlock_add_rule(
    sysif: SyscallInterface,
    ruleset_fd: FileDescriptor,
    rule_type: int,
    rule_attr: Address | None,
    flags: int,
) -> None:
    """Add a rule to a set. ``landlock_add_rule(2)``."""
    await checked(
        sysif,
        SYS.landlock_add_rule,
        ruleset_fd.number,
        int32("rule_type", rule_type),
        at(rule_attr),
        int32("flags", flags),
    )


async def landlock_restrict_self(
    sysif: SyscallInterface, ruleset_fd: FileDescriptor, flags: int
) -> None:
    """Restrict the thread by a set of rules. ``landlock_restrict_self(2)``."""
    await checked(sysif, SYS.landlock_restrict_self, ruleset_fd.number, int32("flags", flags))


async def lsm_get_self_attr(
    sysif: SyscallInterface, attr: int, ctx: Address | None, size: Address | None, flags: int
) -> int:
    """Read the attributes that security modules give the thread; returns how many.

    ``lsm_get_self_attr(2)``.
    """
    return await checked(
        sysif, SYS.lsm_get_self_attr, int32("attr", attr), at(ctx), at(size), int32("flags", flags)
    )


async def lsm_set_self_attr(
    sysif: SyscallInterface, attr: int, ctx: Address | None, size: int, flags: int
) -> None:
    """Set the attribute that a security module gives the thread. ``lsm_set_self_attr(2)``."""
    await checked(
        sysif,
        SYS.lsm_set_self_attr,
        int32("attr", attr),
        at(ctx),
        int32("size", size),
        int32("flags", flags),
    )


async def lsm_list_modules(
    sysif: SyscallInterface, ids: Address | None, size: Address | None, flags: int
) -> int:
    """List the active security modules; returns how many. ``lsm_list_modules(2)``."""
    return await checked(sysif, SYS.lsm_list_modules, at(ids), at(size), int32("flags", flags))
