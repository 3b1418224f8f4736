"""How it becomes known that there is something new of a ring: its doorbell, and its process's end.

The hub tells, from the first call on. A process that does nothing but exec needs it not: then who
waits for that sleeps on both by itself, which takes fewer steps.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import final

import trio

from rsyscall_ns.near.ffi import Ring, lib

from .doorbell import Doorbell
from .hub import Hub, is_ready
from .pace import slept
from .posting import both

__all__ = ["News"]


@final
class News:
    """Of one ring. Everything is borrowed; ``pidfd`` is -1 for a thread."""

    __slots__ = ("_alone", "_doorbell", "_hub", "_pidfd", "watched")

    def __init__(self, hub: Hub, doorbell: Doorbell, pidfd: int) -> None:
        self._hub = hub
        self._doorbell = doorbell
        self._pidfd = pidfd
        self._alone: select.epoll | None = None  # what somebody sleeps on without the hub
        self.watched = False  # whether the hub tells

    def watch(self, on_bell: Callable[[], None], on_end: Callable[[], None]) -> None:
        """Have the hub tell, until ``ignore``."""
        self._hub.add(self._doorbell.fileno(), on_bell)
        self.watched = True
        if self._pidfd >= 0:
            # others may share its fd table, or have a copy: then its death closes no doorbell
            try:
                self._hub.add(self._pidfd, on_end)
            except BaseException:
                self.ignore(on_bell, on_end)
                raise
        self._wake()

    def ignore(self, on_bell: Callable[[], None], on_end: Callable[[], None]) -> None:
        """Have it tell no more. Idempotent."""
        if self.watched:
            self.watched = False
            self._hub.remove(self._doorbell.fileno(), on_bell)
            self._hub.remove(self._pidfd, on_end)
        self._wake()

    def _wake(self) -> None:
        if self._alone is not None:
            trio.lowlevel.notify_closing(self._alone.fileno())

    def ended(self) -> bool:
        """Look whether the process has exec'd or died.

        What the doorbell has said is taken out: so whoever sleeps is woken, to look as well.
        """
        self._wake()
        return not self._doorbell.drain() or (self._pidfd >= 0 and is_ready(self._pidfd))

    def prepare(self) -> None:
        """Have somebody ``sleep`` soon, if the hub does not tell; OSError: no fd is left for it."""
        if not self.watched and self._alone is None and self._pidfd >= 0:
            self._alone = both(self._doorbell.fileno(), self._pidfd)

    async def sleep(self, ring: Ring, slot: int) -> bool:
        """Sleep until what was posted may be done, if prepared; returns whether Ctrl-C came first.

        Also ends with ``watch`` and ``ignore``, and when it is to be cancelled: then who calls goes
        on waiting in a way that tells whether it can be.
        """
        ends = self._alone
        if ends is None:
            return False
        try:
            lib.rs_ring_arm(ring)
            if not lib.rs_ring_done(ring, slot):
                await trio.lowlevel.wait_readable(ends.fileno())
                slept()
        except KeyboardInterrupt:
            return True
        except (trio.ClosedResourceError, trio.Cancelled, OSError):
            pass
        finally:
            self._alone = None
            ends.close()
        return False
