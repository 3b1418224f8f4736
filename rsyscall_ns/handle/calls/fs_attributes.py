"""AttributeCalls: what files are, asked and changed by their paths."""

from __future__ import annotations

from typing import overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import PathLike, borrowed, given, path_given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.quota import QuotaValue, quota_argument
from rsyscall_ns.handle.times import Times, times_given
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.fcntl_h import AT
from rsyscall_ns.near.abi.fs_h import FileAttr
from rsyscall_ns.near.abi.quota_h import Q, QuotaType, qcmd
from rsyscall_ns.near.abi.stat_h import STATX, Statx
from rsyscall_ns.near.abi.stat_kernel_h import Stat
from rsyscall_ns.near.abi.statfs_h import Statfs
from rsyscall_ns.near.calls import attr as near_attr
from rsyscall_ns.near.calls import rw as near_rw
from rsyscall_ns.near.ids import fit

from .fs_names import NameCalls
from .fs_open import MODE_LIMIT

__all__ = ["AttributeCalls"]


class AttributeCalls(NameCalls):
    """Calls that tell or change what a file is: an fd of it has the same ones."""

    __slots__ = ()

    @overload
    async def stat(
        self, path: PathLike, *, dir_fd: FileDescriptor | None = ..., flags: AT = ...
    ) -> Stat: ...

    @overload
    async def stat(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = ...,
        flags: AT = ...,
        into: Pointer[Stat],
    ) -> Pointer[Stat]: ...

    async def stat(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
        into: Pointer[Stat] | None = None,
    ) -> Stat | Pointer[Stat]:
        """Return what a file is; ``statx`` tells more. ``stat(2)``."""
        task = self._task
        with (
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
            room(task, struct_of(Stat), into) as there,
        ):
            await near_attr.newfstatat(task.sysif, directory, name.address, there.address, flags)
            return there.result()

    @overload
    async def lstat(self, path: PathLike, *, dir_fd: FileDescriptor | None = ...) -> Stat: ...

    @overload
    async def lstat(
        self, path: PathLike, *, dir_fd: FileDescriptor | None = ..., into: Pointer[Stat]
    ) -> Pointer[Stat]: ...

    async def lstat(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        into: Pointer[Stat] | None = None,
    ) -> Stat | Pointer[Stat]:
        """Return what a file, or a symbolic link itself, is. ``lstat(2)``."""
        flags = AT.SYMLINK_NOFOLLOW
        if into is None:
            return await self.stat(path, dir_fd=dir_fd, flags=flags)
        return await self.stat(path, dir_fd=dir_fd, flags=flags, into=into)

    @overload
    async def statx(
        self,
        path: PathLike,
        mask: STATX = ...,
        *,
        dir_fd: FileDescriptor | None = ...,
        flags: AT = ...,
    ) -> Statx: ...

    @overload
    async def statx(
        self,
        path: PathLike,
        mask: STATX = ...,
        *,
        dir_fd: FileDescriptor | None = ...,
        flags: AT = ...,
        into: Pointer[Statx],
    ) -> Pointer[Statx]: ...

    async def statx(
        self,
        path: PathLike,
        mask: STATX = STATX.BASIC_STATS | STATX.BTIME,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
        into: Pointer[Statx] | None = None,
    ) -> Statx | Pointer[Statx]:
        """Return what a file is; the result's ``mask`` says what of it is known. ``statx(2)``."""
        task = self._task
        with (
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
            room(task, struct_of(Statx), into) as there,
        ):
            await near_attr.statx(task.sysif, directory, name.address, flags, mask, there.address)
            return there.result()

    @overload
    async def statfs(self, path: PathLike) -> Statfs: ...

    @overload
    async def statfs(self, path: PathLike, *, into: Pointer[Statfs]) -> Pointer[Statfs]: ...

    async def statfs(
        self, path: PathLike, *, into: Pointer[Statfs] | None = None
    ) -> Statfs | Pointer[Statfs]:
        """Return what file system a path is on, and how full it is. ``statfs(2)``."""
        task = self._task
        with path_given(task, path) as name, room(task, struct_of(Statfs), into) as there:
            await near_attr.statfs(task.sysif, name.address, there.address)
            return there.result()

    async def chmod(
        self,
        path: PathLike,
        mode: int,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> None:
        """Change a file's mode. ``chmod(2)``; with flags ``fchmodat2``, Linux 6.6."""
        fit("mode", mode, 0, MODE_LIMIT)
        task = self._task
        with path_given(task, path) as name, borrowed(task, dir_fd) as directory:
            if flags:
                await near_attr.fchmodat2(task.sysif, directory, name.address, mode, flags)
            else:
                await near_attr.fchmodat(task.sysif, directory, name.address, mode)

    async def chown(
        self,
        path: PathLike,
        owner: int = -1,
        group: int = -1,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> None:
        """Change a file's owner and group; -1 leaves one as it is. ``chown(2)``."""
        task = self._task
        with path_given(task, path) as name, borrowed(task, dir_fd) as directory:
            await near_attr.fchownat(task.sysif, directory, name.address, owner, group, flags)

    async def lchown(
        self,
        path: PathLike,
        owner: int = -1,
        group: int = -1,
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> None:
        """Change the owner and group of a file, or of a symbolic link itself. ``lchown(2)``."""
        await self.chown(path, owner, group, dir_fd=dir_fd, flags=AT.SYMLINK_NOFOLLOW)

    async def utimensat(
        self,
        path: PathLike,
        times: Times = None,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> None:
        """Set when a file was last accessed and modified; None is now. ``utimensat(2)``.

        Times are given as to ``FileFD.futimens``.
        """
        task = self._task
        with (
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
            times_given(task, times) as there,
        ):
            await near_attr.utimensat(task.sysif, directory, name.address, there.address, flags)

    async def truncate(self, path: PathLike, length: int) -> None:
        """Set the length of a file in bytes. ``truncate(2)``."""
        fit("length", length, -(2**63), 2**63 - 1)
        with path_given(self._task, path) as name:
            await near_rw.truncate(self._task.sysif, name.address, length)

    @overload
    async def file_getattr(
        self, path: PathLike, *, dir_fd: FileDescriptor | None = ..., flags: AT = ...
    ) -> FileAttr: ...

    @overload
    async def file_getattr(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = ...,
        flags: AT = ...,
        into: Pointer[FileAttr],
    ) -> Pointer[FileAttr]: ...

    async def file_getattr(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
        into: Pointer[FileAttr] | None = None,
    ) -> FileAttr | Pointer[FileAttr]:
        """Return the attributes that the file system adds. ``file_getattr(2)``, Linux 6.17."""
        task = self._task
        with (
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
            room(task, struct_of(FileAttr), into) as there,
        ):
            await near_attr.file_getattr(
                task.sysif, directory, name.address, there.address, there.size, flags
            )
            return there.result()

    async def file_setattr(
        self,
        path: PathLike,
        attributes: FileAttr | Pointer[FileAttr],
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> None:
        """Set the attributes that the file system adds. ``file_setattr(2)``, Linux 6.17."""
        task = self._task
        with (
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
            given(task, attributes) as there,
        ):
            await near_attr.file_setattr(
                task.sysif, directory, name.address, there.address, there.size, flags
            )

    async def quotactl(
        self,
        op: Q,
        kind: QuotaType,
        device: PathLike | None = None,
        id: int = 0,  # noqa: A002 - the manual page's name
        value: QuotaValue | None = None,
    ) -> QuotaValue | None:
        """Manage the quotas of the file system on a block device. ``quotactl(2)``.

        ``value``: what is set. Operations that get something return it. Without a device
        ``Q.SYNC`` is for all file systems.
        """
        task = self._task
        with quota_argument(task, op, value) as there:
            if device is None:
                await near_attr.quotactl(task.sysif, qcmd(op, kind), None, id, there.address)
                return there.result()
            with path_given(task, device) as name:
                await near_attr.quotactl(
                    task.sysif, qcmd(op, kind), name.address, id, there.address
                )
                return there.result()
