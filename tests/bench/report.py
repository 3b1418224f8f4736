"""The figures as one table for people, or as JSON for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final, final

from attrs import frozen
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .measure import Figure, Goal

__all__ = ["Report", "Verdict"]

WIDTH: Final = 140  # columns, where the output is no terminal
DIGITS: Final = ((100, 0), (10, 1), (1, 2), (0, 3))  # from this size on, so many decimals


def number(value: float) -> str:
    """Return a number with about three digits that mean something."""
    decimals = next((digits for size, digits in DIGITS if abs(value) >= size), 3)
    return f"{value:.{decimals}f}"


@frozen
class Verdict:
    """A goal, and whether the median met it."""

    text: str
    value: float
    met: bool


@final
class Report:
    """All figures of a run, and what was noticed of the machine."""

    def __init__(self, figures: Sequence[Figure], noise: Mapping[str, float]) -> None:
        self.figures = figures
        self.noise = noise
        self._by_key = {figure.row.key: figure for figure in figures}

    def ratio(self, figure: Figure, key: str) -> float:
        """Return how many times another figure this one is, by the medians."""
        other = self._by_key[key].median
        return figure.median / other if other else float("nan")

    def verdict(self, figure: Figure, goal: Goal) -> Verdict:
        """Hold a figure against a goal."""
        if goal.of is None:
            text = f"≤ {goal.limit:g} {figure.row.unit}"
            return Verdict(text, figure.median, figure.median <= goal.limit)
        ratio = self.ratio(figure, goal.of)
        short = self._by_key[goal.of].row.short
        return Verdict(f"≤ {goal.limit:g}x {short}", ratio, ratio <= goal.limit)

    def as_json(self) -> str:
        """Return everything, samples included."""
        rows = [
            {
                "key": figure.row.key,
                "group": figure.row.group,
                "title": figure.row.title,
                "unit": figure.row.unit,
                "minimum": figure.minimum,
                "median": figure.median,
                "maximum": figure.maximum,
                "reference": figure.row.reference,
                "ratio": figure.row.reference and self.ratio(figure, figure.row.reference),
                "goals": [
                    {"goal": verdict.text, "value": verdict.value, "met": verdict.met}
                    for verdict in (self.verdict(figure, goal) for goal in figure.row.goals)
                ],
                "samples": figure.samples,
            }
            for figure in self.figures
        ]
        machine = {"kernel": platform.release(), "machine": platform.machine()}
        python = platform.python_version()
        return json.dumps(
            {"python": python, **machine, "noise": self.noise, "figures": rows}, indent=1
        )

    def show(self, console: Console) -> None:
        """Print the table."""
        if not console.is_terminal:
            console.width = WIDTH
        table = Table(
            title=f"Python {platform.python_version()}, Linux {platform.release()}, "
            f"{platform.machine()}",
            caption=self._caption(),
            caption_justify="left",
        )
        table.add_column("what", no_wrap=True)
        for name in ("min", "median", "max"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("median, compared", no_wrap=True)
        table.add_column("goal for the median", no_wrap=True)
        for heading, figures in groupby(self.figures, key=lambda f: f"{f.row.group}, {f.row.unit}"):
            table.add_section()
            table.add_row(Text(heading, style="bold"))
            for figure in figures:
                table.add_row(*self._cells(figure))
        console.print(table)

    def _cells(self, figure: Figure) -> list[Text]:
        compared = ""
        if figure.row.reference is not None:
            name = self._by_key[figure.row.reference].row.short
            compared = f"{number(self.ratio(figure, figure.row.reference))}x {name}"
        goals = Text("\n").join(self._goal(figure, goal) for goal in figure.row.goals)
        return [
            Text(f"  {figure.row.title}"),
            Text(number(figure.minimum)),
            Text(number(figure.median), style="bold"),
            Text(number(figure.maximum)),
            Text(compared),
            goals,
        ]

    def _goal(self, figure: Figure, goal: Goal) -> Text:
        verdict = self.verdict(figure, goal)
        shown = f" ({number(verdict.value)}x)" if goal.of is not None else ""
        word, style = ("met", "green") if verdict.met else ("missed", "red")
        return Text.assemble(f"{verdict.text}: ", (f"{word}{shown}", style))

    def _caption(self) -> str:
        noise = "; ".join(f"{name} {value:.3g}" for name, value in self.noise.items())
        return f"Noise of the machine: {noise}."
