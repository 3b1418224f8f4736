"""MemFD: a file that lies in memory, and can be sealed."""

from __future__ import annotations

from errno import EBADF, EINVAL
from typing import ClassVar, final

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import link_text
from rsyscall_ns.handle.kinds.file import FileFD
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.near.abi.memfd_h import F_ADD_SEALS, F_GET_SEALS, F_SEAL
from rsyscall_ns.near.calls import fd as near_fd

__all__ = ["MemFD"]


@final
class MemFD(FileFD):
    """A file without a name in any directory; it is gone with its last fd and mapping."""

    __slots__ = ()
    kind: ClassVar[str] = "memfd"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a memfd."""
        with fd.borrow() as near_id:
            try:
                await near_fd.fcntl(fd.task.sysif, near_id, F_GET_SEALS, 0)
            except OSError as error:
                if error.errno not in {EINVAL, EBADF}:  # EBADF: opened with O_PATH
                    raise
                raise FDKindError(fd, cls.__name__, "it can't have seals") from error
        found = await link_text(fd)
        if not found.startswith("/memfd:"):  # a file of a tmpfs can have seals too
            raise FDKindError(fd, cls.__name__, f"it is {found}")

    async def get_seals(self) -> F_SEAL:
        """Return what can no longer be done to the file. ``fcntl(2)``, F_GET_SEALS."""
        with self.borrow() as near_id:
            return F_SEAL(await near_fd.fcntl(self.task.sysif, near_id, F_GET_SEALS, 0))

    async def add_seals(self, seals: F_SEAL) -> None:
        """Forbid more, for good and for everybody. ``fcntl(2)``, F_ADD_SEALS.

        It must have been made with ``MFD.ALLOW_SEALING``, and not be sealed against it.
        """
        with self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, F_ADD_SEALS, seals)
