"""Patience: waiting for what the kernel tells of, though not always rightly, or not at all."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Container
from typing import Final, TypeVar, final

import trio

__all__ = ["Patience", "asked_again"]

R = TypeVar("R")
FIRST_PAUSE: Final = 0.001  # seconds
LONGEST_PAUSE: Final = 0.05


@final
class Patience:
    """Waits for readiness; where that is told again and again for nothing, with pauses.

    An eventfd is ready for a write, say, though not for one of a value that is so large.
    """

    __slots__ = ("_pause",)

    def __init__(self) -> None:
        self._pause = 0.0

    async def wait(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Wait until it is worth another try."""
        if self._pause:
            await trio.sleep(self._pause)
        began = trio.current_time()
        await ready()
        at_once = trio.current_time() - began < FIRST_PAUSE
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE) if at_once else 0.0


async def asked_again(
    attempt: Callable[[], Awaitable[R]], busy: Container[int | None], timeout: float = math.inf
) -> R:
    """Ask until the error is none of ``busy``, at least 20 times a second.

    For what the kernel tells nobody of: when a lock is free, or a queue of connections has room.
    ``timeout``: in seconds; after it the error is raised.
    """
    end = trio.current_time() + timeout
    pause = FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except OSError as error:
            if error.errno not in busy or trio.current_time() >= end:
                raise
        await trio.sleep_until(min(trio.current_time() + pause, end))
        pause = min(2 * pause, LONGEST_PAUSE)
