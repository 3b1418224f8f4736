"""Ways to run ``/bin/true`` and wait for its end, and a way to run many at a time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import Final

import trio

from rsyscall_ns import CLONE, Command, NamespaceNotAllowedError, Task

from .measure import UnavailableError

__all__ = [
    "ARGUMENTS",
    "NONE",
    "PATH",
    "SEVEN",
    "THREE",
    "TRUE",
    "fly",
    "in_thread",
    "launched",
    "posix_spawn",
    "ran",
    "run_process",
    "run_true",
    "steered",
]

PATH: Final = "/bin/true"
ARGUMENTS: Final = ["true"]
TRUE: Final = Command(PATH, ARGUMENTS)
NONE: Final = CLONE(0)
THREE: Final = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS
SEVEN: Final = THREE | CLONE.NEWNET | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWCGROUP


async def steered(local: Task, namespaces: CLONE = NONE) -> None:
    """Spawn a child, which execs, and wait for it."""
    try:
        async with local.spawn(namespaces) as child:
            process = await child.exec(TRUE)
            await process.check()
    except NamespaceNotAllowedError as error:
        raise UnavailableError(str(error)) from error


async def ran(local: Task, namespaces: CLONE = NONE) -> None:
    """Run a program to its end, and ask only then how it went."""
    try:
        await local.launch(TRUE, namespaces).run()
    except NamespaceNotAllowedError as error:
        raise UnavailableError(str(error)) from error


async def launched(local: Task, namespaces: CLONE = NONE) -> None:
    """Launch a program, with nothing asked of the child in between, and wait for it."""
    try:
        async with local.launch(TRUE, namespaces) as process:
            await process.check()
    except NamespaceNotAllowedError as error:
        raise UnavailableError(str(error)) from error


def posix_spawn() -> None:
    """Take the standard library's shortest way."""
    os.waitpid(os.posix_spawn(PATH, ARGUMENTS, os.environ), 0)


def run_true() -> None:
    """Take the standard library's usual way."""
    subprocess.run([PATH], check=True)


async def in_thread() -> None:
    """Take the usual way without holding the event loop."""
    await trio.to_thread.run_sync(run_true)


async def run_process() -> None:
    """Take trio's way."""
    await trio.run_process([PATH])


async def fly(
    operation: Callable[[], Awaitable[object]], total: int, lanes: int
) -> tuple[float, float]:
    """Do it ``total`` times, always ``lanes`` of them at the same time.

    Returns the seconds that one takes, by the clock and of our own processor time.
    """
    left = total

    async def lane() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await operation()

    clock, processor = perf_counter(), process_time()
    async with trio.open_nursery() as nursery:
        for _ in range(lanes):
            nursery.start_soon(lane)
    return (perf_counter() - clock) / total, (process_time() - processor) / total
