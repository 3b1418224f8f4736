"""The page on security names a test for each class of faults, and these tests exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Final

import pytest

from tests.meta.tree import ROOT

PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED: Final = re.compile(r"`([\w/]+/test_\w+\.py)::(test_\w+)`")
CLASSES: Final = (
    *("2014-8989", "2016-8659", "2016-9962", "2017-5226", "2018-15664", "2018-18955"),
    *("2019-5736", "2019-10063", "2019-14271", "2019-19921", "2020-15257", "2021-30465"),
    *("2022-0492", "2022-24769", "2024-21626", "2025-31133", "2025-52565", "2025-52881"),
    *("no_new_privs", "propagation", "pid reuse", "process 1", "launcher leaks"),
    "stacked signals",
)
ROWS: Final = [
    row.split("|")[1:4]
    for row in PAGE.partition("## Classes of faults")[2].partition("\n## ")[0].splitlines()
    if row.startswith("| ") and not row.startswith("| class ")
]


@cache
def found_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip() for row in ROWS])
def test_each_class_has_a_protection_and_tests_that_exist(row: list[str]) -> None:
    _, protection, tests = row
    named = NAMED.findall(tests)
    assert protection.strip()
    assert named
    assert len(named) == tests.count("::")
    assert {name for file, name in named if name not in found_in(file)} == set()


@pytest.mark.parametrize("known", CLASSES)
def test_each_known_class_is_on_the_page(known: str) -> None:
    assert [row for row in ROWS if known in row[0]]


def test_every_test_of_security_is_of_a_class_on_the_page() -> None:
    files = {file for row in ROWS for file, _ in NAMED.findall(row[2])}
    own = {f"security/{path.name}" for path in (ROOT / "tests" / "security").glob("test_*.py")}
    # who joins the user namespace of a stranger: a class of its own to this library
    assert own - files == {"security/test_foreign_user_namespace.py"}
