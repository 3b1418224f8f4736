"""PipeFD: an end of a pipe or FIFO."""

from __future__ import annotations

import select
from collections.abc import Sequence
from errno import EBADF
from typing import ClassVar, final

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.pointers.vectors import write_vector
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import F, O
from rsyscall_ns.near.abi.splice_h import SPLICE_F
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls.base import c_size, int32
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS

__all__ = ["PipeFD"]


@final
class PipeFD(FileDescriptor):
    """One end of a pipe."""

    __slots__ = ()
    kind: ClassVar[str] = "pipe"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a pipe or FIFO. ``F_GETPIPE_SZ(2const)``."""
        with fd.borrow() as near_id:
            try:
                await near_fd.fcntl(fd.task.sysif, near_id, F.GETPIPE_SZ)
            except OSError as error:
                if error.errno != EBADF:
                    raise
                raise FDKindError(fd, cls.__name__, "it is no pipe") from error

    async def getpipe_sz(self) -> int:
        """Return how many bytes the pipe holds at most. ``F_GETPIPE_SZ(2const)``."""
        with self.borrow() as near_id:
            return await near_fd.fcntl(self.task.sysif, near_id, F.GETPIPE_SZ)

    async def setpipe_sz(self, size: int) -> int:
        """Set how many bytes the pipe holds; returns what was set, which may be more.

        ``F_SETPIPE_SZ(2const)``.
        """
        fit("size", size, 0, 2**31)
        with self.borrow() as near_id:
            return await near_fd.fcntl(self.task.sysif, near_id, F.SETPIPE_SZ, size)

    async def tee(self, sink: PipeFD, count: int, flags: SPLICE_F = SPLICE_F.NONE) -> int:
        """Copy up to ``count`` bytes into another pipe; they stay here too. ``tee(2)``.

        Returns how many; 0 is the end. With ``SPLICE_F.NONBLOCK`` it raises BlockingIOError where
        it would wait.
        """
        size, how = c_size("count", count), int32("flags", flags)
        return await self.moving(
            sink,
            SYS.tee,
            lambda origin, target: (origin, target, size, how),
            waits=not flags & SPLICE_F.NONBLOCK,
        )

    async def vmsplice(
        self, memory: Sequence[Pointer[bytes]], flags: SPLICE_F = SPLICE_F.NONE
    ) -> int:
        """Put memory into the pipe, or at its other end fill memory from it. ``vmsplice(2)``.

        Returns how many bytes. The pipe refers to the memory itself, which is not copied: neither
        write to it nor free it before the other end has read them.
        """
        how = int32("flags", flags)
        with write_vector(self.task, memory) as them:

            async def attempt(near_id: ids.FileDescriptor) -> int:
                return await self.nonblocking_call(
                    near_id, SYS.vmsplice, them.address.value, them.count, how
                )

            if flags & SPLICE_F.NONBLOCK:
                with self.borrow() as near_id:
                    return await attempt(near_id)
            writes = await self.getfl() & O.WRONLY
            return await self.without_blocking(select.POLLOUT if writes else select.POLLIN, attempt)
