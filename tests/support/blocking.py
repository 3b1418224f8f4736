"""Knowing, without sleeping, that a process blocks in a system call."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from rsyscall_ns import SYS, Task

__all__ = ["cancelled_in", "current_call", "until_blocked", "until_it_waits", "waits_for"]


def current_call(pid: int) -> int | None:
    """Return the number of the system call that a process is blocked in, None if it runs."""
    text = Path(f"/proc/{pid}/syscall").read_text(encoding="ascii")
    first = text.split()[0]
    return None if first == "running" else int(first)


async def until_blocked(task: Task, number: int = SYS.read) -> None:
    """Return once the task's process is blocked in this system call."""
    while current_call(task.process.near.id) != number:
        await trio.lowlevel.checkpoint()


def waits_for(task: Task, word: int) -> bool:
    """Return whether the first argument of the call that the task is in is this address."""
    text = Path(f"/proc/{task.process.near.id}/syscall").read_text(encoding="ascii")
    return hex(word) in text.split()[1:2]


async def until_it_waits(task: Task, word: int) -> None:
    """Return once the task waits for a futex that is not its own."""
    while not waits_for(task, word):
        await trio.lowlevel.checkpoint()


async def cancelled_in(
    task: Task, call: Callable[[], Awaitable[object]], blocked: Callable[[], Awaitable[None]]
) -> None:
    """Cancel a call once it is blocked; see that this ends it, and that the task goes on."""

    async def make() -> None:
        await call()

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(make)
            await blocked()
            scope.cancel()
    assert scope.cancelled_caught
    assert await task.cred.getuid() == os.getuid()
