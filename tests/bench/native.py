"""The C program to compare with: built for the run, kept as one process that answers."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, final

__all__ = ["Native", "start_native"]

SOURCE: Final = Path(__file__).with_name("native.c")
FLAGS: Final = (
    *("-std=gnu11", "-O2"),
    *("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion", "-Wundef"),
)


@final
class Native:
    """The running C program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._questions = process.stdin
        self._answers = process.stdout

    def ask(self, name: str, count: int) -> float:
        """Have it do something ``count`` times; returns seconds for one."""
        self._questions.write(f"{name} {count}\n")
        self._questions.flush()
        return float(self._answers.readline()) * 1e-9


@contextmanager
def start_native() -> Generator[Native, None, None]:
    """Compile the program and start it; leaving the block ends it."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    with TemporaryDirectory() as folder:
        program = Path(folder, "native")
        subprocess.run([*compiler, *FLAGS, str(SOURCE), "-o", str(program)], check=True)
        with subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield Native(process)
