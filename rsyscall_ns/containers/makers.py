"""Which task makes a container, and whether it can."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.tasks.task import Task

from .errors import ContainerArgumentError
from .options import Options
from .streams import Three

__all__ = ["check_maker", "passed", "task_of_fds"]


def check_maker(task: Task[Any], options: Options, *, callable_: bool) -> None:
    """Refuse streams, and callables, where the parent is no task of this interpreter."""
    if callable_ and options.init:
        raise ContainerArgumentError("init", "a callable is process 1 itself: start a command")
    if task.sysif.same_thread:
        return
    if callable_:
        raise ContainerArgumentError(
            repr(task), "a callable is made by this interpreter: leave task out"
        )
    if any(one is not None for one in options.streams):
        raise ContainerArgumentError(
            repr(task), "a container that a child makes has the child's streams: leave them out"
        )


def task_of_fds(options: Options) -> Task[Any] | None:
    """Return the interpreter's task that a given fd belongs to: that can make it as well."""
    for given in (*options.pass_fds, *options.streams):
        if isinstance(given, FileDescriptor):
            task = given.task
            if isinstance(task, Task) and task.sysif.same_thread:
                return task  # pyright: ignore[reportUnknownVariableType] - of either kind
    return None


@asynccontextmanager
async def passed(streams: Three, task: Task[Any], maker: Task[Any]) -> AsyncGenerator[Three, None]:
    """Give what a maker calls streams of ours: copies, which are closed when the block is left."""
    if maker is task:
        yield streams
        return
    async with AsyncExitStack() as undo:
        copies: dict[FileDescriptor, FileDescriptor] = {}
        for one in streams:
            if one is not None and one not in copies:
                copies[one] = await one.pass_to(maker)
                undo.push_async_callback(close, copies[one])
        stdin, stdout, stderr = (None if one is None else copies[one] for one in streams)
        yield stdin, stdout, stderr


async def close(fd: FileDescriptor) -> None:
    """Close one. Not cancellable: what was started meanwhile is to be kept."""
    with trio.CancelScope(shield=True):
        await fd.close()
