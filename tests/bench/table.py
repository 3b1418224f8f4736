"""A report as one table for people."""

from __future__ import annotations

import platform
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .measure import Absent, Figure, Goal, Outcome
from .report import Report, number

__all__ = ["show"]

WIDTH: Final = 160  # columns, where the output is no terminal
TITLE: Final = 30  # columns
NUMBER: Final = 6
STYLES: Final = {True: ("met", "green"), False: ("missed", "red"), None: ("open", "yellow")}


def show(report: Report, console: Console) -> None:
    """Print the table, and below it what was not measured and how noisy the machine was."""
    if not console.is_terminal:
        console.width = WIDTH
    system = f"Linux {platform.release()}, {platform.machine()}"
    title = f"Python {platform.python_version()}, {system}; {report.effort} run"
    table = Table(title=title, caption=caption(report), caption_justify="left")
    table.add_column("what", min_width=TITLE)
    table.add_column("", no_wrap=True)
    for name in ("min", "median", "max"):
        table.add_column(name, justify="right", no_wrap=True, min_width=NUMBER)
    table.add_column("median, compared")
    table.add_column("goal")
    for heading, outcomes in groupby(report.outcomes, key=lambda one: one.row.group):
        table.add_section()
        table.add_row(Text(heading, style="bold"))
        for outcome in outcomes:
            table.add_row(*cells(report, outcome))
    console.print(table)


def cells(report: Report, outcome: Outcome) -> list[Text]:
    """Return one row."""
    row = outcome.row
    named = [Text(f"  {row.title}"), Text("" if row.unit == "count" else row.unit)]
    goals = Text("\n").join(judged(report, outcome, goal) for goal in row.goals)
    if isinstance(outcome, Absent):
        return [*named, Text("-"), Text("-"), Text("-"), Text("not measured"), goals]
    return [
        *named,
        Text(number(outcome.minimum)),
        Text(number(outcome.median), style="bold"),
        Text(number(outcome.maximum)),
        Text(compared(report, outcome)),
        goals,
    ]


def compared(report: Report, figure: Figure) -> str:
    """Return how many times its reference a row is."""
    reference = figure.row.reference
    ratio = None if reference is None else report.ratio(figure, reference)
    if reference is None or ratio is None:
        return ""
    return f"{number(ratio)}x {report.short(reference)}"


def judged(report: Report, outcome: Outcome, goal: Goal) -> Text:
    """Return a goal and what became of it."""
    verdict = report.verdict(outcome, goal)
    word, style = STYLES[verdict.met]
    shown = f" ({verdict.shown})" if verdict.shown else ""
    return Text.assemble(f"{verdict.text}: ", (f"{word}{shown}", style))


def caption(report: Report) -> Text:
    """Return what else is to be known."""
    met = [verdict.met for verdict in report.verdicts]
    counts = ", ".join(
        f"{met.count(which)} {word}" for which, (word, _) in STYLES.items() if met.count(which)
    )
    reasons = dict.fromkeys(one.reason for one in report.absent)
    noise = "; ".join(f"{name} {value:.3g}" for name, value in report.noise.items())
    lines = [f"Goals: {counts}.", *(f"Not measured: {reason}." for reason in reasons)]
    return Text("\n".join([*lines, f"Noise of the machine: {noise}."]))
