"""What is done to an operation at each of its steps: a cancel, an error, a kill.

``at_each_step`` carries it out again and again, hurt one step later each time, until it has no more
steps; and each time nothing may be left of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from errno import EIO
from typing import Final

import trio
from attrs import frozen

from rsyscall_ns import SYS, RsyscallError
from tests.support.census import children, nothing_left
from tests.support.steps import Steps

__all__ = ["CANCEL", "ERROR", "HURTS", "KILL", "KILL_NEWEST", "Hurt", "at_each_step"]

RELEASING: Final = (SYS.close, SYS.waitid, SYS.munmap)  # what releases can't fail
GONE: Final = (RsyscallError, ProcessLookupError, FileNotFoundError)
Act = Callable[[], None]


@frozen
class Hurt:
    """One way of it.

    ``begin`` is called before each use, and what it returns at the step; ``allowed``: what the use
    may raise then, and ``results``: what it may return besides; ``spared`` calls are no steps.
    """

    name: str
    begin: Callable[[trio.CancelScope], Act]
    allowed: tuple[type[BaseException], ...] = ()
    results: frozenset[int | None] = frozenset()
    spared: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name


def cancelling(scope: trio.CancelScope) -> Act:
    return scope.cancel


def failing(scope: trio.CancelScope) -> Act:
    del scope

    def fail() -> None:
        raise OSError(EIO, "injected")

    return fail


def killing(scope: trio.CancelScope) -> Act:
    del scope
    before = children()

    def kill() -> None:
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)

    return kill


def killing_newest(scope: trio.CancelScope) -> Act:
    del scope
    before = children()

    def kill() -> None:
        new = children() - before
        if new:
            os.kill(max(new), signal.SIGKILL)

    return kill


KILLED: Final = frozenset({-signal.SIGKILL, None})
CANCEL: Final = Hurt("cancel", cancelling)
ERROR: Final = Hurt("error", failing, (OSError,), spared=RELEASING)
KILL: Final = Hurt("kill of all that is new", killing, GONE, KILLED)
KILL_NEWEST: Final = Hurt("kill of the newest", killing_newest, GONE, KILLED)
HURTS: Final = (CANCEL, ERROR, KILL)


async def at_each_step(
    steps: Steps,
    hurt: Hurt,
    use: Callable[[], Awaitable[object]],
    *,
    expected: object = None,
    least: int,
    flat: Callable[[], AbstractContextManager[None]] = nothing_left,
    after: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Use it, hurt at each step in turn; it has more than ``least``.

    ``expected`` is what it returns unless it was hurt. Each use is ``flat``, and ``after`` is
    awaited behind it.
    """
    steps.spare(*hurt.spared)
    assert await use() == expected
    for at in steps.moments(least):
        with flat():
            with trio.CancelScope() as scope, suppress(*hurt.allowed):
                steps.arm(at, hurt.begin(scope))
                found = await use()
                assert found == expected or found in hurt.results
            steps.disarm()
        if after is not None:
            await after()
