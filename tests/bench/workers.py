"""Interpreters beside us that start programs: ``python -m tests.bench.workers ROLE``.

``asyncio``: as asyncio does it; its loop and ours can't share a thread.
``heap MEBIBYTES``: in a process that has so much memory, and has touched all of it.
``flight LANES``: always so many at the same time.

Each answers lines ``NAME COUNT`` with what ``answers.py`` reads.
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
from time import perf_counter
from typing import Final

import trio

from rsyscall_ns import open_local_task

from .answers import Answers, start_answers
from .callables import called
from .measure import seconds
from .programs import ARGUMENTS, PATH, fly, launched, posix_spawn, steered

__all__ = ["start_worker"]

Measure = Callable[[int], Awaitable[float]]  # of how many; seconds for one
KIB: Final = 1 << 10
MEBIBYTE: Final = 1 << 20
SPARE: Final = 512  # MiB


@contextmanager
def start_worker(*role: str) -> Generator[Answers, None, None]:
    """Start one; leaving the block ends it."""
    command = [sys.executable, "-m", __name__, *role]
    with start_answers(f"worker {' '.join(role)}", command) as answers:
        yield answers


async def answer(measures: Mapping[str, Measure]) -> None:
    """Measure what is asked for until there is no more question."""
    for line in sys.stdin:
        name, count = line.split()
        print(1e9 * await measures[name](int(count)), flush=True)


def one_by_one(operation: Callable[[], Awaitable[object]]) -> Measure:
    """Measure something that is awaited."""

    async def measure(count: int) -> float:
        return await seconds(count, operation)

    return measure


def immediate(operation: Callable[[], object]) -> Measure:
    """Measure something that is not."""

    async def measure(count: int) -> float:
        start = perf_counter()
        for _ in range(count):
            operation()
        return (perf_counter() - start) / count

    return measure


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
    gc.collect()
    gc.disable()
    async with open_local_task() as local:
        await answer(
            {
                "launch": one_by_one(partial(launched, local)),
                "spawn": one_by_one(partial(steered, local)),
                "fork": immediate(by_fork),
                "posix_spawn": immediate(posix_spawn),
                "call": one_by_one(partial(called, local, "three")),
            }
        )
    if heap is not None:
        heap.close()


def open_fds() -> int:
    """Return how many fds we have open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def in_flight(lanes: int) -> None:
    """Start programs, always so many at the same time; garbage is collected as always."""
    spent = 0.0

    async def measure(count: int) -> float:
        nonlocal spent
        clock, spent = await fly(partial(steered, local), count, lanes)
        return clock

    async def processor(_: int) -> float:
        return spent

    async def fds(_: int) -> float:
        return open_fds()

    async with open_local_task() as local:
        await answer({"fly": measure, "processor": processor, "fds": fds})


def main(role: str, option: str = "0") -> None:
    """Do what a role is for."""
    if role == "asyncio":
        asyncio.run(answer({"run": one_by_one(by_asyncio)}))
    else:
        trio.run({"heap": with_heap, "flight": in_flight}[role], int(option))


if __name__ == "__main__":
    main(*sys.argv[1:])
