"""``task.mq``: POSIX message queues, by their names."""

from __future__ import annotations

from typing import final

import trio

from rsyscall_ns.handle.kinds.mq import MqFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, path_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.mqueue_h import MqAttr
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.errors import PathError
from rsyscall_ns.near.ids import fit

__all__ = ["MessageQueues"]

MODE_LIMIT = 0o7777


@final
class MessageQueues:
    """System calls on message queues of the task's ipc namespace."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def mq_open(
        self,
        name: str | Pointer[bytes],
        flags: int = O.RDWR,
        mode: int = 0o600,
        attr: MqAttr | Pointer[MqAttr] | None = None,
    ) -> MqFD:
        """Open a queue, or make it (``O.CREAT``), close-on-exec. ``mq_open(3)``.

        ``name``: begins with the only slash in it. ``attr``: how many messages of how many bytes
        a new one takes; None is what the namespace has set.
        """
        fit("mode", mode, 0, MODE_LIMIT)
        task = self._task
        await task.sweep()
        with path_given(task, queue_name(name)) as there, given(task, attr) as how:
            made = await near_ipc.mq_open(
                task.sysif, there.address, flags | O.CLOEXEC, mode, how.address
            )
            return MqFD(task, made)

    async def mq_unlink(self, name: str | Pointer[bytes]) -> None:
        """Remove a queue's name; the queue goes with its last fd. ``mq_unlink(3)``."""
        with path_given(self._task, queue_name(name)) as there:
            await near_ipc.mq_unlink(self._task.sysif, there.address)


def queue_name(name: str | Pointer[bytes]) -> str | Pointer[bytes]:
    """Return a name as the kernel takes it, which is without the slash; a pointer has none."""
    if isinstance(name, Pointer):
        return name
    if not name.startswith("/") or "/" in name[1:] or name == "/":
        raise PathError(name, "is no name of a message queue: it begins with its only slash")
    return name[1:]
