"""``task.random``: random bytes of the kernel."""

from __future__ import annotations

from typing import Final, final, overload

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.waiting import BlocksLoopError
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.random_h import GRND
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.ids import fit

__all__ = ["Randomness"]

LARGEST: Final = 1 << 30  # bytes
PIECE: Final = 1 << 16  # bytes: making more at once would hold up the event loop


@final
class Randomness:
    """The system call that gives random bytes."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @overload
    async def getrandom(self, count: int, flags: GRND = ...) -> bytes: ...

    @overload
    async def getrandom(
        self, count: None = ..., flags: GRND = ..., *, into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def getrandom(
        self,
        count: int | None = None,
        flags: GRND = GRND.NONE,
        *,
        into: Pointer[bytes] | None = None,
    ) -> bytes | Pointer[bytes]:
        """Return so many random bytes, or fill all of ``into``; 64 KiB a call. ``getrandom(2)``.

        While the kernel has not gathered any randomness since it was started, a child waits, and
        the interpreter's own task gets BlocksLoopError; with ``GRND.NONBLOCK`` both get
        BlockingIOError.
        """
        task = self._task
        size = 0 if count is None else fit("count", count, 0, LARGEST)
        wanted = flags
        if task.sysif.same_thread and not flags & GRND.INSECURE:
            wanted |= GRND.NONBLOCK
        with room(task, BYTES, into, size) as there:
            done = 0
            while True:
                piece = min(there.size - done, PIECE)
                try:
                    done += await near_host.getrandom(
                        task.sysif, there.address + done, piece, wanted
                    )
                except BlockingIOError:
                    if flags & GRND.NONBLOCK:
                        raise
                    raise BlocksLoopError("getrandom, so soon after the start,") from None
                if done == there.size:
                    return there.result()
