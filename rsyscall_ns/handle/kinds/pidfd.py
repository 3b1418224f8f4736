"""PidFD: an fd that refers to a process."""

from __future__ import annotations

import os
from errno import EINVAL, ENOTTY, ESRCH
from typing import ClassVar, final

from rsyscall_ns.handle.fd import FDKindError, FileDescriptor
from rsyscall_ns.near.abi.prctl_h import PIDFD_GET_INFO, PIDFD_INFO, PIDFD_INFO_EXIT
from rsyscall_ns.near.abi.signal_h import check_signal
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
        """Raise FDKindError unless ``fd`` is a pidfd: signal 0 goes through, or finds it dead."""
        try:
            await PidFD.send_signal(fd, 0)  # type: ignore[arg-type]  # the very thing checked
        except ProcessLookupError:
            pass
        except PermissionError:
            pass
        except OSError as error:
            raise FDKindError(fd, cls.__name__, os.strerror(error.errno or EINVAL)) from error

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
