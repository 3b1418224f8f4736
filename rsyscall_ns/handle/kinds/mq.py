"""MqFD: a POSIX message queue."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Awaitable, Callable
from errno import EBADF
from typing import ClassVar, TypeVar, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.sigevent import check_event
from rsyscall_ns.handle.waiting import Limit
from rsyscall_ns.memory.serializers import BYTES, struct_of
from rsyscall_ns.near.abi.mqueue_h import MqAttr
from rsyscall_ns.near.abi.siginfo_h import Sigevent
from rsyscall_ns.near.abi.time_h import Timespec
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.ids import Address, fit

__all__ = ["MqFD"]

R = TypeVar("R")
PRIORITY = 4  # bytes
HIGHEST = 32767
LARGEST = 1 << 24  # bytes of a message
PAST = Timespec()
SECOND = 1_000_000_000


@final
class MqFD(FileDescriptor):
    """A message queue. The message of the highest priority comes first, the oldest of these."""

    __slots__ = ()
    kind: ClassVar[str] = "mq"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a POSIX message queue."""
        with fd.borrow() as near_id, fd.task.transient(MqAttr.sizeof()) as there:
            try:
                await near_ipc.mq_getsetattr(fd.task.sysif, near_id, None, there.address)
            except OSError as error:
                if error.errno != EBADF:
                    raise
                raise FDKindError(fd, cls.__name__, "it is no message queue") from error

    async def mq_timedsend(
        self, message: bytes | Pointer[bytes], prio: int = 0, deadline: Limit = None
    ) -> None:
        """Send a message; waits while the queue is full. ``mq_send(3)``.

        ``deadline``: of the clock ``CLOCK.REALTIME``; after it TimeoutError is raised.
        """
        priority = fit("priority", prio, 0, HIGHEST)
        task = self.task
        with given(task, message) as there:

            async def send(until: Address | None) -> None:
                with self.borrow() as near_id:
                    await near_ipc.mq_timedsend(
                        task.sysif, near_id, there.address, there.size, priority, until
                    )

            await self._until(deadline, select.POLLOUT, send)

    @overload
    async def mq_timedreceive(
        self, size: int | None = ..., deadline: Limit = ...
    ) -> tuple[bytes, int]: ...

    @overload
    async def mq_timedreceive(
        self, size: Pointer[bytes], deadline: Limit = ...
    ) -> tuple[Pointer[bytes], int]: ...

    async def mq_timedreceive(
        self, size: int | Pointer[bytes] | None = None, deadline: Limit = None
    ) -> tuple[bytes | Pointer[bytes], int]:
        """Wait for a message; returns it and its priority. ``mq_receive(3)``.

        ``size``: the room for it, which must do for the longest that the queue may hold; None
        asks the queue. ``deadline`` is as with ``mq_timedsend``. With a pointer: consumes it,
        and returns the part that was filled; the rest is freed.
        """
        task = self.task
        into: Pointer[bytes] | None = None
        if isinstance(size, Pointer):
            into, most = size, size.size()
        else:
            wanted = (await self.mq_getattr()).msgsize if size is None else size
            most = fit("size", wanted, 0, LARGEST)
        with task.transient(PRIORITY) as prio, room(task, BYTES, into, most) as there:

            async def receive(until: Address | None) -> int:
                with self.borrow() as near_id:
                    return await near_ipc.mq_timedreceive(
                        task.sysif, near_id, there.address, most, prio.address, until
                    )

            got = await self._until(deadline, select.POLLIN, receive)
            return there.result(got), int.from_bytes(prio.read(), "little")

    async def mq_notify(self, event: Sigevent | Pointer[Sigevent] | None) -> None:
        """Have the process told once when a message comes into the empty queue. ``mq_notify(3)``.

        By a signal (``SIGEV.SIGNAL``), or not at all (``NONE``): nobody else is told then. None
        takes it back; so does each close of an fd of the queue in the process, and ``pass_to``.
        One process at a time may ask for it: else EBUSY.
        """
        check_event(self.task, event)
        with self.borrow() as near_id, given(self.task, event) as there:
            await near_ipc.mq_notify(self.task.sysif, near_id, there.address)

    async def _until(
        self,
        deadline: Limit,
        events: int,
        attempt: Callable[[Address | None], Awaitable[R]],
    ) -> R:
        """Make a call that waits until a deadline, in the interpreter without holding the loop.

        There every attempt has a deadline that is over: the queue's own flags stay as they are,
        which others may share.
        """
        task = self.task
        if not task.sysif.same_thread:
            with given(task, deadline) as until:
                return await attempt(until.address)
        with given(task, PAST) as past:
            while True:
                try:
                    return await attempt(past.address)
                except TimeoutError:
                    left = remaining(deadline)
                    if left <= 0:
                        raise
                with trio.move_on_after(left):
                    await task.sysif.wait_ready(self.near.number, events)

    @overload
    async def mq_getattr(self) -> MqAttr: ...

    @overload
    async def mq_getattr(self, into: Pointer[MqAttr]) -> Pointer[MqAttr]: ...

    async def mq_getattr(self, into: Pointer[MqAttr] | None = None) -> MqAttr | Pointer[MqAttr]:
        """Return how large the queue is, and how many messages are in it. ``mq_getattr(3)``."""
        with self.borrow() as near_id, room(self.task, struct_of(MqAttr), into) as there:
            await near_ipc.mq_getsetattr(self.task.sysif, near_id, None, there.address)
            return there.result()

    @overload
    async def mq_setattr(self, new: MqAttr | Pointer[MqAttr]) -> MqAttr: ...

    @overload
    async def mq_setattr(
        self, new: MqAttr | Pointer[MqAttr], into: Pointer[MqAttr]
    ) -> Pointer[MqAttr]: ...

    async def mq_setattr(
        self, new: MqAttr | Pointer[MqAttr], into: Pointer[MqAttr] | None = None
    ) -> MqAttr | Pointer[MqAttr]:
        """Set the flags (only ``O.NONBLOCK`` of them counts); returns the old attributes.

        The flag is of the open file, for all who share it. ``mq_getattr(3)``.
        """
        with (
            self.borrow() as near_id,
            given(self.task, new) as there,
            room(self.task, struct_of(MqAttr), into) as old,
        ):
            await near_ipc.mq_getsetattr(self.task.sysif, near_id, there.address, old.address)
            return old.result()


def remaining(deadline: Limit) -> float:
    """Return for how many seconds to wait."""
    if deadline is None:
        return math.inf
    until = deadline.peek() if isinstance(deadline, Pointer) else deadline
    return (until.ns - time.time_ns()) / SECOND
