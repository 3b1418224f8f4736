"""What no source file may be or hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.meta.tree import ROOT, sources

MOST_LINES = 400
# spelled so that this file does not hold them itself
MARKS = re.compile("TO" + r"DO|FIX" + "ME")
BARE = re.compile(r"raise (Base)?" + r"Exception\b")
SLEEP = re.compile(r"\b(time|trio)\.sleep" + r"\(")


def found(pattern: re.Pattern[str], path: Path) -> list[str]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return [f"{path}:{n}: {line}" for n, line in enumerate(lines, 1) if pattern.search(line)]


def test_there_is_a_tree_to_look_at() -> None:
    names = {path.parts[0] for path in sources()}

    assert {"rsyscall_ns", "ffi", "tests"} <= names


@pytest.mark.parametrize("path", sources(), ids=str)
def test_no_file_is_too_long(path: Path) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())

    assert lines <= MOST_LINES, f"{path} has {lines} lines: split it, one concept a file"


def test_no_work_is_left_as_a_mark_in_the_code() -> None:
    assert [line for path in sources() for line in found(MARKS, path)] == []


def test_every_error_raised_has_a_name() -> None:
    assert [line for path in sources() for line in found(BARE, path)] == []


def test_no_test_sleeps() -> None:
    assert [line for path in sources("tests") for line in found(SLEEP, path)] == []
