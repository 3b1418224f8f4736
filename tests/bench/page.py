"""``make bench ARGS=--json | python -m tests.bench.page``: put a run into the documentation."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Final

from .report import FigureJson, GoalJson, MissingJson, RunJson, number

__all__ = ["PAGE", "fill", "rows"]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN: Final = "<!-- run: begins -->\n"
END: Final = "<!-- run: ends -->\n"
NOISE: Final = "noise/"
HEAD: Final = """\
| what | min | median | max | compared | goal for the median |
|---|---:|---:|---:|---|---|
"""


def fill(page: str, run: RunJson) -> str:
    """Return the page with the table of another run."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    kernel = run["kernel"].partition("-")[0]
    said = (
        f"Python {run['python']}, Linux {kernel}, {run['machine']}, "
        f"{run['processors']} processors ({run['processor']}), {run['effort']} run. "
        f"Goals: {run['goals_met']} met, {run['goals_missed']} missed, {run['goals_open']} open.\n"
    )
    table = HEAD + "".join(f"{row}\n" for row in rows(run))
    noise = "; ".join(f"{name} {number(value)}" for name, value in run["noise"].items())
    lost = "".join(f"Not measured: {reason}.\n\n" for reason in reasons(run["missing"]))
    text = f"\n{said}\n{table}\n{lost}Noise of the machine: {noise}.\n\n"
    return f"{before}{BEGIN}{text}{END}{after}"


def rows(run: RunJson) -> list[str]:
    """Return the rows of the table."""
    lines: list[str] = []
    shown = (figure for figure in run["figures"] if not figure["key"].startswith(NOISE))
    for group, figures in groupby(shown, key=lambda figure: figure["group"]):
        lines.append(f"| **{group}** | | | | | |")
        lines += [row(figure) for figure in figures]
    return lines


def row(figure: FigureJson) -> str:
    """Return one row."""
    unit = "" if figure["unit"] == "count" else f" {figure['unit']}"
    minimum, median, maximum = (
        number(value) for value in (figure["minimum"], figure["median"], figure["maximum"])
    )
    ratio = figure["ratio"]
    compared = "" if ratio is None else f"{number(ratio)}x {figure['compared_with']}"
    goals = "<br>".join(judged(goal) for goal in figure["goals"])
    cells = figure["title"], minimum, f"**{median}**{unit}", maximum, compared, goals
    return f"| {' | '.join(cells)} |"


def judged(goal: GoalJson) -> str:
    """Return a goal and what became of it."""
    words = {True: "met", False: "missed", None: "open"}
    shown = f" ({goal['shown']})" if goal["shown"] else ""
    return f"{goal['goal']}: {words[goal['met']]}{shown}"


def reasons(missing: list[MissingJson]) -> list[str]:
    """Return why rows are missing, each reason once."""
    return list(dict.fromkeys(one["reason"] for one in missing))


def main() -> None:
    """Read the run from standard input."""
    run: RunJson = json.load(sys.stdin)
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), run), encoding="utf-8")


if __name__ == "__main__":
    main()
