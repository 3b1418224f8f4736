"""Knowing, without sleeping, that a process blocks in a system call."""

from __future__ import annotations

from pathlib import Path

import trio

from rsyscall_ns import SYS, Task

__all__ = ["current_call", "until_blocked"]


def current_call(pid: int) -> int | None:
    """Return the number of the system call that a process is blocked in, None if it runs."""
    text = Path(f"/proc/{pid}/syscall").read_text(encoding="ascii")
    first = text.split()[0]
    return None if first == "running" else int(first)


async def until_blocked(task: Task, number: int = SYS.read) -> None:
    """Return once the task's process is blocked in this system call."""
    while current_call(task.process.near.id) != number:
        await trio.lowlevel.checkpoint()
