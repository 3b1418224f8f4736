"""What it costs to start ``/bin/true`` and wait for its end, in five ways."""

from __future__ import annotations

import os
import subprocess
from time import perf_counter
from typing import Final

import trio

from rsyscall_ns import Command, Task

from .measure import Case, Goal, Row, Sample, ready, seconds
from .native import Native

__all__ = ["launch_cases"]

PATH: Final = "/bin/true"
TRUE: Final = Command(PATH, ["true"])
MOST: Final = 1.4  # times what posix_spawn takes


def steered(local: Task) -> Sample:
    """Measure a child that is spawned, execs, and is waited for."""

    async def run() -> None:
        async with local.spawn() as child:
            process = await child.exec(TRUE)
            await process.check()

    async def sample() -> float:
        return await seconds(1, run)

    return sample


def posix_spawn() -> float:
    """Measure the standard library's shortest way."""
    start = perf_counter()
    pid = os.posix_spawn(PATH, ["true"], os.environ)
    os.waitpid(pid, 0)
    return perf_counter() - start


def by_subprocess() -> float:
    """Measure the standard library's usual way."""
    start = perf_counter()
    subprocess.run([PATH], check=True)
    return perf_counter() - start


async def run_process() -> object:
    """Start it as trio does."""
    return await trio.run_process([PATH])


async def by_trio() -> float:
    """Measure trio's way."""
    return await seconds(1, run_process)


def launch_cases(local: Task, native: Native) -> list[Case]:
    """Return the cases; the first one is ours."""

    def case(key: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if key == "posix_spawn" else "posix_spawn"
        short = title.partition(",")[0]
        row = Row(key, "run /bin/true", title, "ms", short, reference, goals)
        return Case(row, sample)

    goals = (Goal(MOST, "posix_spawn"), Goal(1, "subprocess"), Goal(1, "run_process"))
    return [
        case("spawn", "spawn, exec, check", steered(local), *goals),
        case("posix_spawn", "os.posix_spawn, waitpid", ready(posix_spawn)),
        case("vfork", "C: vfork, execve, waitid", ready(lambda: native.ask("true", 1))),
        case("subprocess", "subprocess.run", ready(by_subprocess)),
        case("run_process", "trio.run_process", by_trio),
    ]
