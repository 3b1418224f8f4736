"""AttributesFD: what a file is: type, owner, mode, times, and what its file system adds."""

from __future__ import annotations

from typing import overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.quota import QuotaValue, quota_argument
from rsyscall_ns.handle.times import Times, times_given
from rsyscall_ns.memory.serializers import INT32, struct_of
from rsyscall_ns.near.abi.fcntl_h import AT
from rsyscall_ns.near.abi.fs_h import FS_FL, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FileAttr
from rsyscall_ns.near.abi.quota_h import Q, QuotaType, qcmd
from rsyscall_ns.near.abi.stat_h import STATX, Statx
from rsyscall_ns.near.abi.stat_kernel_h import Stat
from rsyscall_ns.near.abi.statfs_h import Statfs
from rsyscall_ns.near.calls import attr as near_attr
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls.base import c_mode
from rsyscall_ns.near.ids import fit

__all__ = ["AttributesFD"]

MODE_LIMIT = 0o7777


class AttributesFD(FileDescriptor):
    """An fd of a file, with what is known of the file."""

    __slots__ = ()

    @overload
    async def statx(self, mask: STATX = ..., flags: AT = ...) -> Statx: ...

    @overload
    async def statx(
        self, mask: STATX = ..., flags: AT = ..., *, into: Pointer[Statx]
    ) -> Pointer[Statx]: ...

    async def statx(
        self,
        mask: STATX = STATX.BASIC_STATS | STATX.BTIME,
        flags: AT = AT.EMPTY_PATH,
        *,
        into: Pointer[Statx] | None = None,
    ) -> Statx | Pointer[Statx]:
        """Return what the file is; the result's ``mask`` says what of it is known. ``statx(2)``."""
        task = self.task
        with (
            self.borrow() as near_id,
            task.transient(1) as empty,
            room(task, struct_of(Statx), into) as there,
        ):
            await near_attr.statx(
                task.sysif, near_id, empty.address, flags | AT.EMPTY_PATH, mask, there.address
            )
            return there.result()

    @overload
    async def fstat(self) -> Stat: ...

    @overload
    async def fstat(self, *, into: Pointer[Stat]) -> Pointer[Stat]: ...

    async def fstat(self, *, into: Pointer[Stat] | None = None) -> Stat | Pointer[Stat]:
        """Return what the file is; ``statx`` tells more. ``fstat(2)``."""
        with self.borrow() as near_id, room(self.task, struct_of(Stat), into) as there:
            await near_attr.fstat(self.task.sysif, near_id, there.address)
            return there.result()

    @overload
    async def fstatfs(self) -> Statfs: ...

    @overload
    async def fstatfs(self, *, into: Pointer[Statfs]) -> Pointer[Statfs]: ...

    async def fstatfs(self, *, into: Pointer[Statfs] | None = None) -> Statfs | Pointer[Statfs]:
        """Return what file system the file is on, and how full it is. ``fstatfs(2)``."""
        with self.borrow() as near_id, room(self.task, struct_of(Statfs), into) as there:
            await near_attr.fstatfs(self.task.sysif, near_id, there.address)
            return there.result()

    async def fchmod(self, mode: int) -> None:
        """Change the mode of the file. ``fchmod(2)``."""
        fit("mode", mode, 0, MODE_LIMIT)
        with self.borrow() as near_id:
            await near_attr.fchmod(self.task.sysif, near_id, c_mode("mode", mode))

    async def fchown(self, owner: int = -1, group: int = -1) -> None:
        """Change the owner and the group of the file; -1 leaves one as it is. ``fchown(2)``."""
        with self.borrow() as near_id:
            await near_attr.fchown(self.task.sysif, near_id, owner, group)

    async def futimens(self, times: Times = None) -> None:
        """Set when the file was last accessed and modified; None is now. ``futimens(3)``.

        Two numbers of nanoseconds since 1970, or ``UTIME.NOW``, ``UTIME.OMIT`` in place of one; or
        the memory of both ``struct timespec``.
        """
        with times_given(self.task, times) as there, self.borrow() as near_id:
            await near_attr.utimensat(self.task.sysif, near_id, None, there.address, 0)

    @overload
    async def file_getattr(self) -> FileAttr: ...

    @overload
    async def file_getattr(self, *, into: Pointer[FileAttr]) -> Pointer[FileAttr]: ...

    async def file_getattr(
        self, *, into: Pointer[FileAttr] | None = None
    ) -> FileAttr | Pointer[FileAttr]:
        """Return the attributes that the file system adds. ``file_getattr(2)``, Linux 6.17."""
        task = self.task
        with (
            self.borrow() as near_id,
            task.transient(1) as empty,
            room(task, struct_of(FileAttr), into) as there,
        ):
            await near_attr.file_getattr(
                task.sysif, near_id, empty.address, there.address, there.size, AT.EMPTY_PATH
            )
            return there.result()

    async def file_setattr(self, attributes: FileAttr | Pointer[FileAttr]) -> None:
        """Set the attributes that the file system adds. ``file_setattr(2)``, Linux 6.17."""
        task = self.task
        with (
            self.borrow() as near_id,
            task.transient(1) as empty,
            given(task, attributes) as there,
        ):
            await near_attr.file_setattr(
                task.sysif, near_id, empty.address, there.address, there.size, AT.EMPTY_PATH
            )

    @overload
    async def getflags(self) -> FS_FL: ...

    @overload
    async def getflags(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def getflags(self, *, into: Pointer[int] | None = None) -> FS_FL | Pointer[int]:
        """Return the attributes that lsattr shows. ``FS_IOC_GETFLAGS(2const)``."""
        with self.borrow() as near_id, room(self.task, INT32, into) as there:
            await near_fd.ioctl(self.task.sysif, near_id, FS_IOC_GETFLAGS, there.address.value)
            found = there.result()
        return found if isinstance(found, Pointer) else FS_FL(found & 0xFFFFFFFF)

    async def setflags(self, flags: FS_FL | Pointer[int]) -> None:
        """Set the attributes that chattr sets, all of them. ``FS_IOC_SETFLAGS(2const)``."""
        content = (
            flags
            if isinstance(flags, Pointer)
            else fit("flags", flags, 0, 2**32 - 1).to_bytes(4, "little")
        )
        with given(self.task, content) as there, self.borrow() as near_id:
            assert there.address is not None
            await near_fd.ioctl(self.task.sysif, near_id, FS_IOC_SETFLAGS, there.address.value)

    async def quotactl_fd(
        self,
        op: Q,
        kind: QuotaType,
        id: int = 0,  # noqa: A002 - the manual page's name
        value: QuotaValue | None = None,
    ) -> QuotaValue | None:
        """Manage the quotas of the file system that the file is on. ``quotactl(2)``.

        ``value``: what is set. Operations that get something return it.
        """
        with quota_argument(self.task, op, value) as there, self.borrow() as near_id:
            await near_attr.quotactl_fd(self.task.sysif, near_id, qcmd(op, kind), id, there.address)
            return there.result()
