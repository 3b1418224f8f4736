"""A process of another user, who has no other."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from errno import EINVAL, EPERM
from typing import Final

import pytest

__all__ = ["SOMEBODY", "running_as_somebody"]

SOMEBODY: Final = 54321


@contextmanager
def running_as_somebody(*command: str) -> Generator[int, None, None]:
    """Start a command that does what ``cat`` does; yields its pid when it runs. Needs root."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            user=SOMEBODY,
            group=SOMEBODY,
            extra_groups=(),
        )
    except OSError as error:
        if error.errno not in {EINVAL, EPERM}:
            raise
        pytest.skip(f"this user namespace has no user {SOMEBODY}")
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.read(1) == b"\n"
        yield process.pid
        process.stdin.close()
