"""examples/container.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "container.py"


def test_it_shows_a_root_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "I am 0 on box, process 1, in /home"
    assert {"dev", "home", "proc", "usr"} <= set(lines)
    assert "root" not in lines
    assert lines[-1] == "/usr can't be written"
