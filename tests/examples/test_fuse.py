"""examples/fuse.py: a file system is served."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fuse.py"


def test_a_program_reads_the_file_that_is_served() -> None:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("/dev/fuse can't be opened here")

    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.startswith("Hello from a file that nobody has written.\n")
    assert "INIT, LOOKUP, OPEN" in done.stdout
