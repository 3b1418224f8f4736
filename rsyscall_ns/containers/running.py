"""Running: what was started, and how it is ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import final

import trio
from attrs import frozen

from rsyscall_ns.handle.processes.child import ChildProcess

from .callables.called import Called

__all__ = ["Running", "ended_by_errors"]


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


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def ended_by_errors() -> AsyncGenerator[list[Running]]:
    """Give a list for what is started in the block: it is ended if an error leaves that."""
    started: list[Running] = []
    try:
        yield started
    except BaseException:
        for running in started:
            await running.close()
        raise
