"""How long a process may take to answer an interrupt before it counts as lost.

One that is stopped, or in an uninterruptible sleep, does not answer. Owns one system task while an
answer is awaited.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

import trio

__all__ = ["GRACE", "Grace"]

GRACE: Final = 1.0  # seconds


@final
class Grace:
    """Calls ``lose`` when an entry of a ring has not been answered in time."""

    __slots__ = ("_asked", "_lose", "_watching", "seconds")

    def __init__(self, lose: Callable[[], None]) -> None:
        self._lose = lose
        self._asked: dict[int, float] = {}
        self._watching = False
        self.seconds = GRACE

    def asked(self, slot: int) -> None:
        """Begin to wait for the answer of an entry."""
        self._asked[slot] = trio.current_time()
        if not self._watching:
            self._watching = True
            trio.lowlevel.spawn_system_task(self._watch, name="rsyscall_ns awaits an answer")

    def answered(self, slot: int) -> None:
        """Wait for it no more. Idempotent."""
        self._asked.pop(slot, None)

    async def _watch(self) -> None:
        try:
            while self._asked:
                first = min(self._asked.values())
                await trio.sleep_until(first + self.seconds)
                if first in self._asked.values():
                    self._asked.clear()
                    self._lose()
        finally:
            self._watching = False
