"""Process: any process, by its id. Only signals and priorities, and none of it race-free."""

from __future__ import annotations

from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.signal_h import check_signal
from rsyscall_ns.near.calls import process as near
from rsyscall_ns.near.ids import fit

from .context import MemoryTask

__all__ = ["PRIO_PROCESS", "Process"]

PRIO_PROCESS = 0
NICE = (-20, 19)


class Process:
    """A process that need not be a child of ours.

    Its id may be given to another process as soon as it was reaped by whoever its parent is: a
    signal sent through this object can hit a stranger. A ``ChildProcess`` can't.
    """

    __slots__ = ("__weakref__", "near", "pid_namespace", "task")

    def __init__(self, task: MemoryTask, near_id: ids.Process) -> None:
        self.task = task
        self.near = near_id
        self.pid_namespace = task.pid_namespace

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.near.id}, parent=<{self.task!r}>)"

    def _id(self) -> int:
        self.task.check_pid_namespace(self, self.pid_namespace)
        return self.near.id

    async def kill(self, sig: int) -> None:
        """Signal the process. Not safe against reuse of its id. ``kill(2)``."""
        await near.kill(self.task.sysif, self._id(), check_signal(sig))

    async def killpg(self, sig: int) -> None:
        """Signal the process group that this process leads. Not safe either. ``kill(2)``."""
        await near.kill(self.task.sysif, -self._id(), check_signal(sig))

    async def getpgid(self) -> ids.ProcessGroup:
        """Return the process's group. ``getpgid(2)``."""
        return await near.getpgid(self.task.sysif, self._id())

    async def setpriority(self, prio: int) -> None:
        """Set the nice value, -20 (most favoured) to 19. ``setpriority(2)``."""
        nice = fit("nice value", prio, *NICE)
        await near.setpriority(self.task.sysif, PRIO_PROCESS, self._id(), nice)

    async def getpriority(self) -> int:
        """Return the nice value, -20 to 19. ``getpriority(2)``."""
        # the kernel gives 20 - nice, so that an error can be told from a value
        return 20 - await near.getpriority(self.task.sysif, PRIO_PROCESS, self._id())
