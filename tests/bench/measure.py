"""Values of a measurement, and how samples are taken: interleaved, one of each case a round."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Final, Literal

from attrs import frozen

__all__ = ["Case", "Figure", "Goal", "Sample", "Unit", "interleave", "ready", "seconds"]

Sample = Callable[[], Awaitable[float]]
Unit = Literal["µs", "ms", "KiB"]
SCALE: Final[dict[Unit, float]] = {"µs": 1e6, "ms": 1e3, "KiB": 1 / 1024}


@frozen
class Goal:
    """What was asked of a figure: at most ``limit`` in its unit, or so many times another."""

    limit: float
    of: str | None = None


@frozen
class Case:
    """Something to be measured. ``sample`` gives seconds, or bytes, for one."""

    key: str
    group: str
    title: str
    unit: Unit
    sample: Sample
    reference: str | None = None
    goals: tuple[Goal, ...] = ()


@frozen
class Figure:
    """What was measured of a case, in its unit."""

    case: Case
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
    samples: dict[str, list[float]] = {case.key: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            samples[case.key].append(await case.sample() * SCALE[case.unit])
        tell()
    return [Figure(case, tuple(samples[case.key])) for case in cases]


async def seconds(count: int, operation: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds that one operation takes, of ``count`` back to back."""
    start = perf_counter()
    for _ in range(count):
        await operation()
    return (perf_counter() - start) / count


def ready(take: Callable[[], float]) -> Sample:
    """Make a sample of something that does not await."""

    async def sample() -> float:  # noqa: RUF029 - the others do await
        return take()

    return sample
