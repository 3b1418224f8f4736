"""Lowering a process's limits for the time of a block."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["fd_table_full"]


@contextmanager
def fd_table_full(pid: int) -> Iterator[None]:
    """Let a process open no further fd.

    ``RLIMIT_NOFILE`` bounds the number of the next fd, so it is set to the lowest that is free.
    """
    names = os.listdir(f"/proc/{pid}/fd")
    # the listing's own fd is among ours, and closed by now
    used = {int(name) for name in names if os.path.lexists(f"/proc/{pid}/fd/{name}")}
    lowest = next(number for number in range(len(used) + 1) if number not in used)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
