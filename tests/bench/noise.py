"""How noisy the machine was: without that, no figure says anything."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from attrs import frozen

from .measure import Case, Figure, Outcome, Row, one, ready

__all__ = ["Noise", "noise_case"]

STEPS: Final = 5000
STEAL: Final = 8  # the field of /proc/stat's first line, counted from 1


def fixed_loop() -> float:
    """Measure the same work each time: only the machine can make a difference."""
    start = perf_counter()
    for _ in range(STEPS):
        pass
    return perf_counter() - start


def noise_case(beside: Row) -> Case:
    """Return the case that shows how much the machine disturbs the others of its group."""
    key = f"noise/{beside.key.partition('/')[0]}"
    row = Row(key, beside.group, "the same loop of Python, each time", beside.unit)
    return one(row, ready(fixed_loop))


@frozen
class Noise:
    """Counters of the machine at one moment."""

    load: float
    stolen: int  # ticks that other machines had
    ticks: int
    displaced: int  # how often this process had to make room for another

    @classmethod
    def now(cls) -> Noise:
        """Read them."""
        fields = [
            int(word) for word in Path("/proc/stat").read_text("ascii").split("\n")[0].split()[1:]
        ]
        return cls(
            load=os.getloadavg()[0],
            stolen=fields[STEAL - 1],
            ticks=sum(fields[:STEAL]),
            displaced=resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw,
        )

    def since(self, before: Noise, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """Return what happened in between, and how far the fixed loop's samples differ."""
        loops = [
            figure
            for figure in outcomes
            if isinstance(figure, Figure) and figure.row.key.startswith("noise/")
        ]
        ticks = self.ticks - before.ticks
        return {
            "processors": len(os.sched_getaffinity(0)),
            "load at the start": before.load,
            "load at the end": self.load,
            "stolen by other machines, percent": 100
            * (self.stolen - before.stolen)
            / max(ticks, 1),
            "times displaced": self.displaced - before.displaced,
            "median of the fixed loop, times its minimum": max(f.median / f.minimum for f in loops),
            "maximum of the fixed loop, times its minimum": max(
                f.maximum / f.minimum for f in loops
            ),
        }
