"""Fairness: back-to-back calls let other trio tasks run at least once per millisecond."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import trio

__all__ = ["LIMIT", "pace"]

LIMIT: Final = 0.001  # seconds
_last = [0.0]  # when some task last went through the scheduler here; one loop a thread is usual


async def pace() -> None:
    """Be a checkpoint for cancellation, and now and then one for the scheduler."""
    if perf_counter() - _last[0] > LIMIT:
        await trio.lowlevel.checkpoint()
        _last[0] = perf_counter()
    else:
        await trio.lowlevel.checkpoint_if_cancelled()
