"""NamespaceFD: an fd that keeps a namespace alive and can be joined."""

from __future__ import annotations

import os
from errno import EBADF, ENOTTY
from typing import ClassVar, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT
from rsyscall_ns.near.abi.nsfs_h import (
    NS_GET_ID,
    NS_GET_MNTNS_ID,
    NS_GET_NSTYPE,
    NS_GET_OWNER_UID,
    NS_GET_PARENT,
    NS_GET_PID_FROM_PIDNS,
    NS_GET_PID_IN_PIDNS,
    NS_GET_TGID_FROM_PIDNS,
    NS_GET_TGID_IN_PIDNS,
    NS_GET_USERNS,
    NS_MNT_GET_INFO,
    NS_MNT_GET_NEXT,
    NS_MNT_GET_PREV,
    MntNsInfo,
)
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.stat_h import STATX, Statx
from rsyscall_ns.near.calls import attr as near_attr
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.ids import fit

from .ioctls import ioctl_fill, ioctl_int, ioctl_number

__all__ = ["NamespaceFD"]


@final
class NamespaceFD(FileDescriptor):
    """A namespace of any kind, as ``/proc/PID/ns/*`` gives it (``namespaces(7)``)."""

    __slots__ = ()
    kind: ClassVar[str] = "namespace"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a namespace."""
        with fd.borrow() as near_id:
            try:
                await near_fd.ioctl(fd.task.sysif, near_id, NS_GET_NSTYPE, 0)
            except OSError as error:
                if error.errno not in {ENOTTY, EBADF}:  # EBADF: opened with O_PATH
                    raise
                raise FDKindError(fd, cls.__name__, "it is no namespace") from error

    async def owner_uid(self) -> int:
        """Return the uid of a user namespace's owner. ``ioctl_ns(2)``, NS_GET_OWNER_UID."""
        return await ioctl_int(self, NS_GET_OWNER_UID)

    async def nstype(self) -> CLONE:
        """Return the kind as its clone flag. ``ioctl_ns(2)``, NS_GET_NSTYPE."""
        return CLONE(await ioctl_number(self, NS_GET_NSTYPE))

    async def identity(self) -> tuple[int, int]:
        """Return the device and inode, by which namespaces are compared. ``namespaces(7)``."""
        with (
            self.borrow() as near_id,
            self.task.transient(1) as empty,
            room(self.task, struct_of(Statx)) as there,
        ):
            await near_attr.statx(
                self.task.sysif, near_id, empty.address, AT.EMPTY_PATH, STATX.INO, there.address
            )
            found = there.result()
        assert isinstance(found, Statx)
        return os.makedev(found.dev_major, found.dev_minor), found.ino

    async def userns(self) -> NamespaceFD:
        """Return the user namespace that owns this one. ``ioctl_ns(2)``, NS_GET_USERNS."""
        return await self._related(NS_GET_USERNS)

    async def parent(self) -> NamespaceFD:
        """Return the parent of a user or pid namespace. ``ioctl_ns(2)``, NS_GET_PARENT.

        PermissionError where the task can't see it, as above the task's own.
        """
        return await self._related(NS_GET_PARENT)

    async def id(self) -> int:
        """Return the id that no other namespace ever has. Linux 6.18, NS_GET_ID."""
        return await ioctl_int(self, NS_GET_ID, size=8)

    async def mntns_id(self) -> int:
        """Return the id of a mount namespace, for ``statmount`` and ``listmount``. NS_GET_MNTNS_ID.

        Linux 6.11.
        """
        return await ioctl_int(self, NS_GET_MNTNS_ID, size=8)

    async def pid_from_pidns(self, pid: int) -> int:
        """Return the task's number for what has ``pid`` in this pid namespace. Linux 6.11.

        ProcessLookupError where it has none. ``ioctl_ns(2)``, NS_GET_PID_FROM_PIDNS.
        """
        return await self._translate(NS_GET_PID_FROM_PIDNS, pid)

    async def tgid_from_pidns(self, pid: int) -> int:
        """Do the same; the result is the process whose thread it is. NS_GET_TGID_FROM_PIDNS."""
        return await self._translate(NS_GET_TGID_FROM_PIDNS, pid)

    async def pid_in_pidns(self, pid: int) -> int:
        """Return this pid namespace's number for what the task knows as ``pid``. Linux 6.11.

        ``ioctl_ns(2)``, NS_GET_PID_IN_PIDNS.
        """
        return await self._translate(NS_GET_PID_IN_PIDNS, pid)

    async def tgid_in_pidns(self, pid: int) -> int:
        """Do the same; the result is the process whose thread it is. NS_GET_TGID_IN_PIDNS."""
        return await self._translate(NS_GET_TGID_IN_PIDNS, pid)

    @overload
    async def mnt_info(self) -> MntNsInfo: ...

    @overload
    async def mnt_info(self, *, into: Pointer[MntNsInfo]) -> Pointer[MntNsInfo]: ...

    async def mnt_info(
        self, *, into: Pointer[MntNsInfo] | None = None
    ) -> MntNsInfo | Pointer[MntNsInfo]:
        """Return how many mounts a mount namespace has, and its id. Linux 6.12, NS_MNT_GET_INFO."""
        return await ioctl_fill(self, NS_MNT_GET_INFO, struct_of(MntNsInfo), into)

    @overload
    async def mnt_next(self) -> tuple[NamespaceFD, MntNsInfo]: ...

    @overload
    async def mnt_next(
        self, *, into: Pointer[MntNsInfo]
    ) -> tuple[NamespaceFD, Pointer[MntNsInfo]]: ...

    async def mnt_next(
        self, *, into: Pointer[MntNsInfo] | None = None
    ) -> tuple[NamespaceFD, MntNsInfo | Pointer[MntNsInfo]]:
        """Return the mount namespace after this one. Linux 6.12, NS_MNT_GET_NEXT.

        FileNotFoundError after the last. Only root of the whole machine may ask.
        """
        return await self._beside(NS_MNT_GET_NEXT, into)

    @overload
    async def mnt_prev(self) -> tuple[NamespaceFD, MntNsInfo]: ...

    @overload
    async def mnt_prev(
        self, *, into: Pointer[MntNsInfo]
    ) -> tuple[NamespaceFD, Pointer[MntNsInfo]]: ...

    async def mnt_prev(
        self, *, into: Pointer[MntNsInfo] | None = None
    ) -> tuple[NamespaceFD, MntNsInfo | Pointer[MntNsInfo]]:
        """Return the mount namespace before this one. Linux 6.12, NS_MNT_GET_PREV."""
        return await self._beside(NS_MNT_GET_PREV, into)

    @trio.lowlevel.enable_ki_protection
    async def _related(self, op: int) -> NamespaceFD:
        await self.task.sweep()
        made = await ioctl_number(self, op)  # the kernel makes them close-on-exec
        return NamespaceFD(self.task, ids.FileDescriptor(made))

    @trio.lowlevel.enable_ki_protection
    async def _beside(
        self, op: int, into: Pointer[MntNsInfo] | None
    ) -> tuple[NamespaceFD, MntNsInfo | Pointer[MntNsInfo]]:
        await self.task.sweep()
        with self.borrow() as near_id, room(self.task, struct_of(MntNsInfo), into) as there:
            made = await near_fd.ioctl(self.task.sysif, near_id, op, there.address.value)
            found = NamespaceFD(self.task, ids.FileDescriptor(made))
            return found, there.result()

    async def _translate(self, op: int, pid: int) -> int:
        return await ioctl_number(self, op, fit("pid", pid, 1, 2**31 - 1))
