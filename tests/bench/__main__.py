"""``python -m tests.bench``: measure, print a table. Its exit status says only that it ran."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Sequence
from typing import Final

import trio
from attrs import frozen
from rich.console import Console
from rich.status import Status

from rsyscall_ns import open_local_task

from .calls import call_cases
from .idle import idle_figures
from .launch import launch_cases
from .measure import Case, Figure, interleave
from .native import Native, start_native
from .noise import Noise, noise_case
from .report import Report

__all__ = ["main"]


@frozen
class Effort:
    """How much is measured."""

    call_rounds: int
    launch_rounds: int
    idle_rounds: int
    idle_processes: int  # twice as many are there at a time


FULL: Final = Effort(call_rounds=100, launch_rounds=200, idle_rounds=5, idle_processes=100)
QUICK: Final = Effort(call_rounds=10, launch_rounds=20, idle_rounds=2, idle_processes=25)


async def measure_group(
    cases: Sequence[Case], rounds: int, status: Status, name: str
) -> list[Figure]:
    """Measure the cases of one group, and the machine's noise meanwhile."""
    done = 0
    first = cases[0].row

    def tell() -> None:
        nonlocal done
        done += 1
        status.update(f"{name}: round {done} of {rounds}")

    # a collection in the middle of a sample would be noise of our own
    gc.collect()
    gc.disable()
    try:
        return await interleave([*cases, noise_case(first.group, first.unit)], rounds, tell)
    finally:
        gc.enable()


async def measure(effort: Effort, native: Native, status: Status) -> Report:
    """Measure everything."""
    before = Noise.now()
    async with open_local_task() as local:
        async with local.spawn() as child, local.spawn() as idle:
            calls = call_cases(local, child, idle, native)
            figures = await measure_group(calls, effort.call_rounds, status, "calls")
        launches = launch_cases(local, native)
        figures += await measure_group(launches, effort.launch_rounds, status, "programs")
        status.update("memory")
        figures += await idle_figures(local, effort.idle_processes, effort.idle_rounds)
    return Report(figures, Noise.now().since(before, figures))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with every sample")
    parser.add_argument("--quick", action="store_true", help="few repetitions, below 20 seconds")
    options = parser.parse_args()
    effort = QUICK if options.quick else FULL
    with start_native() as native, Console(stderr=True).status("starting") as status:
        report = trio.run(measure, effort, native, status)
    if options.json:
        print(report.as_json())
    else:
        report.show(Console())


main()
