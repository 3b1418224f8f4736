"""Every block of Python in README and ``docs/`` is a whole program, and prints what it says.

A block ```` ```text ```` right after it is the output; ``...`` in it stands for anything.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

import pytest
import trio
from attrs import frozen

from rsyscall_ns import open_local_task
from tests.support.keyrings import need_keys

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "reference").glob("*.md")),
)
FENCE: Final = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAM_PATH: Final = re.compile(r'Command\("(/[^"]*)"')
MISSING: Final = "/no/such/program"  # what a page execs to show the error
LIMIT: Final = 60  # seconds


@frozen
class Snippet:
    """A program in a page, and what it prints."""

    page: Path
    line: int
    code: str
    output: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def snippets(page: Path) -> Iterator[Snippet]:
    text = page.read_text(encoding="utf-8")
    blocks = list(FENCE.finditer(text))
    for block, following in zip_longest(blocks, blocks[1:]):
        if block[1] != "python":
            continue
        output = None
        if following is not None and following[1] == "text":
            between = text[block.end() : following.start()]
            output = None if between.strip() else following[2]
        yield Snippet(page, text.count("\n", 0, block.start()) + 1, block[2], output)


SNIPPETS: Final = [snippet for page in PAGES for snippet in snippets(page)]


def needs(snippet: Snippet) -> None:
    """Skip where the machine lacks what the snippet is about."""
    for path in PROGRAM_PATH.findall(snippet.code):
        if path != MISSING and shutil.which(path) is None:
            pytest.skip(f"this machine has no {path}")
    if "open_tun" in snippet.code and not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun can't be opened here")
    if "task.keys" in snippet.code:
        trio.run(keys)
    if "CLONE.NEWUSER" in snippet.code:
        limit = Path("/proc/sys/user/max_user_namespaces")
        if not limit.exists() or int(limit.read_text("ascii")) == 0:
            pytest.skip("this kernel has no user namespaces, or they are switched off")


async def keys() -> None:
    async with open_local_task() as task:
        await need_keys(task)


def test_there_are_snippets_in_readme_and_tutorial() -> None:
    assert {"README.md", "tutorial.md"} <= {snippet.page.name for snippet in SNIPPETS}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_snippet_runs_and_prints_what_the_page_says(snippet: Snippet, tmp_path: Path) -> None:
    needs(snippet)

    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-c", snippet.code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )

    assert ran.stderr == ""
    assert ran.returncode == 0
    if snippet.output is not None:
        checker = doctest.OutputChecker()
        same = checker.check_output(snippet.output, ran.stdout, doctest.ELLIPSIS)
        assert same, f"{snippet} prints:\n{ran.stdout}"
