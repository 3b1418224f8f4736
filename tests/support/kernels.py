"""What the kernel of this machine is, and what it shows of a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stopping import kernel_version

__all__ = ["needs", "proc_file"]


def needs(*version: int) -> None:
    """Skip the test where Linux is older."""
    if kernel_version() < version:
        pytest.skip(f"it came with Linux {'.'.join(map(str, version))}")


def proc_file(pid: int, name: str) -> bytes:
    """Return what a file of ``/proc/PID`` has in it."""
    return Path(f"/proc/{pid}/{name}").read_bytes()
