"""The package rsyscall-ng to compare with, in an environment of its own, which is made once.

It needs a newer Python than we do. Whatever goes wrong with it is a reason, never a failure.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, final

from .answers import Answers, start_answers
from .measure import Sample, UnavailableError, ready
from .venvs import environment, version_of

__all__ = ["NAME", "RsyscallNg", "start_rsyscall_ng"]

NAME: Final = "rsyscall-ng"
WORKER: Final = Path(__file__).with_name("rsyscall_ng_worker.py")
OLDEST: Final = (3, 12)


@final
class RsyscallNg:
    """The running worker, or why there is none."""

    def __init__(self, answers: Answers | None, label: str, reason: str = "") -> None:
        self.label = label
        self._answers = answers
        self._reason = reason

    @property
    def pid(self) -> int:
        """The worker's process."""
        if self._answers is None:
            raise UnavailableError(self._reason)
        return self._answers.pid

    def ask(self, name: str, count: int = 1) -> float:
        """Have it do something ``count`` times; returns seconds for one."""
        if self._answers is None:
            raise UnavailableError(self._reason)
        return self._answers.ask(name, count)

    def sample(self, name: str, count: int = 1) -> Sample:
        """Return what asks for it each time."""
        return ready(lambda: self.ask(name, count))


@contextmanager
def start_rsyscall_ng(*, install: bool) -> Generator[RsyscallNg, None, None]:
    """Install it where it is not, and start it; leaving the block ends all its processes."""
    with ExitStack() as stack:
        try:
            python = environment(NAME, NAME, install=install, oldest=OLDEST)
            version = version_of(python, NAME)
        except UnavailableError as error:
            made = RsyscallNg(None, NAME, str(error))
        else:
            command = [str(python), str(WORKER)]
            answers = stack.enter_context(start_answers(NAME, command, quiet=True))
            made = RsyscallNg(answers, f"{NAME} {version}")
        yield made
