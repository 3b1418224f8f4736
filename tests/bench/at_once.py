"""Sixteen programs started together."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Final

import trio

from rsyscall_ns import Task

from .measure import Case, Goal, Row, Sample, one, ready, seconds
from .native import Native
from .programs import ARGUMENTS, PATH, launched, ran, run_process, steered

__all__ = ["at_once_cases"]

AT_ONCE: Final = 16
TOGETHER: Final = f"{AT_ONCE} at once, each"


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
    """Return the cases; the first three are ours."""
    floor, peer = "atonce/c", "atonce/posix_spawn"

    def case(key: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if key == floor else floor
        short = "C" if key == floor else title.partition(",")[0]
        return one(Row(key, TOGETHER, title, "ms", short, reference, goals), sample)

    goal = Goal(1, peer)
    at_once, in_steps = each(partial(launched, local)), each(partial(steered, local))
    return [
        case("atonce/run", "launch and run, a task for each", each(partial(ran, local)), goal),
        case("atonce/launch", "launch, check, a task for each", at_once, goal),
        case("atonce/spawn", "spawn, exec, check, a task for each", in_steps, goal),
        case(floor, "C: all vfork and execve, all waitid", native.sample("atonce", AT_ONCE)),
        case(peer, "os.posix_spawn, waitpid", ready(posix_spawn_together)),
        case("atonce/run_process", "trio.run_process, a task for each", each(run_process)),
    ]
