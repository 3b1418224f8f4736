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

    __slots__ = ("_taken", "_waiting")

    def __init__(self) -> None:
        self._taken = False
        self._waiting: trio.lowlevel.ParkingLot | None = None

    async def acquire(self) -> None:
        """Wait for one's turn. A checkpoint only if it has to be waited for."""
        if self._taken:
            if self._waiting is None:
                self._waiting = trio.lowlevel.ParkingLot()
            await self._waiting.park()  # whoever lets go hands it over
        self._taken = True

    def release(self) -> None:
        """Let the next one have it."""
        if self._waiting:
            self._waiting.unpark()
        else:
            self._taken = False

    async def __aenter__(self) -> None:
        await self.acquire()

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


@final
class Borrow:
    """``with child.borrow() as near_id``."""

    __slots__ = ("_child",)

    def __init__(self, child: Borrowable) -> None:
        self._child = child

    def __enter__(self) -> ids.Process:
        child = self._child
        if child.in_use:
            raise ChildBusyError(child)
        child.check_known_alive()
        child.in_use = True
        return child.near

    def __exit__(self, *_: object) -> None:
        self._child.in_use = False


@final
class Turn:
    """``async with`` it: waits for the child's other calls, then borrows the child."""

    __slots__ = ("_borrow", "_calls")

    def __init__(self, child: Borrowable) -> None:
        self._borrow = Borrow(child)
        self._calls = child.calls

    async def __aenter__(self) -> ids.Process:
        await self._calls.acquire()
        try:
            return self._borrow.__enter__()
        except BaseException:
            self._calls.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._borrow.__exit__()
        self._calls.release()
