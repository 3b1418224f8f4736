"""Thin calls: mounts. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, c_word, checked, int32, number_of, or_cwd

__all__ = [
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "listmount",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "open_tree_attr",
    "pivot_root",
    "statmount",
    "swapoff",
    "swapon",
    "sysfs",
    "umount2",
]


async def sysfs(sysif: SyscallInterface, option: int, arg1: int, arg2: int) -> int:
    """Tell about the file system types that the kernel knows. ``sysfs(2)``."""
    return await checked(
        sysif,
        number_of("sysfs"),
        int32("option", option),
        c_word("arg1", arg1),
        c_word("arg2", arg2),
    )


async def pivot_root(
    sysif: SyscallInterface, new_root: Address | None, put_old: Address | None
) -> None:
    """Change the root mount. ``pivot_root(2)``."""
    await checked(sysif, SYS.pivot_root, at(new_root), at(put_old))


async def mount(
    sysif: SyscallInterface,
    dev_name: Address | None,
    dir_name: Address | None,
    type: Address | None,
    flags: int,
    data: Address | None,
) -> None:
    """Mount a file system, or change a mount. ``mount(2)``."""
    await checked(
        sysif, SYS.mount, at(dev_name), at(dir_name), at(type), c_word("flags", flags), at(data)
    )


async def umount2(sysif: SyscallInterface, name: Address | None, flags: int) -> None:
    """Unmount. ``umount(2)``."""
    await checked(sysif, SYS.umount2, at(name), int32("flags", flags))


async def swapon(sysif: SyscallInterface, specialfile: Address | None, swap_flags: int) -> None:
    """Use a file for swapping. ``swapon(2)``."""
    await checked(sysif, SYS.swapon, at(specialfile), int32("swap_flags", swap_flags))


async def swapoff(sysif: SyscallInterface, specialfile: Address | None) -> None:
    """Stop to use a file for swapping. ``swapon(2)``."""
    await checked(sysif, SYS.swapoff, at(specialfile))


async def open_tree(
    sysif: SyscallInterface, dfd: FileDescriptor | None, filename: Address | None, flags: int
) -> FileDescriptor:
    """Open a mount, or a copy of one that is mounted nowhere. ``open_tree(2)``."""
    made = await checked(sysif, SYS.open_tree, or_cwd(dfd), at(filename), int32("flags", flags))
    return FileDescriptor(made)


async def move_mount(
    sysif: SyscallInterface,
    from_dfd: FileDescriptor | None,
    from_pathname: Address | None,
    to_dfd: FileDescriptor | None,
    to_pathname: Address | None,
    flags: int,
) -> None:
    """Put a mount somewhere. ``move_mount(2)``."""
    await checked(
        sysif,
        SYS.move_mount,
        or_cwd(from_dfd),
        at(from_pathname),
        or_cwd(to_dfd),
        at(to_pathname),
        int32("flags", flags),
    )


async def fsopen(sysif: SyscallInterface, _fs_name: Address | None, flags: int) -> FileDescriptor:
    """Begin to configure a new file system. ``fsopen(2)``."""
    made = await checked(sysif, SYS.fsopen, at(_fs_name), int32("flags", flags))
    return FileDescriptor(made)


async def fsconfig(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    cmd: int,
    _key: Address | None,
    _value: Address | None,
    aux: int,
) -> None:
    """Configure a file system that is being made or changed. ``fsconfig(2)``."""
    await checked(
        sysif, SYS.fsconfig, fd.number, int32("cmd", cmd), at(_key), at(_value), int32("aux", aux)
    )


async def fsmount(
    sysif: SyscallInterface, fs_fd: FileDescriptor, flags: int, attr_flags: int
) -> FileDescriptor:
    """Make a mount of a configured file system, mounted nowhere. ``fsmount(2)``."""
    made = await checked(
        sysif, SYS.fsmount, fs_fd.number, int32("flags", flags), int32("attr_flags", attr_flags)
    )
    return FileDescriptor(made)


async def fspick(
    sysif: SyscallInterface, dfd: FileDescriptor | None, path: Address | None, flags: int
) -> FileDescriptor:
    """Begin to change the configuration of a mounted file system. ``fspick(2)``."""
    made = await checked(sysif, SYS.fspick, or_cwd(dfd), at(path), int32("flags", flags))
    return FileDescriptor(made)


async def mount_setattr(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    path: Address | None,
    flags: int,
    uattr: Address | None,
    usize: int,
) -> None:
    """Change the attributes of a mount, or of a whole tree. ``mount_setattr(2)``."""
    await checked(
        sysif,
        SYS.mount_setattr,
        or_cwd(dfd),
        at(path),
        int32("flags", flags),
        at(uattr),
        c_size("usize", usize),
    )


async def statmount(
    sysif: SyscallInterface, req: Address | None, buf: Address | None, bufsize: int, flags: int
) -> None:
    """Read about a mount. ``statmount(2)``."""
    await checked(
        sysif, SYS.statmount, at(req), at(buf), c_size("bufsize", bufsize), int32("flags", flags)
    )


async def listmount(
    sysif: SyscallInterface,
    req: Address | None,
    mnt_ids: Address | None,
    nr_mnt_ids: int,
    flags: int,
) -> int:
    """List the ids of the mounts below one; returns how many. ``listmount(2)``."""
    return await checked(
        sysif,
        SYS.listmount,
        at(req),
        at(mnt_ids),
        c_size("nr_mnt_ids", nr_mnt_ids),
        int32("flags", flags),
    )


async def open_tree_attr(
    sysif: SyscallInterface,
    dfd: FileDescriptor | None,
    filename: Address | None,
    flags: int,
    uattr: Address | None,
    usize: int,
) -> FileDescriptor:
    """Open a mount, or a copy of one, and change its attributes. ``open_tree_attr(2)``."""
    made = await checked(
        sysif,
        SYS.open_tree_attr,
        or_cwd(dfd),
        at(filename),
        int32("flags", flags),
        at(uattr),
        c_size("usize", usize),
    )
    return FileDescriptor(made)
