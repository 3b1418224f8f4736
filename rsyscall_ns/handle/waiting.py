"""How calls wait that have a timeout or a signal mask of their own.

A child waits in the kernel. The interpreter's own task never does: it looks, waits for readiness
together with the event loop, and looks again.
"""

from __future__ import annotations

import math
import select
from collections.abc import Awaitable, Callable, Sequence
from errno import EINVAL
from typing import TypeVar

import trio

from rsyscall_ns.near.abi.signal_h import pack_sigset
from rsyscall_ns.near.abi.time_h import SECOND, Timespec
from rsyscall_ns.near.errors import RsyscallError, kernel_error

from .patience import Patience
from .pointers.context import MemoryTask
from .pointers.pointer import Pointer
from .signal_set import SignalSet, signals_of

__all__ = [
    "BlocksLoopError",
    "InterruptSignalError",
    "Limit",
    "any_ready",
    "in_seconds",
    "look_until",
    "mask_given",
]

R = TypeVar("R")
Mask = bytes | Pointer[frozenset[int]] | None
Limit = Timespec | Pointer[Timespec] | None  # of a wait; None: for ever


class InterruptSignalError(RsyscallError):
    """The signal by which the server interrupts blocked calls was to be changed."""

    def __init__(self, sig: int) -> None:
        super().__init__(f"signal {sig} interrupts blocked calls of this task: use another one")


class BlocksLoopError(RsyscallError):
    """A call that can't but hold up the event loop was asked of the interpreter's own task."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} would hold up the event loop: do it in a child, async with task.spawn()"
        )


def mask_given(task: MemoryTask, what: str, sigmask: SignalSet | None) -> Mask:
    """Return a signal mask for the time of a wait, or refuse it.

    The interpreter's own task waits in the event loop, where it can't have another mask.
    """
    if sigmask is None:
        return None
    wanted = sigmask if isinstance(sigmask, Pointer) else frozenset(sigmask)
    interrupt = task.sysif.interrupt_signal()
    if interrupt in signals_of(wanted):
        raise InterruptSignalError(interrupt or 0)
    if task.sysif.same_thread:
        raise BlocksLoopError(f"{what} with a signal mask")
    return wanted if isinstance(wanted, Pointer) else pack_sigset(wanted)


async def look_until(
    timeout: float,
    look: Callable[[], Awaitable[R]],
    ready: Callable[[], Awaitable[None]],
) -> R:
    """Look, wait until it is worth it, and look again, until something is found or it is late."""
    end = trio.current_time() + timeout
    patience = Patience()
    found = await look()
    while not found and trio.current_time() < end:
        with trio.move_on_at(end):
            await patience.wait(ready)
        found = await look()
    return found


async def any_ready(task: MemoryTask, wanted: Sequence[tuple[int, int]]) -> None:
    """Wait, in the interpreter's own task, until one of several fds is ready for its events."""
    events: dict[int, int] = {}
    for number, mask in wanted:
        events[number] = events.get(number, 0) | mask
    with select.epoll() as epoll:
        for number, mask in events.items():
            try:
                epoll.register(number, mask)
            except PermissionError:
                continue  # a file that is always ready, and was not asked for what it is ready for
        try:
            await task.sysif.wait_ready(epoll.fileno(), select.POLLIN)
        finally:
            task.sysif.closing(epoll.fileno())


def in_seconds(limit: Limit, call: str, where: object) -> float:
    """Return how long a wait may take, as the event loop takes it.

    A time that is none raises the error that the kernel has for it in ``call``.
    """
    if limit is None:
        return math.inf
    time = limit.peek() if isinstance(limit, Pointer) else limit
    if time.sec < 0 or not 0 <= time.nsec < SECOND:
        raise kernel_error(EINVAL, call, where, time)
    return time.seconds
