"""Thin calls: who the process is: ids, capabilities, keys. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, c_word, checked, int32

__all__ = [
    "add_key",
    "capget",
    "capset",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getresgid",
    "getresuid",
    "getuid",
    "keyctl",
    "request_key",
    "setfsgid",
    "setfsuid",
    "setgid",
    "setgroups",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "setuid",
]


async def getuid(sysif: SyscallInterface) -> int:
    """Return the real user id. ``getuid(2)``."""
    return await sysif.call(SYS.getuid)  # can't fail


async def getgid(sysif: SyscallInterface) -> int:
    """Return the real group id. ``getgid(2)``."""
    return await sysif.call(SYS.getgid)  # can't fail


async def setuid(sysif: SyscallInterface, uid: int) -> None:
    """Set the user ids. ``setuid(2)``."""
    await checked(sysif, SYS.setuid, int32("uid", uid))


async def setgid(sysif: SyscallInterface, gid: int) -> None:
    """Set the group ids. ``setgid(2)``."""
    await checked(sysif, SYS.setgid, int32("gid", gid))


async def geteuid(sysif: SyscallInterface) -> int:
    """Return the effective user id. ``getuid(2)``."""
    return await sysif.call(SYS.geteuid)  # can't fail


async def getegid(sysif: SyscallInterface) -> int:
    """Return the effective group id. ``getgid(2)``."""
    return await sysif.call(SYS.getegid)  # can't fail


async def setreuid(sysif: SyscallInterface, ruid: int, euid: int) -> None:
    """Set the real and effective user id; -1 leaves one. ``setreuid(2)``."""
    await checked(sysif, SYS.setreuid, int32("ruid", ruid), int32("euid", euid))


async def setregid(sysif: SyscallInterface, rgid: int, egid: int) -> None:
    """Set the real and effective group id; -1 leaves one. ``setreuid(2)``."""
    await checked(sysif, SYS.setregid, int32("rgid", rgid), int32("egid", egid))


async def getgroups(sysif: SyscallInterface, gidsetsize: int, grouplist: Address | None) -> int:
    """Read the supplementary groups; returns how many there are. ``getgroups(2)``."""
    return await checked(sysif, SYS.getgroups, int32("gidsetsize", gidsetsize), at(grouplist))


async def setgroups(sysif: SyscallInterface, gidsetsize: int, grouplist: Address | None) -> None:
    """Set the supplementary groups. ``getgroups(2)``."""
    await checked(sysif, SYS.setgroups, int32("gidsetsize", gidsetsize), at(grouplist))


async def setresuid(sysif: SyscallInterface, ruid: int, euid: int, suid: int) -> None:
    """Set the real, effective and saved user id; -1 leaves one. ``setresuid(2)``."""
    await checked(
        sysif, SYS.setresuid, int32("ruid", ruid), int32("euid", euid), int32("suid", suid)
    )


async def getresuid(
    sysif: SyscallInterface, ruidp: Address | None, euidp: Address | None, suidp: Address | None
) -> None:
    """Read the real, effective and saved user id. ``getresuid(2)``."""
    await checked(sysif, SYS.getresuid, at(ruidp), at(euidp), at(suidp))


async def setresgid(sysif: SyscallInterface, rgid: int, egid: int, sgid: int) -> None:
    """Set the real, effective and saved group id; -1 leaves one. ``setresuid(2)``."""
    await checked(
        sysif, SYS.setresgid, int32("rgid", rgid), int32("egid", egid), int32("sgid", sgid)
    )


async def getresgid(
    sysif: SyscallInterface, rgidp: Address | None, egidp: Address | None, sgidp: Address | None
) -> None:
    """Read the real, effective and saved group id. ``getresuid(2)``."""
    await checked(sysif, SYS.getresgid, at(rgidp), at(egidp), at(sgidp))


async def setfsuid(sysif: SyscallInterface, uid: int) -> int:
    """Set the user id for file access; returns the old one, whether or not it was set.

    ``setfsuid(2)``.
    """
    return await checked(sysif, SYS.setfsuid, int32("uid", uid))


async def setfsgid(sysif: SyscallInterface, gid: int) -> int:
    """Set the group id for file access; returns the old one, whether or not it was set.

    ``setfsgid(2)``.
    """
    return await checked(sysif, SYS.setfsgid, int32("gid", gid))


async def capget(sysif: SyscallInterface, header: Address | None, dataptr: Address | None) -> None:
    """Read capability sets. ``capget(2)``."""
    await checked(sysif, SYS.capget, at(header), at(dataptr))


async def capset(sysif: SyscallInterface, header: Address | None, data: Address | None) -> None:
    """Set capability sets. ``capget(2)``."""
    await checked(sysif, SYS.capset, at(header), at(data))


async def add_key(
    sysif: SyscallInterface,
    _type: Address | None,
    _description: Address | None,
    _payload: Address | None,
    plen: int,
    ringid: int,
) -> int:
    """Add a key; returns its serial number. ``add_key(2)``."""
    return await checked(
        sysif,
        SYS.add_key,
        at(_type),
        at(_description),
        at(_payload),
        c_size("plen", plen),
        int32("ringid", ringid),
    )


async def request_key(
    sysif: SyscallInterface,
    _type: Address | None,
    _description: Address | None,
    _callout_info: Address | None,
    destringid: int,
) -> int:
    """Find a key; returns its serial number. ``request_key(2)``."""
    return await checked(
        sysif,
        SYS.request_key,
        at(_type),
        at(_description),
        at(_callout_info),
        int32("destringid", destringid),
    )


async def keyctl(
    sysif: SyscallInterface, option: int, arg2: int = 0, arg3: int = 0, arg4: int = 0, arg5: int = 0
) -> int:
    """Manage keys. ``keyctl(2)``."""
    return await checked(
        sysif,
        SYS.keyctl,
        int32("option", option),
        c_word("arg2", arg2),
        c_word("arg3", arg3),
        c_word("arg4", arg4),
        c_word("arg5", arg5),
    )
