"""Values of a measurement, and how samples are taken: interleaved, one of each case a round."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from statistics import median
from time import perf_counter
from typing import Final, Literal

from attrs import frozen

__all__ = [
    "SCALE",
    "Absent",
    "Case",
    "Figure",
    "Goal",
    "Outcome",
    "Row",
    "Sample",
    "Samples",
    "Statistic",
    "UnavailableError",
    "Unit",
    "interleave",
    "one",
    "ready",
    "seconds",
]

Sample = Callable[[], Awaitable[float]]
Samples = Callable[[], Awaitable[Sequence[float]]]
Statistic = Literal["minimum", "median", "maximum"]
Unit = Literal["µs", "ms", "KiB", "%", "x", "count"]
# from seconds, bytes, parts of one
SCALE: Final[dict[Unit, float]] = {
    "µs": 1e6,
    "ms": 1e3,
    "KiB": 1 / 1024,
    "%": 100,
    "x": 1,
    "count": 1,
}


class UnavailableError(RuntimeError):
    """Something can't be measured here; the message is the reason, on one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split()))


@frozen
class Goal:
    """What was asked of a row: at most ``limit`` in its unit, or so many times another row.

    ``faster``: at least ``limit`` times faster than the other row instead.
    """

    limit: float
    of: str | None = None
    faster: bool = False
    statistic: Statistic = "median"


@frozen
class Row:
    """What is measured; ``reference`` and goals name other rows by their key."""

    key: str
    group: str
    title: str
    unit: Unit
    short: str = ""  # its name where others are compared with it
    reference: str | None = None
    goals: tuple[Goal, ...] = ()


@frozen
class Case:
    """How one sample is taken: one number for each of the rows, in seconds or bytes."""

    rows: tuple[Row, ...]
    sample: Samples


@frozen
class Figure:
    """What was measured, in the row's unit."""

    row: Row
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """What it usually is."""
        return median(self.samples)

    @property
    def minimum(self) -> float:
        """What it is when nothing else runs."""
        return min(self.samples)

    @property
    def maximum(self) -> float:
        """What it is at the worst."""
        return max(self.samples)


@frozen
class Absent:
    """A row that could not be measured, and why."""

    row: Row
    reason: str


Outcome = Figure | Absent


def one(row: Row, sample: Sample) -> Case:
    """Return a case that measures a single row."""

    async def samples() -> tuple[float]:
        return (await sample(),)

    return Case((row,), samples)


async def interleave(
    cases: Sequence[Case], rounds: int, tell: Callable[[], object], *, warm_up: bool = True
) -> list[Outcome]:
    """Take one sample of each case in each round, so that all meet the same disturbances.

    The order changes from round to round: what a case leaves to be cleaned up by the kernel
    disturbs not always the same one. ``warm_up``: a round before, that does not count.
    """
    taken: list[list[Sequence[float]]] = [[] for _ in cases]
    reasons: dict[int, str] = {}
    order = list(range(len(cases)))
    shuffle = Random(rounds).shuffle  # noqa: S311 - the same order in each run, not a secret
    for turn in range(-1 if warm_up else 0, rounds):
        shuffle(order)
        for index in order:
            if index in reasons:
                continue
            try:
                sample = await cases[index].sample()
            except UnavailableError as error:
                reasons[index] = str(error)
            else:
                if turn >= 0:
                    taken[index].append(sample)
        tell()
    outcomes: list[Outcome] = []
    for index, case in enumerate(cases):
        for place, row in enumerate(case.rows):
            if index in reasons:
                outcomes.append(Absent(row, reasons[index]))
            else:
                scale = SCALE[row.unit]
                outcomes.append(
                    Figure(row, tuple(sample[place] * scale for sample in taken[index]))
                )
    return outcomes


async def seconds(count: int, operation: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds that one operation takes, of ``count`` back to back."""
    start = perf_counter()
    for _ in range(count):
        await operation()
    return (perf_counter() - start) / count


def ready(take: Callable[[], float]) -> Sample:
    """Make a sample of something that does not await."""

    async def sample() -> float:
        return take()

    return sample
