"""Programs of their own: for what can't be tried beside the threads of a test run."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent
from typing import Final

import trio

__all__ = ["said_by"]

HERE: Final = Path(__file__).parents[2]
BEGIN: Final = """
import os, signal, sys
import trio
from rsyscall_ns import *
"""


async def said_by(body: str) -> list[str]:
    """Run a program whose ``main`` is an async function, and return the lines that it writes.

    AssertionError with what it wrote as errors, if there is anything.
    """
    text = f"{BEGIN}{dedent(body)}\ntrio.run(main)\n"
    done = await trio.run_process(
        [sys.executable, "-W", "error", "-c", text],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        cwd=HERE,
    )
    assert not done.stderr, done.stderr.decode()
    assert done.returncode == 0
    return done.stdout.decode().splitlines()
