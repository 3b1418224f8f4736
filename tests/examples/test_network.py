"""examples/network.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.networks import need_bridges

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "network.py"


def test_both_hear_what_the_server_says() -> None:
    need_bridges()

    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "a container hears: hello 10.77.0.3, this is 10.77.0.2",
        "the caller hears: hello 10.77.0.1, this is 10.77.0.2",
    ]
