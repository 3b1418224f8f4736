"""SysVQueue: a System V message queue."""

from __future__ import annotations

from errno import EAGAIN, ENOMSG
from typing import ClassVar, Final, final, overload

from rsyscall_ns.handle.patience import asked_again
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.ipc_h import IPC_CTL
from rsyscall_ns.near.abi.msg_h import MSGRCV, MsqidDs, SysVMessage
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.ids import Address, IpcObject, fit

from .sysv import SYSV_MESSAGE, SysVObject

__all__ = ["SysVQueue"]

TYPE_SIZE: Final = 8  # bytes, before the text
LARGEST: Final = 1 << 24  # bytes of a text
FULL: Final = frozenset({EAGAIN})
EMPTY: Final = frozenset({ENOMSG})
WAIT: Final = MSGRCV.NONE


@final
class SysVQueue(SysVObject):
    """A queue of messages that have types; ``task.ipc.msgget`` gives one.

    Waiting can be cancelled. In a child the kernel waits; in the interpreter's own task the
    queue is asked again and again, at least 20 times a second.
    """

    __slots__ = ()
    kind: ClassVar[str] = "message queue"

    async def _control(self, near_id: IpcObject, cmd: int, buf: Address | None) -> int:
        return await near_ipc.msgctl(self.task.sysif, near_id.id, cmd, buf)

    async def msgsnd(
        self, message: SysVMessage | Pointer[SysVMessage], flags: MSGRCV = WAIT
    ) -> None:
        """Send a message; waits while the queue is full, unless ``MSGRCV.NOWAIT``. ``msgop(2)``.

        In a pointer all that follows the type is the text.
        """
        task, here = self.task, self.task.sysif.same_thread
        tried = flags | MSGRCV.NOWAIT if here else flags
        content = message if isinstance(message, Pointer) else message.pack()
        with given(task, content) as there:
            size = fit("size of the message", there.size - TYPE_SIZE, 0, LARGEST)

            async def attempt() -> None:
                with self.borrow() as near_id:
                    await near_ipc.msgsnd(task.sysif, near_id.id, there.address, size, tried)

            await (attempt() if tried == flags else asked_again(attempt, FULL))

    @overload
    async def msgrcv(
        self, size: int = ..., type: int = ..., flags: MSGRCV = ...
    ) -> SysVMessage: ...

    @overload
    async def msgrcv(
        self, size: Pointer[SysVMessage], type: int = ..., flags: MSGRCV = ...
    ) -> Pointer[SysVMessage]: ...

    async def msgrcv(
        self,
        size: int | Pointer[SysVMessage] = 8192,
        type: int = 0,  # noqa: A002 - what the field of a message is called
        flags: MSGRCV = WAIT,
    ) -> SysVMessage | Pointer[SysVMessage]:
        """Take the first message, of at most ``size`` bytes of text. ``msgop(2)``.

        ``type``: 0 any; above 0 only of that type (with ``MSGRCV.EXCEPT`` of any other); below 0
        the lowest type up to its absolute value. Waits until there is one; with
        ``MSGRCV.NOWAIT`` raises ENOMSG. A longer one is E2BIG, with ``NOERROR`` it is cut.
        ``COPY`` leaves it there; ``type`` is its place then. With a pointer: consumes it,
        and returns the part that was filled; the rest is freed.
        """
        task, here = self.task, self.task.sysif.same_thread
        tried = flags | MSGRCV.NOWAIT if here else flags
        into = size if isinstance(size, Pointer) else None
        most = size.size() if isinstance(size, Pointer) else TYPE_SIZE + size
        fit("size", most - TYPE_SIZE, 0, LARGEST)
        with room(task, SYSV_MESSAGE, into, most) as there:

            async def attempt() -> int:
                with self.borrow() as near_id:
                    return await near_ipc.msgrcv(
                        task.sysif, near_id.id, there.address, most - TYPE_SIZE, type, tried
                    )

            got = await (attempt() if tried == flags else asked_again(attempt, EMPTY))
            return there.result(TYPE_SIZE + got)

    @overload
    async def stat(self) -> MsqidDs: ...

    @overload
    async def stat(self, into: Pointer[MsqidDs]) -> Pointer[MsqidDs]: ...

    async def stat(self, into: Pointer[MsqidDs] | None = None) -> MsqidDs | Pointer[MsqidDs]:
        """Return what the queue is and what is in it. IPC_STAT, ``msgctl(2)``."""
        task = self.task
        with self.borrow() as near_id, room(task, struct_of(MsqidDs), into) as there:
            await near_ipc.msgctl(task.sysif, near_id.id, IPC_CTL.STAT, there.address)
            return there.result()

    async def set(self, new: MsqidDs | Pointer[MsqidDs]) -> None:
        """Set ``qbytes``, and of ``perm`` the uid, the gid and the mode. IPC_SET, ``msgctl(2)``."""
        with self.borrow() as near_id, given(self.task, new) as there:
            await near_ipc.msgctl(self.task.sysif, near_id.id, IPC_CTL.SET, there.address)
