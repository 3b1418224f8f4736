"""The table of all system calls, as it is checked in: ``syscalls.tsv`` beside this.

Read when it is first asked for. It says for each call its numbers, its parameters, what it
returns, since which Linux there is one, the manual page, and what it does, or why it has no
function.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from attrs import frozen

__all__ = ["TABLE", "Row", "parse", "rows"]

TABLE: Final = Path(__file__).with_name("syscalls.tsv")


@frozen
class Row:
    """One call. ``effect`` is the reason where ``family`` is empty: then it has no function."""

    name: str
    x86_64: int | None
    aarch64: int | None
    arguments: str
    family: str
    returns: str
    since: str
    page: str
    effect: str

    def number(self, architecture: str) -> int | None:
        """Return the call's number on a machine, None where it has none."""
        return self.x86_64 if architecture == "x86_64" else self.aarch64


def parse(text: str) -> dict[str, Row]:
    """Return the calls of a table by name, in its order."""
    found: dict[str, Row] = {}
    for line in text.splitlines():
        if line.startswith(("#", "name\t")):
            continue
        name, first, second, *rest = line.split("\t")
        numbers = [int(cell) if cell else None for cell in (first, second)]
        found[name] = Row(name, numbers[0], numbers[1], *rest)
    return found


@cache
def rows() -> dict[str, Row]:
    """Return all calls by name."""
    return parse(TABLE.read_text(encoding="utf-8"))
