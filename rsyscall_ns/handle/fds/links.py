"""What an fd is, by the text that ``/proc`` has for it."""

from __future__ import annotations

import os
from typing import Final

from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.passing import path_given
from rsyscall_ns.near.calls import path as near_path

from .fd import FileDescriptor

__all__ = ["check_link", "link_text"]

ROOM: Final = 4096


async def link_text(fd: FileDescriptor) -> str:
    """Return what the fd's link says: a path, or ``anon_inode:...``. ``proc_pid_fd(5)``."""
    task = fd.task
    with (
        fd.borrow() as near_id,
        path_given(task, f"/proc/thread-self/fd/{near_id.number}") as path,
        task.transient(ROOM) as there,
    ):
        got = await near_path.readlinkat(task.sysif, None, path.address, there.address, ROOM)
        return os.fsdecode(there.read(0, got))


async def check_link(fd: FileDescriptor, kind: str, text: str) -> None:
    """Raise FDKindError unless the fd's link says ``text``."""
    found = await link_text(fd)
    if found != text:
        raise FDKindError(fd, kind, f"it is {found}")
