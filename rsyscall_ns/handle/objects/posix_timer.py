"""PosixTimer: a timer of a process, that signals when it expires."""

from __future__ import annotations

from contextlib import suppress
from typing import Self, final, overload

import trio

from rsyscall_ns.far.namespaces import FDTable
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.time_h import TIMER, Itimerspec
from rsyscall_ns.near.calls import clock as near_clock
from rsyscall_ns.near.calls.base import call_here
from rsyscall_ns.near.errors import RsyscallError, TaskLostError
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.transport.pace import pace

__all__ = ["PosixTimer", "TimerDeletedError"]

ITIMERSPEC = struct_of(Itimerspec)


class TimerDeletedError(RsyscallError):
    """A timer was used after it had been deleted, or after exec had ended it."""

    def __init__(self) -> None:
        super().__init__("the timer is deleted: make another one")


@final
class PosixTimer:
    """``async with await task.clock.timer_create(clock) as timer``.

    One whose handle was forgotten is deleted at once, that of a child when it makes the next one.
    """

    __slots__ = ("__weakref__", "_forgotten", "_number", "_space", "task")

    def __init__(self, task: MemoryTask, number: int, forgotten: list[int]) -> None:
        """Take over a timer; ``forgotten`` gets its number if nobody deletes it."""
        self.task = task
        self._number = number
        self._forgotten = forgotten
        self._space = task.address_space  # exec leaves it, and ends the timer
        task.handles.add(self)

    def __repr__(self) -> str:
        number = self._number if self.valid else "deleted"
        return f"PosixTimer({number}, {self.task!r})"

    def __del__(self) -> None:
        number, self._number = getattr(self, "_number", -1), -1
        if number < 0 or self._space is not self.task.address_space:
            return
        if self.task.sysif.same_thread:
            call_here(SYS.timer_delete, number)
        else:
            self._forgotten.append(number)

    @property
    def valid(self) -> bool:
        """Whether it was neither deleted, nor ended by exec."""
        return self._number >= 0 and self._space is self.task.address_space

    @property
    def near(self) -> int:
        """The timer's id, as in ``TimerSiginfo``; raises TimerDeletedError when it is deleted."""
        if not self.valid:
            raise TimerDeletedError
        return self._number

    def moved(self, table: FDTable) -> None:
        """Stay as it is: a timer is of no fd table."""

    @overload
    async def timer_settime(
        self, new: Itimerspec | Pointer[Itimerspec], flags: TIMER = ...
    ) -> Itimerspec: ...

    @overload
    async def timer_settime(
        self,
        new: Itimerspec | Pointer[Itimerspec],
        flags: TIMER = ...,
        *,
        into: Pointer[Itimerspec],
    ) -> Pointer[Itimerspec]: ...

    async def timer_settime(
        self,
        new: Itimerspec | Pointer[Itimerspec],
        flags: TIMER = TIMER.NONE,
        *,
        into: Pointer[Itimerspec] | None = None,
    ) -> Itimerspec | Pointer[Itimerspec]:
        """Arm the timer, or disarm it (a value of 0); returns what was left. ``timer_settime(2)``.

        ``flags``: with ``TIMER.ABSTIME`` the value is a time of the timer's clock.
        """
        task = self.task
        with given(task, new) as there, room(task, ITIMERSPEC, into) as old:
            await near_clock.timer_settime(task.sysif, self.near, flags, there.address, old.address)
            return old.result()

    @overload
    async def timer_gettime(self) -> Itimerspec: ...

    @overload
    async def timer_gettime(self, *, into: Pointer[Itimerspec]) -> Pointer[Itimerspec]: ...

    async def timer_gettime(
        self, *, into: Pointer[Itimerspec] | None = None
    ) -> Itimerspec | Pointer[Itimerspec]:
        """Return how long it has to go, all 0 if it is disarmed. ``timer_settime(2)``."""
        with room(self.task, ITIMERSPEC, into) as there:
            await near_clock.timer_gettime(self.task.sysif, self.near, there.address)
            return there.result()

    async def timer_getoverrun(self) -> int:
        """Return how often it had expired once more when its last signal was taken.

        ``timer_getoverrun(2)``.
        """
        return await near_clock.timer_getoverrun(self.task.sysif, self.near)

    @trio.lowlevel.enable_ki_protection
    async def timer_delete(self) -> None:
        """Delete the timer; a signal that is under way still comes. Consumes it; idempotent.

        ``timer_delete(2)``.
        """
        if not self.valid:
            await pace()
            return
        number, self._number = self._number, -1
        # one that is lost has gone with its process
        with trio.CancelScope(shield=True), suppress(TaskLostError):
            await near_clock.timer_delete(self.task.sysif, number)
        await pace()

    async def close(self) -> None:
        """Delete the timer, as ``timer_delete`` does."""
        await self.timer_delete()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.timer_delete()
