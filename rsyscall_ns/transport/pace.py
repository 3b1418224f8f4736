"""Fairness: back-to-back calls let other trio tasks run at least once per millisecond."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Final

import trio

__all__ = ["LIMIT", "pace", "slept"]

LIMIT: Final = 0.001  # seconds


class _Last(threading.local):
    """When some task of this thread's loop last went through the scheduler here."""

    time = 0.0


_last = _Last()


def slept() -> None:
    """Take note that this task has just been waiting: others have had their turn."""
    _last.time = perf_counter()


async def pace() -> None:
    """Be a checkpoint for cancellation, and now and then one for the scheduler."""
    if perf_counter() - _last.time > LIMIT:
        await trio.lowlevel.checkpoint()
        _last.time = perf_counter()
    else:
        await trio.lowlevel.checkpoint_if_cancelled()
