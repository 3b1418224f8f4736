"""``task.mount``: what is mounted where."""

from __future__ import annotations

from typing import final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.fscontext import FsContextFD
from rsyscall_ns.handle.kinds.mount import Attr, MountFD, attr_given, tree_flags
from rsyscall_ns.handle.kinds.namespace import NamespaceFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import (
    PathLike,
    Text,
    borrowed,
    given,
    path_given,
    text_given,
)
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.fcntl_h import AT
from rsyscall_ns.near.abi.mount_h import (
    FSOPEN,
    FSPICK,
    LSMT_ROOT,
    MOVE_MOUNT,
    MS,
    STATMOUNT,
    UMOUNT,
)
from rsyscall_ns.near.abi.statmount_h import StatMount
from rsyscall_ns.near.calls import mount as near_mount
from rsyscall_ns.near.strings import StrPath, c_string

from .mountlist import listmount, listmount_into, statmount, statmount_into

__all__ = ["Mount"]

NO_AT = AT(0)
BASIC = STATMOUNT.SB_BASIC | STATMOUNT.MNT_BASIC | STATMOUNT.FS_TYPE
TOLD = BASIC | STATMOUNT.MNT_ROOT | STATMOUNT.MNT_POINT


@final
class Mount:
    """System calls about what is mounted where, in the task's mount namespace."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def mount(
        self,
        source: PathLike,
        target: PathLike,
        fstype: str = "",
        flags: MS = MS.NONE,
        data: StrPath | Pointer[bytes] = "",
    ) -> None:
        """Mount a file system, or change a mount. ``mount(2)``."""
        task = self._task
        options: bytes | Pointer[bytes] | None = None
        if isinstance(data, Pointer):
            options = data
        elif data:
            options = c_string(data)
        with (
            path_given(task, target) as to,
            given(task, source if isinstance(source, Pointer) else c_string(source)) as from_,
            given(task, c_string(fstype) if fstype else None) as kind,
            given(task, options) as how,
        ):
            await near_mount.mount(
                task.sysif, from_.address, to.address, kind.address, flags, how.address
            )

    async def umount2(self, target: PathLike, flags: UMOUNT | int = UMOUNT.NONE) -> None:
        """Unmount. ``umount2(2)``."""
        with path_given(self._task, target) as path:
            await near_mount.umount2(self._task.sysif, path.address, flags)

    async def pivot_root(self, new_root: PathLike, put_old: PathLike) -> None:
        """Make ``new_root`` the root mount, and put the old one onto ``put_old`` below it.

        ``pivot_root(2)``.
        """
        task = self._task
        with path_given(task, new_root) as new, path_given(task, put_old) as old:
            await near_mount.pivot_root(task.sysif, new.address, old.address)

    @trio.lowlevel.enable_ki_protection
    async def open_tree(
        self, path: PathLike, flags: int = 0, *, dir_fd: FileDescriptor | None = None
    ) -> MountFD:
        """Open the mount that ``path`` leads to; with ``OPEN_TREE.CLONE`` a copy of what is there.

        A copy is mounted nowhere; with ``AT.RECURSIVE`` all below it is copied too.
        ``open_tree(2)``.
        """
        task = self._task
        how = tree_flags(flags)
        await task.sweep()
        with path_given(task, path) as name, borrowed(task, dir_fd) as there:
            made = await near_mount.open_tree(task.sysif, there, name.address, how)
            return MountFD(task, made)

    @trio.lowlevel.enable_ki_protection
    async def open_tree_attr(
        self,
        path: PathLike,
        attr: Attr,
        flags: int = 0,
        *,
        dir_fd: FileDescriptor | None = None,
        userns: NamespaceFD | None = None,
    ) -> MountFD:
        """Do the same, and change attributes, as ``mount_setattr`` does. ``open_tree_attr(2)``."""
        task = self._task
        how = tree_flags(flags)
        await task.sweep()
        with (
            attr_given(task, attr, userns) as what,
            path_given(task, path) as name,
            borrowed(task, dir_fd) as there,
        ):
            made = await near_mount.open_tree_attr(
                task.sysif, there, name.address, how, what.address, what.size
            )
            return MountFD(task, made)

    async def move_mount(
        self,
        from_path: PathLike,
        to_path: PathLike,
        flags: MOVE_MOUNT = MOVE_MOUNT.NONE,
        *,
        from_dir: FileDescriptor | None = None,
        to_dir: FileDescriptor | None = None,
    ) -> None:
        """Move a mount, with all below it. ``move_mount(2)``."""
        task = self._task
        with (
            path_given(task, to_path) as to,
            path_given(task, from_path) as from_,
            borrowed(task, from_dir) as here,
            borrowed(task, to_dir) as there,
        ):
            await near_mount.move_mount(task.sysif, here, from_.address, there, to.address, flags)

    async def mount_setattr(
        self,
        path: PathLike,
        attr: Attr,
        flags: AT = NO_AT,
        *,
        dir_fd: FileDescriptor | None = None,
        userns: NamespaceFD | None = None,
    ) -> None:
        """Change attributes of a mount; with ``AT.RECURSIVE`` of all below it too.

        ``userns``: whose id maps it gets, with ``MOUNT_ATTR.IDMAP``. ``mount_setattr(2)``.
        """
        task = self._task
        with (
            attr_given(task, attr, userns) as what,
            path_given(task, path) as name,
            borrowed(task, dir_fd) as there,
        ):
            await near_mount.mount_setattr(
                task.sysif, there, name.address, flags, what.address, what.size
            )

    @trio.lowlevel.enable_ki_protection
    async def fsopen(self, fstype: Text) -> FsContextFD:
        """Begin to configure a new file system. ``fsopen(2)``."""
        task = self._task
        await task.sweep()
        with text_given(task, fstype) as kind:
            made = await near_mount.fsopen(task.sysif, kind.address, FSOPEN.CLOEXEC)
            return FsContextFD(task, made)

    @trio.lowlevel.enable_ki_protection
    async def fspick(
        self,
        path: PathLike,
        flags: FSPICK = FSPICK.NONE,
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> FsContextFD:
        """Begin to change the configuration of the file system at a mount. ``fspick(2)``."""
        task = self._task
        await task.sweep()
        with path_given(task, path) as name, borrowed(task, dir_fd) as there:
            made = await near_mount.fspick(task.sysif, there, name.address, flags | FSPICK.CLOEXEC)
            return FsContextFD(task, made)

    @overload
    async def statmount(
        self, mnt_id: int, mask: STATMOUNT = ..., *, ns: NamespaceFD | int | None = None
    ) -> StatMount: ...

    @overload
    async def statmount(
        self,
        mnt_id: int,
        mask: STATMOUNT = ...,
        *,
        ns: NamespaceFD | int | None = None,
        into: Pointer[bytes],
    ) -> Pointer[bytes]: ...

    async def statmount(
        self,
        mnt_id: int,
        mask: STATMOUNT = TOLD,
        *,
        ns: NamespaceFD | int | None = None,
        into: Pointer[bytes] | None = None,
    ) -> StatMount | Pointer[bytes]:
        """Return what ``mask`` asks for about a mount, by its unique id (STATX.MNT_ID_UNIQUE).

        ``ns``: the mount namespace, or its id; None is the task's own. With ``into``: consumes
        it, and returns the part that was filled, for ``StatMount.unpack``. ``statmount(2)``.
        """
        call = near_mount.statmount
        if into is None:
            return await statmount(call, self._task, mnt_id, mask, ns)
        return await statmount_into(call, self._task, mnt_id, mask, ns, into)

    @overload
    async def listmount(
        self,
        mnt_id: int = ...,
        *,
        after: int = 0,
        reverse: bool = False,
        ns: NamespaceFD | int | None = None,
    ) -> list[int]: ...

    @overload
    async def listmount(
        self,
        mnt_id: int = ...,
        *,
        after: int = 0,
        reverse: bool = False,
        ns: NamespaceFD | int | None = None,
        into: Pointer[bytes],
    ) -> Pointer[bytes]: ...

    async def listmount(
        self,
        mnt_id: int = LSMT_ROOT,
        *,
        after: int = 0,
        reverse: bool = False,
        ns: NamespaceFD | int | None = None,
        into: Pointer[bytes] | None = None,
    ) -> list[int] | Pointer[bytes]:
        """Return the ids of all mounts below one, without it; LSMT_ROOT: all that can be seen.

        ``after``: the id behind which it begins. ``reverse``: later mounts first. With ``into``:
        consumes it, and returns the part that was filled with 64-bit ids, which may not be all.
        ``listmount(2)``.
        """
        call = near_mount.listmount
        if into is None:
            return await listmount(call, self._task, mnt_id, after, ns, reverse=reverse)
        return await listmount_into(call, self._task, mnt_id, after, ns, into, reverse=reverse)
