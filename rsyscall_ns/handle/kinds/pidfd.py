"""PidFD: an fd that refers to a process."""

from __future__ import annotations

from collections.abc import Sequence
from errno import EBADF, EINVAL, ENOTTY, ESRCH
from typing import TYPE_CHECKING, ClassVar, TypeVar, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.namespace import NamespaceFD
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.pidfd_h import (
    PIDFD_GET,
    PIDFD_GET_INFO,
    PIDFD_INFO,
    PIDFD_SIGNAL,
    PidfdInfo,
)
from rsyscall_ns.near.abi.siginfo_h import ValueSiginfo
from rsyscall_ns.near.abi.signal_h import check_signal
from rsyscall_ns.near.abi.wait_h import IdType, W
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import mem as near_mem
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.ids import SIZE_LIMIT, Address, fit

if TYPE_CHECKING:  # every child has a pidfd, few are advised
    from rsyscall_ns.near.abi.mman_h import MADV

__all__ = ["PidFD"]

Kind = TypeVar("Kind", bound=FileDescriptor)
WORD = 8
TO_ITSELF = PIDFD_SIGNAL(0)


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
                await near_process.waitid(
                    fd.task.sysif, IdType.PIDFD, number, Address(0), options, Address(0)
                )
            except ChildProcessError:
                pass  # a pidfd, of a process that is no child of the task
            except OSError as error:
                if error.errno not in {EBADF, EINVAL}:
                    raise
                raise FDKindError(fd, cls.__name__, "it is no pidfd") from error

    async def send_signal(
        self,
        sig: int,
        info: ValueSiginfo | Pointer[ValueSiginfo] | None = None,
        flags: PIDFD_SIGNAL = TO_ITSELF,
    ) -> None:
        """Signal the process, its thread or its group. ``pidfd_send_signal(2)``.

        ``info``: what comes with the signal; its ``signo`` must be the same, and its ``code``
        negative unless the task signals itself.
        """
        check_signal(sig)
        with self.borrow() as near_id, given(self.task, info) as there:
            await near_process.pidfd_send_signal(
                self.task.sysif, near_id, sig, there.address, flags
            )

    @overload
    async def pidfd_getfd(self, targetfd: int | FileDescriptor) -> FileDescriptor: ...

    @overload
    async def pidfd_getfd(self, targetfd: int | FileDescriptor, kind: type[Kind]) -> Kind: ...

    @trio.lowlevel.enable_ki_protection
    async def pidfd_getfd(
        self, targetfd: int | FileDescriptor, kind: type[FileDescriptor] = FileDescriptor
    ) -> FileDescriptor:
        """Return a copy of an fd of the process, close-on-exec, as a handle of a kind, checked.

        ``targetfd``: its number there, or the handle of another task of that process. The task
        must be allowed to ptrace the process. ``pidfd_getfd(2)``.
        """
        await self.task.sweep()
        theirs = targetfd.near if isinstance(targetfd, FileDescriptor) else None
        wanted = ids.FileDescriptor(targetfd) if isinstance(targetfd, int) else theirs
        assert wanted is not None, "it is the one or the other"
        with self.borrow() as near_id:
            made = await near_process.pidfd_getfd(self.task.sysif, near_id, wanted, 0)
        handle = FileDescriptor(self.task, made)
        try:
            return await handle.as_kind(kind)
        except BaseException:
            await handle.close()
            raise

    @overload
    async def get_info(self, mask: PIDFD_INFO = ...) -> PidfdInfo: ...

    @overload
    async def get_info(
        self, mask: PIDFD_INFO = ..., *, into: Pointer[PidfdInfo]
    ) -> Pointer[PidfdInfo]: ...

    async def get_info(
        self,
        mask: PIDFD_INFO = PIDFD_INFO.PID | PIDFD_INFO.CREDS | PIDFD_INFO.CGROUPID,
        *,
        into: Pointer[PidfdInfo] | None = None,
    ) -> PidfdInfo | Pointer[PidfdInfo]:
        """Return what the kernel knows of the process; the result's ``mask`` says what of it.

        A process that was reaped is known only with ``PIDFD_INFO.EXIT``. Since Linux 6.13;
        ``PIDFD_GET_INFO``.
        """
        request = PidfdInfo(mask=mask)
        if into is None:
            with self.borrow() as near_id, self.task.transient(request.pack()) as there:
                address = there.address.value
                await near_fd.ioctl(self.task.sysif, near_id, PIDFD_GET_INFO, address)
                return PidfdInfo.unpack(there.read())
        into.poke(request)
        with self.borrow() as near_id, room(self.task, struct_of(PidfdInfo), into) as filled:
            await near_fd.ioctl(self.task.sysif, near_id, PIDFD_GET_INFO, filled.address.value)
            return filled.result()

    @trio.lowlevel.enable_ki_protection
    async def open_namespace(self, kind: PIDFD_GET) -> NamespaceFD:
        """Open a namespace of the process. Since Linux 6.11; ``PIDFD_GET_NET_NAMESPACE`` etc.

        The task must be allowed to ptrace the process.
        """
        await self.task.sweep()
        with self.borrow() as near_id:
            made = await near_fd.ioctl(self.task.sysif, near_id, PIDFD_GET(kind), 0)
        return NamespaceFD(self.task, ids.FileDescriptor(made))

    async def process_madvise(self, ranges: Sequence[tuple[Address, int]], advice: MADV) -> int:
        """Tell how memory of the process will be used: (address there, bytes) each.

        Returns how many bytes were advised. ``process_madvise(2)``.
        """
        vector = b"".join(
            word.to_bytes(WORD, "little")
            for place, size in ranges
            for word in (place.value, fit("length", size, 0, SIZE_LIMIT))
        )
        with self.borrow() as near_id, self.task.transient(vector) as there:
            return await near_mem.process_madvise(
                self.task.sysif, near_id, there.address, len(ranges), advice, 0
            )

    async def process_mrelease(self) -> None:
        """Free the memory of the process, which is dying, without waiting for its end.

        ``process_mrelease(2)``.
        """
        with self.borrow() as near_id:
            await near_mem.process_mrelease(self.task.sysif, near_id, 0)

    async def exit_status(self) -> int | None:
        """Return the wait status word of a process that was reaped already.

        None where the kernel does not tell (before Linux 6.15) or has nothing to tell.
        ``PIDFD_GET_INFO``.
        """
        try:
            info = await self.get_info(PIDFD_INFO.EXIT)
        except OSError as error:
            if error.errno in {EINVAL, ENOTTY, ESRCH}:
                return None
            raise
        return info.exit_code if info.mask & PIDFD_INFO.EXIT else None
