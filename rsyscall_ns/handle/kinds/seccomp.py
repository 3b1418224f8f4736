"""SeccompNotifyFD: an fd that tells of system calls which wait for an answer."""

from __future__ import annotations

import select
import struct
from errno import ENOENT
from typing import Any, ClassVar, Final, final, overload

import attrs
import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import check_size, given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.seccomp_h import (
    NOTIF_ADDFD,
    NOTIF_ID_VALID,
    NOTIF_RECV,
    NOTIF_SEND,
    NOTIF_SET_FLAGS,
    SECCOMP_ADDFD_FLAG,
    SECCOMP_USER_NOTIF_FD,
    SECCOMP_USER_NOTIF_FLAG,
    SeccompNotif,
    SeccompNotifAddfd,
    SeccompNotifResp,
)
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import fit

__all__ = ["SeccompAnswerError", "SeccompEndedError", "SeccompNotifyFD"]

ID_SIZE: Final = 8  # bytes
LARGEST_ID: Final = 2**64 - 1
NO_FLAG: Final = SECCOMP_USER_NOTIF_FLAG.NONE
POLLFD: Final = struct.Struct("<ihh")
AT_ONCE: Final = bytes(16)  # a struct timespec
RECEIVING: Final = trio.lowlevel.RunVar[trio.Lock]("who receives in the loop's own thread")


class SeccompEndedError(RsyscallError):
    """Nobody is left whose calls a listener could tell of."""

    def __init__(self, fd: object) -> None:
        super().__init__(f"{fd} will tell of no more calls: all that had the filter are gone")


class SeccompAnswerError(RsyscallError, ValueError):
    """An answer to a notification that contradicts itself."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no answer to a system call: {why}")


@final
class SeccompNotifyFD(FileDescriptor):
    """What ``task.seccomp.new_listener`` gives. One receiver at a time: others take turns."""

    __slots__ = ("_turn",)
    kind: ClassVar[str] = "seccomp listener"

    def __init__(self, task: MemoryTask, near_id: ids.FileDescriptor) -> None:
        """Take over the fd."""
        super().__init__(task, near_id)
        self._turn = trio.Lock()

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a listener, as ``/proc`` shows it."""
        await check_link(fd, cls.__name__, "anon_inode:seccomp notify")

    @overload
    async def recv(self) -> SeccompNotif: ...

    @overload
    async def recv(self, *, into: Pointer[SeccompNotif]) -> Pointer[SeccompNotif]: ...

    async def recv(
        self, *, into: Pointer[SeccompNotif] | None = None
    ) -> SeccompNotif | Pointer[SeccompNotif]:
        """Wait for a call that waits for an answer. ``seccomp_unotify(2)``, NOTIF_RECV.

        What it says may be old: before memory or fds of the process are looked at by its id, and
        after, ask ``id_valid``. Raises SeccompEndedError once nobody has the filter. Other
        processes must not receive by copies of the fd: the kernel gives no way to give up then.
        Copies in the interpreter take turns.
        """
        task = self.task
        async with self._turn:
            with room(task, struct_of(SeccompNotif), into) as there:
                if into is not None:
                    into.poke(SeccompNotif())  # the kernel wants zeros
                while True:
                    await task.sysif.wait_ready(self.near.number, select.POLLIN)
                    if await self._received(there.address.value):
                        return there.result()

    async def _received(self, address: int) -> bool:
        """Receive; returns whether there was a call, which may have been taken, or its caller."""
        if not self.task.sysif.same_thread:
            return await self._received_waiting(address)
        async with _one_at_a_time():  # from the look to the call nobody else here may take it
            ready = await self._events() & (select.POLLIN | select.POLLHUP)
            return bool(ready) and await self._received_waiting(address)

    async def _received_waiting(self, address: int) -> bool:
        try:
            with self.borrow() as near_id:
                await near_fd.ioctl(self.task.sysif, near_id, NOTIF_RECV, address)
        except OSError as error:
            if error.errno != ENOENT:
                raise
            # the caller was killed, or all of them have ended
            if await self._events() & select.POLLHUP:
                raise SeccompEndedError(self) from None
            return False
        return True

    async def _events(self) -> int:
        with self.borrow() as near_id:
            ask = POLLFD.pack(near_id.number, select.POLLIN, 0)
            with self.task.transient(ask + AT_ONCE) as there:
                await near_fd.ppoll(self.task.sysif, there.address, 1, there + POLLFD.size, None, 0)
                events: int = POLLFD.unpack(there.read(0, POLLFD.size))[2]
        return events

    @overload
    async def send(self, answer: Pointer[SeccompNotifResp]) -> None: ...

    @overload
    async def send(
        self,
        answer: int,
        val: int = ...,
        error: int = ...,
        flags: SECCOMP_USER_NOTIF_FLAG = ...,
    ) -> None: ...

    async def send(
        self,
        answer: int | Pointer[SeccompNotifResp],
        val: int = 0,
        error: int = 0,
        flags: SECCOMP_USER_NOTIF_FLAG = NO_FLAG,
    ) -> None:
        """Answer the call of a notification, by its id.

        It returns ``val``, or fails with the errno ``error`` (positive). ``CONTINUE`` lets the
        kernel carry it out: for no rule of security, as the caller may have changed its
        arguments meanwhile. FileNotFoundError: the caller is gone, or was interrupted.
        ``seccomp_unotify(2)``, NOTIF_SEND.
        """
        response: SeccompNotifResp | Pointer[SeccompNotifResp]
        if isinstance(answer, Pointer):
            response = answer
        else:
            fit("error", error, 0, 4095)
            if error and val:
                raise SeccompAnswerError("it has a value and an error")
            if flags & SECCOMP_USER_NOTIF_FLAG.CONTINUE and (error or val):
                raise SeccompAnswerError("a call that continues has no value or error yet")
            response = SeccompNotifResp(answer, val, -error, flags)
        with given(self.task, response) as there, self.borrow() as near_id:
            assert there.address is not None, "an answer is never None"
            await near_fd.ioctl(self.task.sysif, near_id, NOTIF_SEND, there.address.value)

    async def id_valid(self, notification: int | Pointer[int] | Pointer[SeccompNotif]) -> bool:
        """Return whether the caller still waits for the answer. NOTIF_ID_VALID.

        A pointer is to a ``UINT64``, or to a notification, whose beginning is its id.
        """
        if isinstance(notification, Pointer):
            check_size(notification, ID_SIZE)
            data: bytes | Pointer[Any] = notification  # of either type
        else:
            data = fit("id", notification, 0, LARGEST_ID).to_bytes(ID_SIZE, "little")
        with given(self.task, data) as there, self.borrow() as near_id:
            assert there.address is not None, "an id is never None"
            try:
                await near_fd.ioctl(self.task.sysif, near_id, NOTIF_ID_VALID, there.address.value)
            except OSError as error:
                if error.errno != ENOENT:
                    raise
                return False
            return True

    @overload
    async def addfd(self, notification: Pointer[SeccompNotifAddfd], fd: FileDescriptor) -> int: ...

    @overload
    async def addfd(
        self,
        notification: int,
        fd: FileDescriptor,
        newfd: int | None = ...,
        *,
        cloexec: bool = ...,
        send: bool = ...,
    ) -> int: ...

    async def addfd(
        self,
        notification: int | Pointer[SeccompNotifAddfd],
        fd: FileDescriptor,
        newfd: int | None = None,
        *,
        cloexec: bool = True,
        send: bool = False,
    ) -> int:
        """Give the caller a copy of an fd of this task; returns its number there.

        ``newfd``: that number, whatever was there. ``send``: the number is the answer, too. An
        interrupted caller raises FileNotFoundError, one that is already being given an fd an
        OSError of EINPROGRESS. A pointer says all of it; the number of ``fd`` is put there.
        NOTIF_ADDFD.
        """
        flags = SECCOMP_ADDFD_FLAG.SEND if send else SECCOMP_ADDFD_FLAG.NONE
        if newfd is not None:
            flags |= SECCOMP_ADDFD_FLAG.SETFD
        with fd.borrow(self.task) as source, self.borrow() as near_id:
            request: SeccompNotifAddfd | Pointer[SeccompNotifAddfd]
            if isinstance(notification, Pointer):
                request = notification
                request.poke(attrs.evolve(request.peek(), srcfd=source.number))
            else:
                mode = O.CLOEXEC if cloexec else O.RDONLY
                number = newfd or 0
                request = SeccompNotifAddfd(notification, flags, source.number, number, mode)
            with given(self.task, request) as there:
                assert there.address is not None, "a request is never None"
                return await near_fd.ioctl(
                    self.task.sysif, near_id, NOTIF_ADDFD, there.address.value
                )

    async def set_flags(self, flags: SECCOMP_USER_NOTIF_FD) -> None:
        """Set how the listener and the callers wake each other. NOTIF_SET_FLAGS, Linux 6.6."""
        with self.borrow() as near_id:
            await near_fd.ioctl(self.task.sysif, near_id, NOTIF_SET_FLAGS, flags)


def _one_at_a_time() -> trio.Lock:
    try:
        return RECEIVING.get()
    except LookupError:
        RECEIVING.set(lock := trio.Lock())
        return lock
