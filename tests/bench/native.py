"""The C programs to compare with: built for the run, each kept as a process that answers."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, final

from .answers import Answers, start_answers
from .measure import Sample

__all__ = ["Native", "build_native"]

SOURCES: Final = Path(__file__).with_name("c")
FLAGS: Final = (
    *("-std=gnu11", "-O2"),
    *("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion", "-Wundef"),
)


@final
class Native:
    """The built program; one process of it for each thing that is measured."""

    def __init__(self, program: Path, stack: ExitStack) -> None:
        self._program = program
        self._stack = stack
        self._started: dict[str, Answers] = {}

    def sample(self, name: str, count: int = 1) -> Sample:
        """Return what measures ``name``; its process is started now."""
        if name not in self._started:
            answers = start_answers(f"C, {name}", [str(self._program)])
            self._started[name] = self._stack.enter_context(answers)
        return self._started[name].sample(name, count)


@contextmanager
def build_native() -> Generator[Native, None, None]:
    """Compile the program; leaving the block ends its processes and removes it."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    with TemporaryDirectory() as folder, ExitStack() as stack:
        program = Path(folder, "native")
        sources = sorted(str(path) for path in SOURCES.glob("*.c"))
        subprocess.run([*compiler, *FLAGS, *sources, "-o", str(program)], check=True)
        yield Native(program, stack)
