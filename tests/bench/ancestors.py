"""The packages pyspaces and pysetns to compare with, in an environment of their own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, final

from .answers import Answers, start_answers
from .measure import Sample, UnavailableError, ready
from .venvs import environment, version_of

__all__ = ["Ancestors", "start_ancestors"]

PACKAGES: Final = ("pyspaces", "pysetns")
WORKER: Final = Path(__file__).with_name("ancestors_worker.py")


@final
class Ancestors:
    """The running worker, or why there is none."""

    def __init__(self, answers: Answers | None, labels: dict[str, str], reason: str = "") -> None:
        self.labels = labels
        self._answers = answers
        self._reason = reason

    def ask(self, name: str) -> float:
        """Have it do something; returns the seconds."""
        if self._answers is None:
            raise UnavailableError(self._reason)
        return self._answers.ask(name)

    def sample(self, name: str) -> Sample:
        """Return what asks for it each time."""
        return ready(lambda: self.ask(name))


@contextmanager
def start_ancestors(
    pid: int, mebibytes: int = 0, *, install: bool
) -> Generator[Ancestors, None, None]:
    """Install them where they are not, and start the worker; leaving the block ends it.

    ``pid``: whose namespaces are joined. ``mebibytes``: how much memory the worker has touched.
    """
    with ExitStack() as stack:
        labels = {name: name for name in PACKAGES}
        try:
            python = environment("ancestors", *PACKAGES, install=install)
            labels = {name: f"{name} {version_of(python, name)}" for name in PACKAGES}
        except UnavailableError as error:
            made = Ancestors(None, labels, str(error))
        else:
            command = [str(python), str(WORKER), str(pid), str(mebibytes)]
            answers = start_answers("pyspaces, pysetns", command, quiet=True)
            made = Ancestors(stack.enter_context(answers), labels)
        yield made
