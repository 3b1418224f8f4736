"""How a child is borrowed: for one use at a time."""

from __future__ import annotations

from typing import Protocol, final

import trio

from rsyscall_ns.near import ids

from .child_errors import ChildBusyError

__all__ = ["Borrow", "Borrowable", "Turn"]


class Borrowable(Protocol):
    """A child, as far as borrowing it goes."""

    near: ids.Process
    in_use: bool
    calls: trio.Lock

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
        try:
            self._calls.acquire_nowait()  # the usual case, without a pass of the scheduler
        except trio.WouldBlock:
            await self._calls.acquire()
        try:
            return self._borrow.__enter__()
        except BaseException:
            self._calls.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._borrow.__exit__()
        self._calls.release()
