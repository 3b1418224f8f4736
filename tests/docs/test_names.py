"""The documentation names what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import rsyscall_ns

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
WORD: Final = re.compile(r"\w+")


def is_error(name: str) -> bool:
    value: object = getattr(rsyscall_ns, name)
    return isinstance(value, type) and issubclass(value, Exception)


def words(page: str) -> set[str]:
    return set(WORD.findall((DOCS / page).read_text(encoding="utf-8")))


def test_every_public_error_is_on_the_errors_page() -> None:
    errors = {name for name in dir(rsyscall_ns) if is_error(name)}

    assert errors - words("errors.md") == set()


def test_the_errors_page_names_no_error_that_is_not_public() -> None:
    named = re.findall(r"^\| `(\w+)`", (DOCS / "errors.md").read_text("utf-8"), re.MULTILINE)

    assert set(named) - set(dir(rsyscall_ns)) == set()


def test_every_other_public_name_is_in_the_reference() -> None:
    names = {name for name in dir(rsyscall_ns) if not is_error(name)}

    pages = ["reference.md", *(f"reference/{page.name}" for page in DOCS.glob("reference/*.md"))]
    assert names - set().union(*map(words, pages)) == set()
