"""What becomes of containers that were started outside any scope, when the trio run ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import final

import trio

__all__ = ["keep", "let_go"]


AtEnd = Callable[[], Awaitable[None]]


@final
class Keeper:
    """Knows them, and has a system task, which trio cancels when the main task has ended."""

    __slots__ = ("kept",)

    def __init__(self) -> None:
        self.kept: dict[object, AtEnd] = {}

    async def run(self) -> None:
        """Sleep until the run ends, then end them all."""
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                async with trio.open_nursery() as nursery:
                    for at_end in list(self.kept.values()):
                        nursery.start_soon(ended, at_end)


@trio.lowlevel.enable_ki_protection  # which a nursery's tasks have not, even of a system task
async def ended(at_end: AtEnd) -> None:
    """End one. Ctrl-C comes out of the run when all have ended."""
    await at_end()


_keeper: trio.lowlevel.RunVar[Keeper] = trio.lowlevel.RunVar("rsyscall_ns containers")


def keep(kept: object, at_end: AtEnd) -> None:
    """Have ``at_end`` called at the end of the run, unless it is let go before."""
    try:
        keeper = _keeper.get()
    except LookupError:
        keeper = Keeper()
        _keeper.set(keeper)
        trio.lowlevel.spawn_system_task(keeper.run, name="rsyscall_ns containers")
    keeper.kept[kept] = at_end


def let_go(kept: object) -> None:
    """Forget it. Idempotent."""
    try:
        _keeper.get().kept.pop(kept, None)
    except LookupError:
        return
