"""How a child's readiness to be waited for becomes known."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable
from typing import Any, Final, final

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.near.abi.wait_h import ChildState, W
from rsyscall_ns.near.reap import wait_here
from rsyscall_ns.transport.hub import Hub, is_ready

from .states import StateWaiter

__all__ = ["ChildReadiness", "ChildWatcher", "reap_orphan"]

STATES: Final = int(W.STOPPED | W.CONTINUED)
MODIFIERS: Final = int(W.NOHANG | W.NOWAIT)


def reap_orphan(pidfd: int) -> ChildState | None:
    """Take the status of a dead process, if orphans are given to this interpreter; else None."""
    try:
        return wait_here(pidfd, os.WEXITED)
    except ChildProcessError:
        return None  # whoever else they are given to has it


@final
class ChildReadiness:
    """Waits for one child: for its death by its pidfd, for stops by a waiting thread."""

    __slots__ = ("_owned", "_pidfd", "_watcher", "poll_fd")

    def __init__(self, watcher: ChildWatcher, pidfd: PidFD, poll_fd: int, *, owned: bool) -> None:
        """``poll_fd``: the pidfd's number in this interpreter; ``owned`` if it is a copy."""
        self._watcher = watcher
        self._pidfd = pidfd
        self.poll_fd = poll_fd
        self._owned = owned

    def wait(self, options: int) -> Awaitable[None]:
        """Return when a waitid with these options is worth trying."""
        if options & STATES:
            return self._watcher.states.wait(self._pidfd.near.number, options & ~MODIFIERS)
        return self._watcher.hub.wait_ready(self.poll_fd)

    def is_dead(self) -> bool:
        """Return whether the child has died, without waiting."""
        return is_ready(self.poll_fd)

    def kill(self) -> None:
        """Send SIGKILL from this interpreter; PermissionError when it is another user's."""
        try:
            signal.pidfd_send_signal(self.poll_fd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:
            if not self.is_dead():
                raise

    def reap(self) -> ChildState | None:
        """Take the status of a dead child whose parent has died and left it to us; else None."""
        return reap_orphan(self.poll_fd)

    def close(self) -> None:
        """Close the copy of the pidfd, if it is one. Idempotent."""
        number, self.poll_fd = self.poll_fd, -1  # it may be another process's from now on
        if self._owned and number >= 0:
            os.close(number)


@final
class ChildWatcher:
    """Makes the readiness of a task's children; one for each task."""

    __slots__ = ("_states", "_task", "hub")

    def __init__(self, task: ProcessTask[Any], hub: Hub) -> None:
        self._task = task
        self._states: StateWaiter | None = None
        self.hub = hub

    @property
    def states(self) -> StateWaiter:
        """What waits for stops and continues of the task's children."""
        if self._states is None:
            self._states = StateWaiter(self._task, self.hub)
        return self._states

    @property
    def idle(self) -> bool:
        """Whether nothing was ever waited for that needs to be ended."""
        return self._states is None

    async def close(self) -> None:
        """End what waits; the children must be dead."""
        if self._states is not None:
            await self._states.close()

    async def watch(self, pidfd: PidFD | None) -> ChildReadiness:
        """Return the readiness of the process that ``pidfd`` refers to."""
        assert pidfd is not None, "every child of ours has one"
        if pidfd.task.sysif.same_thread:
            return self.watch_here(pidfd)
        number = await pidfd.task.sysif.export_fd(pidfd.near.number)
        return ChildReadiness(self, pidfd, number, owned=True)

    def watch_here(self, pidfd: PidFD | None) -> ChildReadiness:
        """Do the same for a pidfd of this interpreter's own."""
        assert pidfd is not None, "every child of ours has one"
        return ChildReadiness(self, pidfd, pidfd.near.number, owned=False)
