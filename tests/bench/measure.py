"""Values of a measurement, and how samples are taken: interleaved, one of each case a round."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Final, Literal

from attrs import frozen

__all__ = [
    "SCALE",
    "Case",
    "Figure",
    "Goal",
    "Row",
    "Sample",
    "Unit",
    "interleave",
    "ready",
    "seconds",
]

Sample = Callable[[], Awaitable[float]]
Unit = Literal["µs", "ms", "KiB"]
SCALE: Final[dict[Unit, float]] = {"µs": 1e6, "ms": 1e3, "KiB": 1 / 1024}


@frozen
class Goal:
    """What was asked of a figure: at most ``limit`` in its unit, or so many times another."""

    limit: float
    of: str | None = None


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
    """How one sample of it is taken: seconds for one."""

    row: Row
    sample: Sample


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


async def interleave(
    cases: Sequence[Case], rounds: int, tell: Callable[[], object]
) -> list[Figure]:
    """Take one sample of each case in each round, so that all meet the same disturbances."""
    samples: list[list[float]] = [[] for _ in cases]
    for _ in range(rounds):
        for case, taken in zip(cases, samples, strict=True):
            taken.append(await case.sample() * SCALE[case.row.unit])
        tell()
    return [Figure(case.row, tuple(taken)) for case, taken in zip(cases, samples, strict=True)]


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
