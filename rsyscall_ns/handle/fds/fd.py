"""FileDescriptor: what any fd can do."""

from __future__ import annotations

from typing import TypeVar, overload

import trio

from rsyscall_ns.handle.pointers.owned import OwnedFD
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.fcntl_h import F_GETFL, F_SETFL, F, O
from rsyscall_ns.near.abi.signal_h import check_signal
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import rw as near_rw
from rsyscall_ns.transport.pace import pace

from .fd_moving import MovingFD

__all__ = ["FileDescriptor"]

Kind = TypeVar("Kind", bound="FileDescriptor")


class FileDescriptor(MovingFD):
    """An fd of any kind; subclasses add what one kind can do, and are final."""

    __slots__ = ()

    @trio.lowlevel.enable_ki_protection
    async def as_kind(self, kind: type[Kind]) -> Kind:
        """Return the entry as a handle of another kind, checked. Consumes this handle."""
        await kind.check_kind(self)
        with self.borrow() as near_id:
            made = kind(self.task, near_id)
        number, self._number = self._number, -1
        self.task.holdings.drop(number)
        return made

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` really is of this kind. Any fd is a plain one."""
        del fd
        await pace()

    async def lseek(self, offset: int, whence: int = 0) -> int:
        """Move the file offset (bytes); returns it from the file's start. ``lseek(2)``."""
        with self.borrow() as near_id:
            return await near_rw.lseek(self.task.sysif, near_id, offset, whence)

    async def fcntl(self, op: int, arg: int = 0) -> int:
        """Manipulate the fd by a raw operation with an int argument. ``fcntl(2)``."""
        with self.borrow() as near_id:
            return await near_fd.fcntl(self.task.sysif, near_id, op, arg)

    async def getfl(self) -> O:
        """Return how the open file is accessed, and its status flags. ``F_GETFL(2const)``."""
        with self.borrow() as near_id:
            return O(await near_fd.fcntl(self.task.sysif, near_id, F_GETFL, 0))

    async def setfl(self, flags: int) -> None:
        """Set the status flags of the open file, for all who use it. ``F_SETFL(2const)``.

        Only ``O.APPEND``, ``ASYNC``, ``DIRECT``, ``NOATIME`` and ``NONBLOCK`` are taken.
        """
        with self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, F_SETFL, flags)

    async def dupfd_query(self, other: OwnedFD) -> bool:
        """Return whether both are the same open file. ``F_DUPFD_QUERY(2const)``, Linux 6.10."""
        with self.borrow() as near_id, other.borrow(self.task) as near_other:
            return bool(
                await near_fd.fcntl(self.task.sysif, near_id, F.DUPFD_QUERY, near_other.number)
            )

    async def setsig(self, sig: int) -> None:
        """Set which signal tells of events on the open file; 0 is SIGIO. ``F_SETSIG(2const)``."""
        with self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, F.SETSIG, check_signal(sig) if sig else 0)

    async def getsig(self) -> int:
        """Return which signal tells of events on the open file. ``F_GETSIG(2const)``."""
        with self.borrow() as near_id:
            return await near_fd.fcntl(self.task.sysif, near_id, F.GETSIG)

    async def ioctl(self, op: int, arg: int = 0) -> int:
        """Control the device by an operation with an int argument. ``ioctl(2)``."""
        with self.borrow() as near_id:
            return await near_fd.ioctl(self.task.sysif, near_id, op, arg)

    @overload
    async def ioctl_bytes(self, op: int, data: bytes) -> bytes: ...

    @overload
    async def ioctl_bytes(self, op: int, data: Pointer[bytes]) -> Pointer[bytes]: ...

    async def ioctl_bytes(self, op: int, data: bytes | Pointer[bytes]) -> bytes | Pointer[bytes]:
        """Control the device by an operation on a buffer; returns what is in it then."""
        if isinstance(data, Pointer):
            with self.borrow() as near_id, data.borrow(self.task) as place:
                await near_fd.ioctl(self.task.sysif, near_id, op, place.value)
            return data
        with self.borrow() as near_id, self.task.transient(data) as buffer:
            await near_fd.ioctl(self.task.sysif, near_id, op, buffer.address.value)
            return buffer.read()
