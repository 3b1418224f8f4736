"""A pid namespace in which the next process id can be chosen, also by an ordinary user."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from rsyscall_ns import CLONE, SYS, O, Task

__all__ = ["next_pid", "pid_namespace", "take_status"]

LAST_PID: Final = "/proc/sys/kernel/ns_last_pid"


@asynccontextmanager
async def pid_namespace(local: Task) -> AsyncGenerator[Task, None]:
    """Give the first process of a pid namespace, which sees its own ``/proc``."""
    flags = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True) as first:
        await first.mount.mount("proc", "/proc", "proc")
        yield first


async def next_pid(first: Task, pid: int) -> None:
    """Have the kernel give this id next, if it is free."""
    async with await first.fs.open(LAST_PID, O.WRONLY) as file:
        await file.write_all(str(pid - 1).encode())


async def take_status(first: Task) -> None:
    """Reap any child of ``first``, behind its handle's back."""
    assert await first.sysif.call(SYS.wait4, 2**64 - 1, 0, 0, 0) > 0
