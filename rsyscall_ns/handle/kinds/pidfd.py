"""PidFD: an fd that refers to a process."""

from __future__ import annotations

from errno import EBADF, EINVAL, ENOTTY, ESRCH
from typing import ClassVar, final

from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.fd_errors import FDKindError
from rsyscall_ns.near.abi.prctl_h import PIDFD_GET_INFO, PIDFD_INFO, PIDFD_INFO_EXIT
from rsyscall_ns.near.abi.signal_h import check_signal
from rsyscall_ns.near.abi.wait_h import IdType, W
from rsyscall_ns.near.calls import fs, process
from rsyscall_ns.near.ids import Address

__all__ = ["PidFD"]


@final
class PidFD(FileDescriptor):
    """A process that can't be mistaken for a later one with the same id."""

    __slots__ = ()
    kind: ClassVar[str] = "pidfd"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a pidfd. ``waitid(2)``, which only looks."""
        options = W.EXITED | W.NOHANG | W.NOWAIT
        with fd.borrow() as near_id:
            number = near_id.number
            try:
                await process.waitid(
                    fd.task.sysif, IdType.PIDFD, number, Address(0), options, Address(0)
                )
            except ChildProcessError:
                pass  # a pidfd, of a process that is no child of the task
            except OSError as error:
                if error.errno not in {EBADF, EINVAL}:
                    raise
                raise FDKindError(fd, cls.__name__, "it is no pidfd") from error

    async def send_signal(self, sig: int) -> None:
        """Signal the process. ``pidfd_send_signal(2)``."""
        check_signal(sig)
        with self.borrow() as near_id:
            await process.pidfd_send_signal(self.task.sysif, near_id, sig, Address(0), 0)

    async def exit_status(self) -> int | None:
        """Return the wait status word of a process that was reaped already.

        None where the kernel does not tell (before Linux 6.15) or has nothing to tell.
        ``PIDFD_GET_INFO``.
        """
        request = PIDFD_INFO.pack(PIDFD_INFO_EXIT, *[0] * 13)
        with self.task.transient(request) as buffer, self.borrow() as near_id:
            try:
                await fs.ioctl(self.task.sysif, near_id, PIDFD_GET_INFO, buffer.address.value)
            except OSError as error:
                if error.errno in {EINVAL, ENOTTY, ESRCH}:
                    return None
                raise
            mask, *_, status = PIDFD_INFO.unpack(buffer.read())
        return int(status) if mask & PIDFD_INFO_EXIT else None
