"""How a child's readiness to be waited for becomes known."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import final

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.near.abi.wait_h import W
from rsyscall_ns.transport.hub import Hub

from .states import StateWaiter

__all__ = ["ChildReadiness", "ChildWatcher"]


@final
class ChildReadiness:
    """Waits for one child: for its death by its pidfd, for stops by a waiting thread."""

    __slots__ = ("_hub", "_owned", "_pidfd", "_states", "poll_fd")

    def __init__(self, hub: Hub, states: StateWaiter, pidfd: PidFD, poll_fd: int) -> None:
        """``poll_fd``: the pidfd's number in this interpreter; owned if it is a copy."""
        self._hub = hub
        self._states = states
        self._pidfd = pidfd
        self.poll_fd = poll_fd
        self._owned = not pidfd.task.sysif.same_thread

    async def wait(self, options: W) -> None:
        """Return when a waitid with these options is worth trying."""
        if options & (W.STOPPED | W.CONTINUED):
            await self._states.wait(self._pidfd.near.number, options & ~(W.NOHANG | W.NOWAIT))
        else:
            await self._hub.wait_ready(self.poll_fd)

    def is_dead(self) -> bool:
        """Return whether the child has died, without waiting."""
        poller = select.poll()
        poller.register(self.poll_fd, select.POLLIN)
        return bool(poller.poll(0))

    def kill(self) -> None:
        """Send SIGKILL from this interpreter; PermissionError when it is another user's."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.poll_fd, signal.SIGKILL)

    def close(self) -> None:
        """Close the copy of the pidfd, if it is one. Idempotent."""
        number, self.poll_fd = self.poll_fd, -1  # it may be another process's from now on
        if self._owned and number >= 0:
            os.close(number)


@final
class ChildWatcher:
    """Makes the readiness of a task's children; one for each task that has any."""

    __slots__ = ("hub", "states")

    def __init__(self, hub: Hub, states: StateWaiter) -> None:
        self.hub = hub
        self.states = states

    async def watch(self, pidfd: PidFD | None) -> ChildReadiness:
        """Return the readiness of the process that ``pidfd`` refers to."""
        assert pidfd is not None, "every child of ours has one"
        number = pidfd.near.number
        if not pidfd.task.sysif.same_thread:
            number = await pidfd.task.sysif.export_fd(number)
        return ChildReadiness(self.hub, self.states, pidfd, number)
