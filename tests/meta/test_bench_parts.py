"""How the benchmark judges what it has measured, and what it does when something is not there."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench import rsyscall_ng, venvs
from tests.bench.answers import start_answers, stat_fields
from tests.bench.measure import (
    Absent,
    Case,
    Figure,
    Goal,
    Outcome,
    Row,
    Sample,
    UnavailableError,
    interleave,
    one,
)
from tests.bench.report import Report, Verdict, number
from tests.bench.table import show

ECHO = "import sys\nfor line in sys.stdin: print(line.split()[1], flush=True)"
REFUSES = "input(); print('- no such thing: here', flush=True)"


def row(key: str, *goals: Goal, reference: str | None = None) -> Row:
    return Row(key, "group", f"title of {key}", "ms", f"short {key}", reference, goals)


def judged(goal: Goal, *others: Outcome) -> Verdict:
    """Hold a row with the samples 1, 2 and 9 against a goal."""
    ours = Figure(row("ours", goal), (9.0, 1.0, 2.0))
    (verdict,) = Report("", [ours, *others], {}).verdicts
    return verdict


@pytest.mark.parametrize(
    ("goal", "met", "text"),
    [
        (Goal(2), True, "≤ 2 ms"),
        (Goal(1.9), False, "≤ 1.9 ms"),
        (Goal(1, statistic="minimum"), True, "best ≤ 1 ms"),
        (Goal(8, statistic="maximum"), False, "worst ≤ 8 ms"),
        (Goal(0.5, "other"), True, "≤ 0.5x short other"),
        (Goal(0.4, "other"), False, "≤ 0.4x short other"),
        (Goal(2, "other", faster=True), True, "≥ 2x faster than short other"),
        (Goal(3, "other", faster=True), False, "≥ 3x faster than short other"),
    ],
)
def test_a_goal_is_met_or_missed(goal: Goal, met: bool, text: str) -> None:  # noqa: FBT001 - a case
    verdict = judged(goal, Figure(row("other"), (4.0,)))

    assert (verdict.met, verdict.text) == (met, text)


def test_a_goal_is_open_when_what_it_is_compared_with_is_missing() -> None:
    verdict = judged(Goal(2, "other"), Absent(row("other"), "it is not here"))

    assert (verdict.met, verdict.value) == (None, None)


def test_goals_of_a_row_that_is_missing_are_open() -> None:
    missing = Absent(row("ours", Goal(1)), "it is not here")
    report = Report("", [missing], {})

    assert [verdict.met for verdict in report.verdicts] == [None]
    assert not report.missed


def test_one_missed_goal_is_enough_to_have_missed() -> None:
    report = Report("", [Figure(row("ours", Goal(1), Goal(3)), (2.0,))], {})

    assert report.missed


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_table_shows_rows_goals_and_reasons(width: int) -> None:
    outcomes: list[Outcome] = [
        Figure(row("ours", Goal(1), reference="other"), (2.0,)),
        Figure(row("other"), (4.0,)),
        Absent(row("third"), "not installed"),
    ]
    out = io.StringIO()

    show(Report("full", outcomes, {}), Console(file=out, width=width, force_terminal=True))

    text = out.getvalue()
    for word in ("missed", "0.500x", "not installed", "1 missed"):
        assert word in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def counting(taken: list[str], name: str) -> Sample:
    async def sample() -> float:
        taken.append(name)
        return float(len(taken))

    return sample


async def test_each_case_is_sampled_once_a_round() -> None:
    taken: list[str] = []
    cases = [one(row(name), counting(taken, name)) for name in "abc"]

    outcomes = await interleave(cases, 4, lambda: None)

    assert [sorted(taken[start : start + 3]) for start in range(0, 15, 3)] == [[*"abc"]] * 5
    assert all(isinstance(one, Figure) and len(one.samples) == 4 for one in outcomes)


async def test_a_case_that_is_not_available_stops_no_other() -> None:
    async def fails() -> tuple[float, float]:
        raise UnavailableError("not\nhere")

    taken: list[str] = []
    cases = [Case((row("a"), row("b")), fails), one(row("c"), counting(taken, "c"))]

    first, second, third = await interleave(cases, 2, lambda: None, warm_up=False)

    assert first == Absent(row("a"), "not here")
    assert second == Absent(row("b"), "not here")
    assert isinstance(third, Figure)


def asked(*command: str) -> float:
    with start_answers("it", command, quiet=True) as answers:
        return answers.ask("anything", 7)


def test_an_answer_is_read_as_nanoseconds() -> None:
    assert asked(sys.executable, "-c", ECHO) == pytest.approx(7e-9)


@pytest.mark.parametrize(
    ("program", "reason"), [(REFUSES, "it: no such thing: here"), ("input()", "it has ended")]
)
def test_no_answer_is_a_reason(program: str, reason: str) -> None:
    with pytest.raises(UnavailableError, match=f"^{reason}$"):
        asked(sys.executable, "-c", program)


def test_what_a_process_leaves_behind_is_ended() -> None:
    leaves = "sleep 1000 & echo $!; read line"
    with start_answers("it", ["sh", "-c", leaves]) as answers:
        pid = round(answers.ask("anything") * 1e9)
        assert stat_fields(pid)

    assert stat_fields(pid)[:1] in ([], ["Z"])  # whoever adopted it may not have reaped it yet


@pytest.fixture
def no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the way to say what the only interpreter of the machine does."""
    monkeypatch.setattr(venvs, "HOME", tmp_path / "environment")

    def interpreter(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(venvs, "candidates", lambda: iter([str(path)]))

    return interpreter


def reason_of(*, install: bool = True) -> str:
    with (
        rsyscall_ng.start_rsyscall_ng(install=install) as peer,
        pytest.raises(UnavailableError) as caught,
    ):
        peer.ask("getuid")
    return str(caught.value)


def test_an_interpreter_that_is_too_old_is_a_reason(no_environment: Callable[[str], None]) -> None:
    no_environment("exit 1")

    assert reason_of() == "rsyscall-ng needs Python 3.12 or newer, and none is here"


def test_an_installation_that_fails_is_a_reason(no_environment: Callable[[str], None]) -> None:
    no_environment('test "$1" = -c || { echo first >&2; echo "no network" >&2; exit 1; }')

    assert reason_of() == "rsyscall-ng: no network"


def test_nothing_is_installed_when_that_is_not_wanted(
    no_environment: Callable[[str], None],
) -> None:
    no_environment("exit 0")

    assert "nothing was to be installed" in reason_of(install=False)
