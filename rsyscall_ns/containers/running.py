"""Running: what was started, and how it is ended."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import final

from attrs import frozen

from rsyscall_ns.handle.processes.child import ChildProcess

from .callables.called import Called

__all__ = ["Running"]


@final
@frozen
class Running:
    """What was started: its process, the scope that ends it, and the channel of a callable."""

    process: ChildProcess
    scope: AbstractAsyncContextManager[object]
    called: Called | None = None

    async def close(self) -> None:
        """Kill and reap it, if it is not dead. Not cancellable. Idempotent."""
        await self.scope.__aexit__(None, None, None)

    def let_go(self) -> None:
        """Leave the process alone from now on: nobody waits for it, nobody ends it."""
        process = self.process
        process.task.children.discard(process)
        process.abandon()
        if process.pidfd is not None:
            process.pidfd.close_now()
