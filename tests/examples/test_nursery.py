"""examples/nursery.py, as ``make demo`` runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nursery.py"


def test_the_demo_shows_all_three_children_and_exits_with_0() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "160", "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    )

    assert done.stderr == ""
    assert done.returncode == 0
    for seen in (
        "1 ",  # ps shows itself as process 1
        "ps ax",
        "steered",
        "from the child, while trio waits out here",
        "it goes on",
        "was stopped by SIGSTOP",
        "was continued by SIGCONT",
        "was killed by SIGKILL",
    ):
        assert seen in done.stdout
    ps = next(line for line in done.stdout.splitlines() if "ps ax in there" in line)
    assert ps.split("│")[3].split()[0] == "1"
