"""SysVObject: what queues, semaphores and segments of System V have in common.

They have no fd and belong to no process: one that nobody removes lasts until its ipc namespace
ends. States of an object::

    there --remove--> removed     (by this handle; every use of it raises SysVRemovedError)

One that others have removed fails with the kernel's EINVAL or EIDRM.
"""

from __future__ import annotations

from abc import abstractmethod
from errno import EIDRM, EINVAL
from typing import ClassVar, Final, Self, final

import trio

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.memory.serializers import Serializer
from rsyscall_ns.near.abi.ipc_h import IPC, IPC_CTL, IPC_PRIVATE
from rsyscall_ns.near.abi.msg_h import SysVMessage
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import Address, IpcObject, fit
from rsyscall_ns.transport.pace import pace

__all__ = ["SYSV_MESSAGE", "SysVObject", "SysVRemovedError", "get_flags", "is_new"]

GONE: Final = frozenset({EIDRM, EINVAL})
MODE_LIMIT: Final = 0o777


class SysVRemovedError(RsyscallError):
    """A System V object was used after it had been removed by this handle."""

    def __init__(self, what: object) -> None:
        super().__init__(f"{what} was removed: get another one by task.ipc")


@final
class MessageSerializer:
    """``struct msgbuf``."""

    size = 0

    def to_bytes(self, value: SysVMessage) -> bytes:
        """Return type and text."""
        return value.pack()

    def from_bytes(self, data: bytes) -> SysVMessage:
        """Return the message; all that follows the type is its text."""
        return SysVMessage.unpack(data)


SYSV_MESSAGE: Final[Serializer[SysVMessage]] = MessageSerializer()


@final
class SysVBorrow:
    """``with thing.borrow(task) as near_id``."""

    __slots__ = ("_task", "_thing")

    def __init__(self, thing: SysVObject, task: MemoryTask) -> None:
        self._thing = thing
        self._task = task

    def __enter__(self) -> IpcObject:
        near_id = self._thing.near
        self._task.check_ipc_namespace(self._thing, self._thing.namespace)
        return near_id

    def __exit__(self, *_: object) -> None:
        pass  # nothing was taken: the object is the kernel's


class SysVObject:
    """An object of an ipc namespace; its three subclasses are final.

    Leaving its ``async with`` removes it if the call that gave it has surely made it: with
    ``IPC_PRIVATE``, or ``IPC.CREAT | IPC.EXCL``.
    """

    __slots__ = ("__weakref__", "_near", "_removed", "namespace", "owned", "task")

    kind: ClassVar[str] = "System V object"

    def __init__(self, task: MemoryTask, near_id: IpcObject, *, owned: bool = False) -> None:
        """Refer to an object of the task's ipc namespace."""
        self.task = task
        self.namespace = task.ipc_namespace
        self.owned = owned
        self._near = near_id
        self._removed = False

    def __repr__(self) -> str:
        state = ", removed" if self._removed else ""
        return f"{type(self).__name__}({self._near.id}{state}, {self.task!r})"

    @property
    def near(self) -> IpcObject:
        """The near id; raises SysVRemovedError when this handle has removed the object."""
        if self._removed:
            raise SysVRemovedError(self)
        return self._near

    @property
    def valid(self) -> bool:
        """Whether this handle has not removed the object."""
        return not self._removed

    def borrow(self, task: MemoryTask | None = None) -> SysVBorrow:
        """Use the object in a call of ``task`` (default: its own), of the same ipc namespace."""
        return SysVBorrow(self, task or self.task)

    def for_task(self, task: MemoryTask) -> Self:
        """Return one more handle, used through a task of the same ipc namespace; not an owner."""
        with self.borrow(task) as near_id:
            return type(self)(task, near_id)

    @abstractmethod
    async def _control(self, near_id: IpcObject, cmd: int, buf: Address | None) -> int:
        """Make the kind's own ``*ctl`` call."""

    @trio.lowlevel.enable_ki_protection
    async def remove(self) -> None:
        """Remove the object; who waits on it gets EIDRM. Consumes the handle; idempotent.

        IPC_RMID of ``msgctl(2)``, ``semctl(2)``, ``shmctl(2)``.
        """
        await pace()
        if self._removed:
            return
        with self.borrow() as near_id:
            self._removed = True
            try:
                with trio.CancelScope(shield=True):
                    await self._control(near_id, IPC_CTL.RMID, None)
            except BaseException:
                self._removed = False
                raise

    async def __aenter__(self) -> Self:
        return self

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        if not self.owned:
            await pace()
            return
        try:
            with trio.CancelScope(shield=True):
                await self.remove()
        except OSError as error:
            if error.errno not in GONE:
                raise
        await pace()


def get_flags(flags: int, mode: int) -> int:
    """Return the last argument of ``msgget``, ``semget`` and ``shmget``."""
    return flags | fit("mode", mode, 0, MODE_LIMIT)


def is_new(key: int, flags: int) -> bool:
    """Tell whether such a call, when it succeeds, has made the object."""
    both = IPC.CREAT | IPC.EXCL
    return key == IPC_PRIVATE or flags & both == both
