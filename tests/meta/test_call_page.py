"""The table of all calls in the documentation is true and complete."""

from __future__ import annotations

import ast
from functools import cache
from typing import Final

import pytest

from rsyscall_ns.near.nr.table import rows
from tests.meta import call_page
from tests.meta.tree import ROOT
from tests.support.recorded import recorded_tests

# where the processor has no protection keys the tests of these are skipped
NOT_MADE: Final = {"pkey_alloc", "pkey_mprotect"}


@cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }


def test_the_page_is_what_the_script_makes() -> None:
    assert call_page.PAGE.read_text(encoding="utf-8") == call_page.render()


@pytest.mark.parametrize(("call", "test"), recorded_tests().items())
def test_the_test_of_a_call_exists(call: str, test: str) -> None:
    assert call in rows()
    file, _, function = test.partition("::")
    assert function in functions_of(file)


def test_every_call_with_a_home_has_a_test_that_makes_it() -> None:
    silent = call_page.homes().keys() & rows().keys() - recorded_tests().keys()

    assert silent <= NOT_MADE
