"""NamespaceFD: an fd that keeps a namespace alive and can be joined."""

from __future__ import annotations

from errno import EBADF, ENOTTY
from typing import ClassVar, final

from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.fd_errors import FDKindError
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.calls import fs

__all__ = ["NamespaceFD"]

NS_GET_NSTYPE = 0xB703
NS_GET_OWNER_UID = 0xB704


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
                await fs.ioctl(fd.task.sysif, near_id, NS_GET_NSTYPE, 0)
            except OSError as error:
                if error.errno not in {ENOTTY, EBADF}:  # EBADF: opened with O_PATH
                    raise
                raise FDKindError(fd, cls.__name__, "it is no namespace") from error

    async def owner_uid(self) -> int:
        """Return the uid of a user namespace's owner. ``ioctl_ns(2)``, NS_GET_OWNER_UID."""
        return int.from_bytes(await self.ioctl_bytes(NS_GET_OWNER_UID, bytes(4)), "little")

    async def nstype(self) -> CLONE:
        """Return the kind as its clone flag. ``ioctl_ns(2)``, NS_GET_NSTYPE."""
        with self.borrow() as near_id:
            return CLONE(await fs.ioctl(self.task.sysif, near_id, NS_GET_NSTYPE, 0))
