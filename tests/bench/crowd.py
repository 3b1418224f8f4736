"""Many programs at a time: sixteen started together, and thousands in flight."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import trio
from attrs import frozen

from rsyscall_ns import Task

from .measure import SCALE, Case, Figure, Goal, Outcome, Row, Sample, one, ready, seconds
from .native import Native
from .programs import ARGUMENTS, PATH, run_process, steered

__all__ = ["at_once_cases", "flight_figures"]

AT_ONCE: Final = 16
TOGETHER: Final = f"{AT_ONCE} at once, each"
FLAT: Final = 1.1
PARTS: Final = 10  # of which the first and the last are compared
PEER: Final = 10  # for one of a peer's programs, so many of ours


def together(operation: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """Return what does it in so many tasks."""

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(operation)

    return run


def each(operation: Callable[[], Awaitable[object]]) -> Sample:
    """Measure one of so many."""

    async def sample() -> float:
        return await seconds(1, together(operation)) / AT_ONCE

    return sample


def posix_spawn_together() -> float:
    """Measure starting so many, and waiting for all of them then."""
    start = perf_counter()
    pids = [os.posix_spawn(PATH, ARGUMENTS, os.environ) for _ in range(AT_ONCE)]
    for pid in pids:
        os.waitpid(pid, 0)
    return (perf_counter() - start) / AT_ONCE


def at_once_cases(local: Task, native: Native) -> Sequence[Case]:
    """Return the cases; the first one is ours."""
    floor, peer = "atonce/c", "atonce/posix_spawn"

    def case(key: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if key == floor else floor
        short = "C" if key == floor else title.partition(",")[0]
        return one(Row(key, TOGETHER, title, "ms", short, reference, goals), sample)

    ours, goal = each(partial(steered, local)), Goal(1, peer)
    return [
        case("atonce/spawn", "spawn, exec, check, a task for each", ours, goal),
        case(floor, "C: all vfork and execve, all waitid", native.sample("atonce", AT_ONCE)),
        case(peer, "os.posix_spawn, waitpid", ready(posix_spawn_together)),
        case("atonce/run_process", "trio.run_process, a task for each", each(run_process)),
    ]


@frozen
class Landing:
    """When one of them was done with, by the clock and by our own processor time."""

    clock: float
    processor: float


async def fly(
    operation: Callable[[], Awaitable[object]],
    total: int,
    lanes: int,
    tell: Callable[[int], object],
) -> list[Landing]:
    """Do it ``total`` times, always ``lanes`` at the same time."""
    left = total
    landed: list[Landing] = []

    async def lane() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await operation()
            landed.append(Landing(perf_counter(), process_time()))
            tell(len(landed))

    async with trio.open_nursery() as nursery:
        for _ in range(lanes):
            nursery.start_soon(lane)
    return landed


def by_part(landed: Sequence[Landing], lanes: int) -> list[tuple[float, float]]:
    """Return what one took in each part: by the clock, and of our own processor time.

    The first ``lanes`` landings are left out, when not all have started yet, and the last ones,
    when some lanes have ended.
    """
    steady = landed[lanes - 1 : len(landed) - lanes]
    size = (len(steady) - 1) // PARTS
    marks = [steady[part * size] for part in range(PARTS + 1)]
    return [
        ((end.clock - begin.clock) / size, (end.processor - begin.processor) / size)
        for begin, end in pairwise(marks)
    ]


def open_fds() -> int:
    """Return how many fds we have open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def flight_figures(
    local: Task, total: int, lanes: int, tell: Callable[[int], object]
) -> list[Outcome]:
    """Measure ``total`` of them, ``lanes`` at a time, and what is left of them."""
    before = open_fds()
    landed = await fly(partial(steered, local), total + 2 * lanes, lanes, tell)
    left = open_fds() - before
    clock, processor = zip(*by_part(landed, lanes), strict=True)
    fewer = max(total // PEER, 2 * lanes)
    start = perf_counter()
    theirs = await fly(run_process, fewer, lanes, tell)
    peer = [(theirs[-1].clock - start) / fewer]
    group, size = f"run {total:,} of /bin/true, {lanes} at a time", total // PARTS

    def times(
        key: str, title: str, values: Sequence[float], reference: str | None = None
    ) -> Figure:
        row = Row(f"flight/{key}", group, title, "ms", title, reference)
        return Figure(row, tuple(value * SCALE["ms"] for value in values))

    def flat(key: str, title: str, values: Sequence[float]) -> Figure:
        row = Row(f"flight/{key}", group, title, "x", goals=(Goal(FLAT),))
        return Figure(row, (values[-1] / values[0],))

    fds = Row(
        "flight/fds", group, "fds open afterwards, more than before", "count", goals=(Goal(0),)
    )
    return [
        times("spawn", "spawn, exec, check: time of one", clock, "flight/run_process"),
        flat("flat", f"   the last {size:,}, compared with the first", clock),
        times("processor", "   the interpreter's processor time for one", processor),
        flat("processor flat", f"   the last {size:,}, compared with the first", processor),
        Figure(fds, (float(left),)),
        times("run_process", "trio.run_process", peer),
    ]
