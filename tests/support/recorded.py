"""Which system calls each test makes: a plugin of the tests.

What is recorded shows that the test which the table of all calls names for one does make it:
``tests/meta/tested_by.tsv``, which ``pytest --record-calls`` writes anew.
"""

from __future__ import annotations

import inspect
import os
import re
from collections import defaultdict
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any, Final

import pytest

from rsyscall_ns.near.nr import name_of
from rsyscall_ns.near.nr.table import rows
from rsyscall_ns.near.program import KIND_CALL, OP, Program
from rsyscall_ns.transport.direct import DirectInterface
from rsyscall_ns.transport.ring import RingInterface

__all__ = ["TESTED_BY", "Recorder", "recorded_tests"]

TESTED_BY: Final = Path(__file__).parents[1] / "meta" / "tested_by.tsv"
# these make all calls, or any: their names would say nothing
GENERAL: Final = ("tests/meta/", "tests/near/", "tests/races/", "tests/bench/", "tests/examples/")


def recorded_tests() -> dict[str, str]:
    """Return the test of each call, as it is checked in."""
    lines = TESTED_BY.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t", 1) for line in lines if not line.startswith("#"))
    return dict(pairs)


class Recorder:
    """Notes each call that goes to an interface while a test runs."""

    def __init__(self) -> None:
        self.calls: dict[str, set[int]] = defaultdict(set)
        self.passed: set[str] = set()
        self._sources: dict[str, str] = {}
        self._now: set[int] = set()

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Note the calls of all interfaces from now on."""
        for kind, programs in ((DirectInterface, "execute_now"), (RingInterface, "begin")):
            patch.setattr(kind, "call", self._call(kind.call))
            patch.setattr(kind, programs, self._program(getattr(kind, programs)))

    def _call(
        self, original: Callable[..., Coroutine[Any, Any, int]]
    ) -> Callable[..., Coroutine[Any, Any, int]]:
        def call(interface: object, number: int, *args: int) -> Coroutine[Any, Any, int]:
            self._now.add(number)
            return original(interface, number, *args)

        return call

    def _program(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def program(interface: object, wanted: Program, *args: int, **named: bool) -> object:
            for step in OP.iter_unpack(wanted.ops):
                if step[0] == KIND_CALL:
                    self._now.add(step[3])
            return original(interface, wanted, *args, **named)

        return program

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note what belongs to one test, without its fixtures."""
        test = item.nodeid.split("[")[0]
        self._now = self.calls[test]
        if isinstance(item, pytest.Function) and test not in self._sources:
            source = inspect.getsource(inspect.unwrap(item.obj))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - pytest's own type
            self._sources[test] = source
        try:
            result = yield
            self.passed.add(test)
            return result
        finally:
            self._now = set()

    def untrue(self) -> list[str]:
        """Return those calls whose test was passed in this session without making them."""
        made = {test: set(map(name_of, numbers)) for test, numbers in self.calls.items()}
        return [
            f"{call}: {test} does not make it"
            for call, test in recorded_tests().items()
            if test in self.passed and call not in made[test]
        ]

    def write(self) -> None:
        """Write for each call the test that names it, or else makes the fewest others."""
        best: dict[str, tuple[bool, int, str]] = {}
        for test in self.passed:
            if test.startswith(GENERAL):
                continue
            for number in self.calls[test]:
                name = name_of(number)
                if name not in rows():
                    continue
                stem = name.rstrip("0123456789").removesuffix("at")
                silent = not re.search(rf"(?<!os\.)\b_?{stem}", self._sources.get(test, ""))
                found = (silent, len(self.calls[test]), test)
                best[name] = min(best.get(name, found), found)
        head = "# The test that shows a call at work. Made by pytest --record-calls; do not edit.\n"
        lines = [f"{call}\t{test}\n" for call, (*_, test) in sorted(best.items())]
        TESTED_BY.write_text(head + "".join(lines), encoding="utf-8")

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Compare with the table, or write it."""
        if session.config.getoption("--record-calls"):
            if exitstatus == 0:
                self.write()
        elif os.geteuid() == 0 and self.untrue():  # others are refused some calls
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """Say at the end of all, where it is seen, what fails the session."""
        if os.geteuid() or config.getoption("--record-calls"):
            return
        if untrue := self.untrue():
            terminalreporter.section("tests/meta/tested_by.tsv is not true", red=True)
            terminalreporter.write("\n".join(untrue) + "\n")
