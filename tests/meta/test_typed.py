"""Type checkers of users see our types."""

from __future__ import annotations

from tests.meta.tree import ROOT


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "rsyscall_ns" / "py.typed").is_file()
