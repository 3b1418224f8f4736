"""Lowering a process's limits for the time of a block."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager

from tests.support.procview import fd_numbers

__all__ = ["fd_table_full"]


@contextmanager
def fd_table_full(pid: int, left: int = 0) -> Generator[None, None, None]:
    """Let a process open no further fd, or as many as are ``left``.

    ``RLIMIT_NOFILE`` bounds the number of the next fd, so it is set to the lowest that is free
    when those are open.
    """
    used = fd_numbers(pid)
    free = [number for number in range(len(used) + left + 1) if number not in used]
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[left], before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
