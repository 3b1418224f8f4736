"""One place of a trio run where readiness of many fds is awaited.

trio lets one task wait for one fd; here many tasks may wait for the same fd, and nothing has a
task of its own. Owns one epoll instance and one system task for each trio run that uses it, and
ends both with the last lease.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import final

import trio

__all__ = ["Hub", "acquire_hub"]

_current: trio.lowlevel.RunVar[Hub] = trio.lowlevel.RunVar("rsyscall_ns hub")


@final
class Hub:
    """Calls back when a registered fd is readable, for as long as it is."""

    __slots__ = ("_callbacks", "_epoll", "leases")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, list[Callable[[], None]]] = {}
        self.leases = 0

    def add(self, fd: int, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever ``fd`` is readable or at its end; ``remove`` ends it."""
        callbacks = self._callbacks.setdefault(fd, [])
        if not callbacks:
            self._epoll.register(fd, select.EPOLLIN)
        callbacks.append(callback)

    def remove(self, fd: int, callback: Callable[[], None]) -> None:
        """Call ``callback`` no more; needed before ``fd`` is closed. Idempotent."""
        callbacks = self._callbacks.get(fd)
        if callbacks is None or callback not in callbacks:
            return
        callbacks.remove(callback)
        if not callbacks:
            del self._callbacks[fd]
            self._epoll.unregister(fd)

    async def wait_readable(self, fd: int) -> None:
        """Wait until ``fd`` is readable; any number of tasks may wait for the same one."""
        event = trio.Event()
        self.add(fd, event.set)
        try:
            await event.wait()
        finally:
            self.remove(fd, event.set)

    async def run(self) -> None:
        """Call back until the last lease is given back; the hub's one system task."""
        try:
            while True:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
                for fd, _ in self._epoll.poll(0):
                    for callback in tuple(self._callbacks.get(fd, ())):
                        callback()
        except (trio.ClosedResourceError, ValueError):
            pass  # the last lease was given back: ValueError is a closed epoll object's

    def lease(self) -> None:
        """Count one more user."""
        self.leases += 1

    def release(self) -> None:
        """Give a lease back; with the last one the epoll instance is closed."""
        self.leases -= 1
        if self.leases == 0:
            trio.lowlevel.notify_closing(self._epoll.fileno())
            self._epoll.close()


def acquire_hub() -> Hub:
    """Return this trio run's hub, made if need be, with one more lease; ``release`` it."""
    try:
        hub = _current.get()
    except LookupError:
        hub = None
    if hub is None or not hub.leases:
        hub = Hub()
        _current.set(hub)
        trio.lowlevel.spawn_system_task(hub.run, name="rsyscall_ns hub")
    hub.lease()
    return hub
