"""How a child is borrowed: for one use at a time."""

from __future__ import annotations

from typing import Protocol, final

import trio

from rsyscall_ns.near import ids

from .child_errors import ChildBusyError

__all__ = ["Borrow", "Borrowable", "Calls", "Turn"]


@final
class Calls:
    """A lock for the calls that are made about one child, in the order in which they come.

    ``trio.Lock`` in the few steps that its usual, free case takes: each child has one.
    """

    __slots__ = ("_waiting", "taken")

    def __init__(self) -> None:
        self.taken = False
        self._waiting: trio.lowlevel.ParkingLot | None = None

    @trio.lowlevel.enable_ki_protection
    async def acquire(self) -> None:
        """Wait for one's turn. A checkpoint only if it has to be waited for."""
        if self.taken:
            if self._waiting is None:
                self._waiting = trio.lowlevel.ParkingLot()
            await self._waiting.park()  # whoever lets go hands it over
        self.taken = True

    @trio.lowlevel.enable_ki_protection
    def release(self) -> None:
        """Let the next one have it."""
        if self._waiting:
            self._waiting.unpark()
        else:
            self.taken = False

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> None:
        await self.acquire()

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        self.release()


class Borrowable(Protocol):
    """A child, as far as borrowing it goes."""

    near: ids.Process
    in_use: bool
    calls: Calls

    def check_known_alive(self) -> None:
        """Refuse what is known to be dead, or may be."""
        ...


def take(child: Borrowable) -> None:
    """Begin a use of the child's id, if that is possible."""
    if child.in_use:
        raise ChildBusyError(child)
    child.check_known_alive()
    child.in_use = True


@final
class Borrow:
    """``with child.borrow() as near_id``."""

    __slots__ = ("_child",)

    def __init__(self, child: Borrowable) -> None:
        self._child = child

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> ids.Process:
        take(self._child)
        return self._child.near

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        self._child.in_use = False


@final
class Turn:
    """``async with`` it: waits for the child's other calls, then borrows the child."""

    __slots__ = ("_child",)

    def __init__(self, child: Borrowable) -> None:
        self._child = child

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> ids.Process:
        child = self._child
        if child.calls.taken:
            await child.calls.acquire()
        child.calls.taken = True
        try:
            take(child)
        except BaseException:
            child.calls.release()
            raise
        return child.near

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        self._child.in_use = False
        self._child.calls.release()
