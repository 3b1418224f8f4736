"""What a ChildProcess needs to wait without blocking; the tasks layer implements it."""

from __future__ import annotations

from typing import Protocol

from rsyscall_ns.near.abi.wait_h import ChildState

__all__ = ["Readiness"]


class Readiness(Protocol):
    """Tells when a waitid would report something. Owned by one ChildProcess."""

    async def wait(self, options: int) -> None:
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
