"""Thousands of programs, hundreds at the same time: the last shall take as long as the first.

What a machine does besides changes within a minute by more than what is looked for. So the last
thousand of an old interpreter is measured in turn with the first thousand of a fresh one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from .answers import Answers
from .measure import SCALE, Figure, Goal, Outcome, Row
from .programs import fly, run_process
from .progress import Tell
from .workers import start_worker

__all__ = ["flight_figures"]

FLAT: Final = 1.1
PARTS: Final = 10  # of all: the last is compared with the first
TURNS: Final = 5  # in which the last part is measured, and the first one of a fresh interpreter
PEER: Final = 10  # for one of a peer's programs, so many of ours


@frozen
class Leg:
    """What one took in a part of the way, in seconds: by the clock, and of the interpreter."""

    clock: float
    processor: float

    @classmethod
    def take(cls, worker: Answers, count: int) -> Leg:
        """Have a worker run so many."""
        return cls(worker.ask("fly", count), worker.ask("processor"))

    @classmethod
    def mean(cls, legs: Sequence[Leg]) -> Leg:
        """Return what one took in parts of the same length."""
        return cls(
            sum(leg.clock for leg in legs) / len(legs),
            sum(leg.processor for leg in legs) / len(legs),
        )


@frozen
class Flight:
    """All that was found out."""

    parts: Sequence[Leg]
    last: Sequence[Leg]  # the turns of the last part
    fresh: Sequence[Leg]  # those of the first part of a fresh interpreter
    fds: float  # open afterwards, more than before


def take(total: int, lanes: int, tell: Tell) -> Flight:
    """Run all of them."""
    size = total // PARTS
    with start_worker("flight", str(lanes)) as old, start_worker("flight", str(lanes)) as fresh:
        for worker in (old, fresh):
            worker.ask("fly", lanes)  # does not count
        before = old.ask("fds")
        parts: list[Leg] = []
        for part in range(PARTS - 1):
            tell(f"in flight: {part * size:,} of {total:,}")
            parts.append(Leg.take(old, size))
        last: list[Leg] = []
        others: list[Leg] = []
        for turn in range(TURNS):
            tell(f"in flight: the last {size:,}, turn {turn + 1} of {TURNS}")
            others.append(Leg.take(fresh, size // TURNS))
            last.append(Leg.take(old, size // TURNS))
        left = old.ask("fds") - before
    return Flight([*parts, Leg.mean(last)], last, others, left)


async def flight_figures(total: int, lanes: int, tell: Tell) -> list[Outcome]:
    """Measure ``total`` of them, ``lanes`` at a time, and what is left of them."""
    flight = take(total, lanes, tell)
    fewer = max(total // PEER, 2 * lanes)
    tell("in flight: trio.run_process")
    peer, _ = await fly(run_process, fewer, lanes)
    group, size = f"run {total:,} of /bin/true, {lanes} at a time", total // PARTS

    def times(key: str, title: str, values: Sequence[float], peer: str | None = None) -> Figure:
        row = Row(f"flight/{key}", group, title, "ms", title, peer)
        return Figure(row, tuple(value * SCALE["ms"] for value in values))

    def ratios(key: str, title: str, values: Sequence[float], *goals: Goal) -> Figure:
        return Figure(Row(f"flight/{key}", group, title, "x", goals=goals), tuple(values))

    flat = Goal(FLAT)
    turns = list(zip(flight.last, flight.fresh, strict=True))
    clock = [leg.clock for leg in flight.parts]
    processor = [leg.processor for leg in flight.parts]
    beside = f"   the last {size:,}, beside a fresh interpreter's first"
    after = f"   the last {size:,}, after all others"
    title = "fds open afterwards, more than before"
    fds = Row("flight/fds", group, title, "count", goals=(Goal(0),))
    return [
        times("spawn", "spawn, exec, check: time of one", clock, "flight/run_process"),
        ratios("flat", beside, [last.clock / first.clock for last, first in turns], flat),
        ratios("later", after, [clock[-1] / clock[0]]),
        times("processor", "   the interpreter's processor time for one", processor),
        ratios(
            "flat processor",
            beside,
            [last.processor / first.processor for last, first in turns],
            flat,
        ),
        ratios("later processor", after, [processor[-1] / processor[0]]),
        Figure(fds, (float(round(flight.fds)),)),
        times("run_process", "trio.run_process", [peer]),
    ]
