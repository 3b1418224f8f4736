"""Programs that are exec'd by an fd: what is refused of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near.calls import rw as near_rw
from rsyscall_ns.near.errors import RsyscallError

from .command import Command

__all__ = ["ExecFDError", "check_script", "executable_fd"]

MARK: Final = b"#!"
STREAMS: Final = 3


class ExecFDError(RsyscallError):
    """A program was to be exec'd by an fd, in a way that can't work."""

    def __init__(self, fd: FileDescriptor, why: str) -> None:
        super().__init__(f"exec of {fd}: {why}")


def executable_fd(
    command: Command, streams: Sequence[FileDescriptor | None], *, init: bool = False
) -> FileDescriptor | None:
    """Return the fd of a command that is exec'd by one, or refuse it."""
    fd = command.executable
    if not isinstance(fd, FileDescriptor):
        return None
    if init:
        raise ExecFDError(fd, "process 1 starts what has a path: leave init out")
    if command.elsewhere:
        raise ExecFDError(fd, "paths to be tried after it can't be: leave elsewhere out")
    if fd.near.number < STREAMS and streams[fd.near.number] is not None:
        raise ExecFDError(fd, "a stream takes its place before: duplicate it first")
    return fd


async def check_script(task: MemoryTask, fd: FileDescriptor | None, passed: Sequence[int]) -> None:
    """Refuse a script that its interpreter could not open: the fd closes when that is exec'd."""
    if fd is None or fd.near.number in passed:
        return
    mark = b""
    with (
        suppress(OSError),  # it may not be read: then exec tells
        fd.borrow(task) as near_id,
        task.transient(len(MARK)) as there,
    ):
        got = await near_rw.pread64(task.sysif, near_id, there.address, len(MARK), 0)
        mark = there.read(0, got)
    if mark == MARK:
        raise ExecFDError(
            fd, "it is a script, for whose interpreter the fd must stay open: pass_fds=[fd]"
        )
