"""Interpreters beside us that start programs: ``python -m tests.bench.workers ROLE``.

``asyncio``: as asyncio does it; its loop and ours can't share a thread.
``heap MEBIBYTES``: in a process that has so much memory, and has touched all of it.

Each answers lines ``NAME COUNT`` with the nanoseconds that one takes.
"""

from __future__ import annotations

import asyncio
import gc
import mmap
import os
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Final

import trio

from rsyscall_ns import open_local_task

from .answers import Answers, start_answers
from .programs import ARGUMENTS, PATH, posix_spawn, steered

__all__ = ["start_worker"]

Operation = Callable[[], Awaitable[object]]
KIB: Final = 1 << 10
MEBIBYTE: Final = 1 << 20
SPARE: Final = 512  # MiB


@contextmanager
def start_worker(*role: str) -> Generator[Answers, None, None]:
    """Start one; leaving the block ends it."""
    command = [sys.executable, "-m", __name__, *role]
    with start_answers(f"worker {' '.join(role)}", command) as answers:
        yield answers


async def answer(operations: Mapping[str, Operation]) -> None:
    """Measure what is asked for until there is no more question."""
    gc.collect()
    gc.disable()
    for line in sys.stdin:
        name, count = line.split()
        operation, times = operations[name], int(count)
        start = perf_counter_ns()
        for _ in range(times):
            await operation()
        print((perf_counter_ns() - start) / times, flush=True)


async def by_asyncio() -> None:
    """Start a program as asyncio does."""
    process = await asyncio.create_subprocess_exec(PATH)
    await process.wait()


def by_fork() -> None:
    """Start a program by fork and exec: the child has a copy of all our page tables."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(PATH, ARGUMENTS)  # noqa: S606 - no shell is what is measured
        finally:
            os._exit(127)
    os.waitpid(pid, 0)


def awaited(operation: Callable[[], object]) -> Operation:
    """Make it something to be awaited."""

    async def run() -> None:
        operation()

    return run


def touched(size: int) -> mmap.mmap:
    """Return so much memory, with something in each page of it."""
    heap = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # ordinary pages, as the heap of an interpreter has that was filled bit by bit
    with suppress(OSError):  # a kernel without huge pages
        heap.madvise(mmap.MADV_NOHUGEPAGE)
    for offset in range(0, size, mmap.PAGESIZE):
        heap[offset] = 1
    return heap


def free_memory() -> int:
    """Return how many bytes can be had without anybody being driven out."""
    lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) * KIB


async def with_heap(mebibytes: int) -> None:
    """Start programs while we have a large heap."""
    if free_memory() < (mebibytes + SPARE) * MEBIBYTE:
        print(f"- there is no memory for a heap of {mebibytes} MiB")
        return
    heap = touched(mebibytes * MEBIBYTE) if mebibytes else None

    async with open_local_task() as local:
        spawn = partial(steered, local)
        await answer(
            {"spawn": spawn, "fork": awaited(by_fork), "posix_spawn": awaited(posix_spawn)}
        )
    if heap is not None:
        heap.close()


def main(role: str, *options: str) -> None:
    """Do what a role is for."""
    if role == "asyncio":
        asyncio.run(answer({"run": by_asyncio}))
    else:
        trio.run(with_heap, int(options[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
