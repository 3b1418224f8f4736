"""The interpreter's own task, where all other tasks come from."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from rsyscall_ns.handle.processes.process import Process
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import NO_FLAGS
from rsyscall_ns.transport.direct import DirectInterface
from rsyscall_ns.transport.hub import acquire_hub

from .task import Task

__all__ = ["open_local_task"]


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def open_local_task() -> AsyncGenerator[Task[Process], None]:
    """Open the task of this interpreter, in this thread's trio run.

    Leaving the block ends every child that was made from it, and closes every fd and frees all
    memory that was opened through it.
    """
    await trio.lowlevel.checkpoint()
    hub = acquire_hub()
    arena = Arena()
    direct = DirectInterface(arena, hub)
    task: Task[Process] = Task(direct, ids.Process(os.getpid()), None, NO_FLAGS, arena, hub)
    try:
        yield task
    finally:
        try:
            await task.end()
        finally:
            direct.close()
            arena.close()
            hub.release()
