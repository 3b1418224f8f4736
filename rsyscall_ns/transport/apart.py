"""Waiting for something that has to come to its end.

trio keeps a cancel from what is shielded, but not Ctrl-C: that comes out wherever the main task
waits. What it waits for in here is therefore done by another task.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio

__all__ = ["to_the_end"]

T = TypeVar("T")
working: Final[set[trio.lowlevel.Task]] = set()  # tasks of ours, which no Ctrl-C comes out of


async def to_the_end(function: Callable[[], Awaitable[T]]) -> T:
    """Await a function; neither a cancel nor Ctrl-C breaks it off."""
    me = trio.lowlevel.current_task()
    nursery = me.parent_nursery
    root = trio.lowlevel.current_root_task()
    if nursery is None or nursery.parent_task is not root or me in working:
        with trio.CancelScope(shield=True):
            return await function()

    results: list[T] = []
    failures: list[BaseException] = []

    async def apart() -> None:
        worker = trio.lowlevel.current_task()
        working.add(worker)
        try:
            results.append(await function())
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)
        working.discard(worker)
        trio.lowlevel.reschedule(me)

    trio.lowlevel.spawn_system_task(apart, name=f"rsyscall_ns, for {me.name}")
    await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
    if failures:
        raise failures.pop()
    return results.pop()
