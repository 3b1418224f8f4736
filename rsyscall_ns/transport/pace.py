"""Fairness: back-to-back calls let other trio tasks run at least once per millisecond.

Tasks that make them at the same time share that millisecond, so that it is over when each has had
its part of it.
"""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Final, final

import trio

__all__ = ["LIMIT", "Turns", "pace", "slept", "turns"]

LIMIT: Final = 0.001  # seconds
MOST: Final = 50  # tasks that share it; what more of them need comes on top
FORGET: Final = 1 / 16  # tasks a round: those that sleep at the moment come back


@final
class Turns(threading.local):
    """How long the tasks of this thread's loop go on without letting others have their turn."""

    def __init__(self) -> None:
        self.until = 0.0  # for whichever task runs
        self._tasks = 1.0  # how many share the time
        self._round: set[int] = set()  # who has let others run here since one has done so twice

    def ended(self) -> None:
        """Take note that the task that runs has let others run."""
        task = id(trio.lowlevel.current_task())
        if task in self._round or len(self._round) == MOST:
            self._tasks = max(len(self._round), self._tasks - FORGET)
            self._round.clear()
        self._round.add(task)
        self.until = perf_counter() + LIMIT / self._tasks


turns: Final = Turns()


slept: Final = turns.ended  # what a task says that has just been waiting


async def pace() -> None:
    """Be a checkpoint for cancellation, and now and then one for the scheduler."""
    if perf_counter() > turns.until:
        await trio.lowlevel.checkpoint()
        turns.ended()
    else:
        await trio.lowlevel.checkpoint_if_cancelled()
