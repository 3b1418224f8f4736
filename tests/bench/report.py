"""What was measured held against what was asked for, and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypedDict, final

from attrs import frozen

from .measure import Absent, Figure, Goal, Outcome, Statistic

__all__ = ["FigureJson", "GoalJson", "MissingJson", "Report", "RunJson", "Verdict", "number"]

STATISTICS: Final[dict[Statistic, str]] = {"minimum": "best ", "median": "", "maximum": "worst "}
DIGITS: Final = ((100, 0), (10, 1), (1, 2), (0, 3))  # from this size on, so many decimals


class GoalJson(TypedDict):
    """A goal: ``value`` and ``met`` are null where what it is compared with is missing."""

    goal: str
    statistic: str
    value: float | None
    shown: str
    met: bool | None


class FigureJson(TypedDict):
    """A row that was measured."""

    key: str
    group: str
    title: str
    unit: str
    minimum: float
    median: float
    maximum: float
    reference: str | None
    compared_with: str | None
    ratio: float | None
    goals: list[GoalJson]
    samples: list[float]


class MissingJson(TypedDict):
    """A row that was not."""

    key: str
    group: str
    title: str
    reason: str


class RunJson(TypedDict):
    """A whole run."""

    effort: str
    python: str
    kernel: str
    machine: str
    processor: str
    processors: int
    noise: dict[str, float]
    goals_met: int
    goals_missed: int
    goals_open: int
    figures: list[FigureJson]
    missing: list[MissingJson]


@frozen
class Verdict:
    """A goal, and whether it was met: None where that can't be said."""

    text: str
    statistic: str
    value: float | None
    shown: str  # the value, with its unit
    met: bool | None


def number(value: float) -> str:
    """Return a number with about three digits that mean something."""
    if not value:
        return "0"
    decimals = next((digits for size, digits in DIGITS if abs(value) >= size), 3)
    return f"{value:.{decimals}f}"


def processor_name() -> str:
    """Return what the processor calls itself."""
    lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@final
class Report:
    """All rows of a run, and what was noticed of the machine."""

    def __init__(
        self, effort: str, outcomes: Sequence[Outcome], noise: Mapping[str, float]
    ) -> None:
        self.effort = effort
        self.outcomes = outcomes
        self.noise = noise
        self._by_key = {outcome.row.key: outcome for outcome in outcomes}

    @property
    def figures(self) -> list[Figure]:
        """What was measured."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Figure)]

    @property
    def absent(self) -> list[Absent]:
        """What was not."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Absent)]

    @property
    def missed(self) -> bool:
        """Whether a goal was missed; one that is open was not."""
        return any(verdict.met is False for verdict in self.verdicts)

    @property
    def verdicts(self) -> list[Verdict]:
        """All goals; those of rows that were not measured are open."""
        return [self.verdict(one, goal) for one in self.outcomes for goal in one.row.goals]

    def short(self, key: str) -> str:
        """Return what a row is called where others are compared with it."""
        return self._by_key[key].row.short

    def ratio(self, figure: Figure, key: str) -> float | None:
        """Return how many times another row this one is, by the medians."""
        other = self._by_key[key]
        if isinstance(other, Absent) or not other.median:
            return None
        return figure.median / other.median

    def verdict(self, outcome: Outcome, goal: Goal) -> Verdict:
        """Hold a row against a goal."""
        unit, of, limit = outcome.row.unit, goal.of, f"{goal.limit:g}"
        if of is None:
            sign = "" if unit == "count" else unit if unit in {"%", "x"} else f" {unit}"
            text = f"{STATISTICS[goal.statistic]}≤ {limit}{sign}"
        elif goal.faster:
            sign, text = "x", f"≥ {limit}x faster than {self.short(of)}"
        else:
            sign, text = "x", f"≤ {limit}x {self.short(of)}"
        value = None if isinstance(outcome, Absent) else self._value(outcome, goal)
        if value is None:
            return Verdict(text, goal.statistic, None, "", None)
        met = value >= goal.limit if goal.faster else value <= goal.limit
        return Verdict(text, goal.statistic, value, number(value) + sign, met)

    def _value(self, figure: Figure, goal: Goal) -> float | None:
        if goal.of is None:
            value: float = getattr(figure, goal.statistic)
            return value
        ratio = self.ratio(figure, goal.of)
        return 1 / ratio if ratio and goal.faster else ratio

    def as_json(self) -> str:
        """Return everything, samples included."""
        met = [verdict.met for verdict in self.verdicts]
        run = RunJson(
            effort=self.effort,
            python=platform.python_version(),
            kernel=platform.release(),
            machine=platform.machine(),
            processor=processor_name(),
            processors=len(os.sched_getaffinity(0)),
            noise=dict(self.noise),
            goals_met=met.count(True),
            goals_missed=met.count(False),
            goals_open=met.count(None),
            figures=[self._figure(figure) for figure in self.figures],
            missing=[
                MissingJson(
                    key=one.row.key,
                    group=one.row.group,
                    title=one.row.title.strip(),
                    reason=one.reason,
                )
                for one in self.absent
            ],
        )
        return json.dumps(run, indent=1, ensure_ascii=False)

    def _figure(self, figure: Figure) -> FigureJson:
        row = figure.row
        return FigureJson(
            key=row.key,
            group=row.group,
            title=row.title.strip(),
            unit=row.unit,
            minimum=figure.minimum,
            median=figure.median,
            maximum=figure.maximum,
            reference=row.reference,
            compared_with=None if row.reference is None else self.short(row.reference),
            ratio=None if row.reference is None else self.ratio(figure, row.reference),
            goals=[
                GoalJson(
                    goal=verdict.text,
                    statistic=verdict.statistic,
                    value=verdict.value,
                    shown=verdict.shown,
                    met=verdict.met,
                )
                for verdict in (self.verdict(figure, goal) for goal in row.goals)
            ],
            samples=list(figure.samples),
        )
