"""What a ChildProcess needs to wait without blocking; the tasks layer implements it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.near.abi.wait_h import ChildState

__all__ = ["Readiness", "Watcher", "Watching"]


class Readiness(Protocol):
    """Tells when a waitid would report something. Owned by one ChildProcess."""

    def wait(self, options: int) -> Awaitable[None]:
        """Return when a waitid with these ``W`` options is worth trying; borrows nothing."""
        ...

    def kill(self) -> None:
        """Send SIGKILL from this interpreter, whatever the parent task is doing."""
        ...

    def reap(self) -> ChildState | None:
        """Take the status of a dead child whose parent has died and left it to us; else None."""
        ...

    def close(self) -> None:
        """Release what it owns. Idempotent."""
        ...


class Watcher(Protocol):
    """Makes what a process needs to be waited for; the tasks layer implements it."""

    async def watch(self, pidfd: PidFD) -> Readiness:
        """Return the readiness of the process that ``pidfd`` refers to."""
        ...


@runtime_checkable
class Watching(Protocol):
    """A task that can wait for processes."""

    watcher: Watcher
