"""What the streams do with their fds: one task at a time, and with the errors of trio's streams."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from typing import final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.socket_messages import Ancillary, Rights
from rsyscall_ns.handle.kinds.sockets import SocketFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.fd_errors import FDClosedError
from rsyscall_ns.near.errors import TaskLostError

__all__ = ["Using", "as_trio_does", "at_most", "closed", "lent", "ready", "receive_some"]
__all__ += ["send_all"]

PART = 1 << 18  # bytes at once: what is handed over is copied
RECEIVED = 1 << 16
MOST = 1 << 20  # bytes at once: there is memory for as many as are asked for


@final
class Using:
    """``with``: one task at a time uses this direction of a stream, and it is open."""

    __slots__ = ("_used", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._used = False

    def __enter__(self) -> None:
        if self._used:
            raise trio.BusyResourceError(f"another task is {self._what} this stream")
        self._used = True

    def __exit__(self, *_: object) -> None:
        self._used = False


@contextmanager
def as_trio_does() -> Generator[None, None, None]:
    """Raise what trio's own streams raise: closed here, or broken by the peer."""
    try:
        yield
    except (FDClosedError, TaskLostError) as error:
        raise trio.ClosedResourceError("this stream was closed") from error
    except OSError as error:
        raise trio.BrokenResourceError(str(error)) from error


async def send_all(fd: FileDescriptor, data: bytes | bytearray | memoryview) -> None:
    """Write everything."""
    await trio.lowlevel.checkpoint()
    with as_trio_does(), memoryview(data) as given, given.cast("B") as view:
        at = 0
        near = fd.near  # closed: refused, also where there is nothing to send
        assert near.number >= 0, "the number of an open fd"
        while at < len(view):
            part = bytes(view[at : at + PART])
            at += await (fd.send(part) if isinstance(fd, SocketFD) else fd.write(part))


async def receive_some(fd: FileDescriptor, max_bytes: int | None) -> bytes:
    """Read what is there."""
    count = at_most(max_bytes)
    await trio.lowlevel.checkpoint()
    with as_trio_does():
        return await (fd.recv(count) if isinstance(fd, SocketFD) else fd.read(count))


def at_most(max_bytes: int | None) -> int:
    """Return how many bytes to receive."""
    count = RECEIVED if max_bytes is None else max_bytes
    if not isinstance(count, int):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked callers
        raise TypeError("max_bytes must be an int or None")
    if count < 1:
        raise ValueError("max_bytes must be at least 1")
    return min(count, MOST)


async def lent(item: Ancillary, task: MemoryTask, copies: AsyncExitStack) -> Ancillary:
    """Return what goes with a message with copies of the fds that are not of the task's table."""
    if not isinstance(item, Rights):
        return item
    return Rights(
        [
            fd
            if fd.table is task.fd_table
            else await copies.enter_async_context(await fd.pass_to(task))
            for fd in item.fds
        ]
    )


async def ready(fd: FileDescriptor, events: int) -> None:
    """Wait until a fd is ready, or was closed."""
    await trio.lowlevel.checkpoint()
    with as_trio_does():
        await fd.task.sysif.wait_ready(fd.near.number, events)
        _ = fd.near  # closed meanwhile


async def closed(fd: FileDescriptor) -> None:
    """Close it, cancelled or not, and wake those that wait for it."""
    try:
        with trio.CancelScope(shield=True):
            await fd.close()
    finally:
        await trio.lowlevel.checkpoint()
