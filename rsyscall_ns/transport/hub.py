"""One place of a trio run where readiness of many fds is awaited.

trio lets one task wait for one fd; here many tasks may wait for the same fd, and nothing has a
task of its own. Owns one epoll instance and one system task for each trio run that uses it, and
ends both with the last lease.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress
from typing import final

import trio

from .pace import slept

__all__ = ["Hub", "acquire_hub", "is_ready"]

_current: trio.lowlevel.RunVar[Hub] = trio.lowlevel.RunVar("rsyscall_ns hub")


Callback = tuple[int, Callable[[], None]]
ALWAYS = select.EPOLLERR | select.EPOLLHUP  # reported whether asked for or not


def mask(callbacks: list[Callback]) -> int:
    """Return all that is asked for."""
    events = 0
    for wanted, _ in callbacks:
        events |= wanted
    return events


def is_ready(fd: int, events: int = select.POLLIN) -> bool:
    """Return whether an fd is ready now, or at its end."""
    poller = select.poll()
    poller.register(fd, events)
    return bool(poller.poll(0))


@final
class Hub:
    """Calls back when a registered fd is readable, for as long as it is."""

    __slots__ = ("_callbacks", "_direct", "_epoll", "leases")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, list[Callback]] = {}
        self._direct: set[int] = set()  # awaited by one task each, by trio itself
        self.leases = 0

    def add(self, fd: int, callback: Callable[[], None], events: int = select.EPOLLIN) -> None:
        """Call ``callback`` whenever ``fd`` is ready or at its end, until ``remove``."""
        callbacks = self._callbacks.setdefault(fd, [])
        callbacks.append((events, callback))
        try:
            if len(callbacks) == 1:
                self._epoll.register(fd, events)
                return
            try:
                self._epoll.modify(fd, mask(callbacks))
            except FileNotFoundError:
                # the fd was closed behind our back and is another one now
                self._epoll.register(fd, mask(callbacks))
        except BaseException:
            callbacks.pop()
            if not callbacks:
                del self._callbacks[fd]
            raise

    def remove(self, fd: int, callback: Callable[[], None]) -> None:
        """Call ``callback`` no more; needed before ``fd`` is closed. Idempotent."""
        callbacks = self._callbacks.get(fd)
        if callbacks is None:
            return
        left = [entry for entry in callbacks if entry[1] != callback]
        if len(left) == len(callbacks):
            return
        try:
            if left:
                self._callbacks[fd] = left
                self._epoll.modify(fd, mask(left))
            else:
                del self._callbacks[fd]
                self._epoll.unregister(fd)
        except OSError:
            pass  # closed already: then epoll has forgotten it

    async def wait_ready(self, fd: int, events: int = select.EPOLLIN) -> None:
        """Wait until ``fd`` is ready or ``closing``; many tasks may wait for the same one."""
        if events == select.EPOLLIN and fd not in self._direct:
            # the usual case: the only one that waits, hence without a detour
            self._direct.add(fd)
            try:
                await trio.lowlevel.wait_readable(fd)
                slept()
            except trio.ClosedResourceError:
                return
            except trio.BusyResourceError:
                pass  # the program itself waits for it
            else:
                return
            finally:
                self._direct.discard(fd)
        event = trio.Event()
        self.add(fd, event.set, events)
        try:
            await event.wait()
            slept()
        finally:
            self.remove(fd, event.set)

    def closing(self, fd: int) -> None:
        """Wake those that wait for ``fd``, which is about to be closed."""
        if fd in self._direct:
            trio.lowlevel.notify_closing(fd)
        for _, callback in self._callbacks.pop(fd, []):
            callback()
            with suppress(OSError):
                self._epoll.unregister(fd)

    async def run(self) -> None:
        """Call back until the last lease is given back; the hub's one system task."""
        while True:
            try:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
                found = self._epoll.poll(0)
            except (trio.ClosedResourceError, ValueError):
                return  # the last lease was given back: ValueError is a closed epoll object's
            for fd, ready in found:
                for events, callback in tuple(self._callbacks.get(fd, ())):
                    if ready & (events | ALWAYS):
                        callback()

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
