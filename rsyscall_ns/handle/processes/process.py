"""Process: any process, by its id. Nothing that is done to it is race-free."""

from __future__ import annotations

from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.signal_h import check_signal
from rsyscall_ns.near.calls import process as near_process

from .process_tracing import TraceableProcess

__all__ = ["Process"]


class Process(TraceableProcess):
    """A process that need not be a child of ours.

    Its id may be given to another process as soon as it was reaped by whoever its parent is: a
    signal sent through this object can hit a stranger. A ``ChildProcess`` can't.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.near.id}, parent=<{self.task!r}>)"

    def another(self, near_id: ids.Process) -> Process:
        """Return another process, seen from the same task."""
        return Process(self.task, near_id)

    async def kill(self, sig: int) -> None:
        """Signal the process. Not safe against reuse of its id. ``kill(2)``."""
        await near_process.kill(self.task.sysif, self.checked_id().id, check_signal(sig))

    async def killpg(self, sig: int) -> None:
        """Signal the process group that this process leads. Not safe either. ``kill(2)``."""
        await near_process.kill(self.task.sysif, -self.checked_id().id, check_signal(sig))
