"""``task.signals``: how the task takes signals, and waits for them."""

from __future__ import annotations

import select
from collections.abc import Awaitable, Callable
from typing import final, overload

import trio

from rsyscall_ns.handle.kinds.signalfd import SignalFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.signal_set import SignalSet, set_given, signals_of
from rsyscall_ns.handle.waiting import (
    BlocksLoopError,
    InterruptSignalError,
    Limit,
    in_seconds,
    look_until,
)
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.memory.siginfo import SIGINFO_T
from rsyscall_ns.memory.sigset import SIGSET
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.sigaction_h import Sigaction
from rsyscall_ns.near.abi.siginfo_h import AnySiginfo, SigaltStack
from rsyscall_ns.near.abi.signal_h import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIGSET_SIZE,
)
from rsyscall_ns.near.abi.time_h import ITIMER, Itimerval, Timespec, Timeval
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.calls import signals as near_signals
from rsyscall_ns.near.ids import Address, fit

__all__ = ["Signals"]

MICROSECONDS = 1_000_000
Take = Callable[[Address | None], Awaitable[int]]
Disposition = int | Sigaction | Pointer[Sigaction]


@final
class Signals:
    """System calls about how the task takes signals. Handlers can't be had: only C could run."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @overload
    async def sigaction(self, sig: int, disposition: Disposition | None = ...) -> int: ...

    @overload
    async def sigaction(
        self, sig: int, disposition: Disposition | None = ..., *, into: Pointer[Sigaction]
    ) -> Pointer[Sigaction]: ...

    async def sigaction(
        self,
        sig: int,
        disposition: Disposition | None = None,
        *,
        into: Pointer[Sigaction] | None = None,
    ) -> int | Pointer[Sigaction]:
        """Set a disposition (``SIG_DFL``, ``SIG_IGN``; None leaves it); returns the old one.

        A ``Sigaction``, or a pointer to one, has flags as well, such as ``SA.NOCLDWAIT``. ``into``:
        is filled with all about the old one. An ignored signal stays ignored across exec.
        ``sigaction(2)``.
        """
        task = self._task
        fit("signal", sig, 1, 64)
        if disposition is not None and sig == task.sysif.interrupt_signal():
            raise InterruptSignalError(sig)
        action = as_action(disposition)
        with given(task, action) as new, room(task, struct_of(Sigaction), into) as old:
            await near_signals.rt_sigaction(task.sysif, sig, new.address, old.address, SIGSET_SIZE)
            if disposition is not None:
                task.chosen_signals.add(sig)
            found = old.result()
        return found if isinstance(found, Pointer) else found.handler

    async def ignore(self, sig: int) -> None:
        """Ignore a signal, also after exec. ``sigaction(2)``."""
        await self.sigaction(sig, SIG_IGN)

    @trio.lowlevel.enable_ki_protection
    async def signalfd(self, signals: SignalSet, flags: int = 0) -> SignalFD:
        """Make an fd from which the task's blocked signals are read. ``signalfd(2)``."""
        task = self._task
        await task.sweep()
        with set_given(task, signals) as mask:
            made = await near_events.signalfd4(
                task.sysif, None, mask.address, SIGSET_SIZE, flags | O.CLOEXEC
            )
        return SignalFD(task, made)

    @overload
    async def sigprocmask(self, how: int = ..., signals: SignalSet = ...) -> frozenset[int]: ...

    @overload
    async def sigprocmask(
        self, how: int = ..., signals: SignalSet = ..., *, into: Pointer[frozenset[int]]
    ) -> Pointer[frozenset[int]]: ...

    async def sigprocmask(
        self,
        how: int = SIG_BLOCK,
        signals: SignalSet = (),
        *,
        into: Pointer[frozenset[int]] | None = None,
    ) -> frozenset[int] | Pointer[frozenset[int]]:
        """Change the signal mask; returns the old one. ``sigprocmask(2)``."""
        task = self._task
        wanted = signals if isinstance(signals, Pointer) else frozenset(signals)
        if how in {SIG_BLOCK, SIG_SETMASK}:
            self._spare_interrupt(signals_of(wanted))
        with set_given(task, wanted) as new, room(task, SIGSET, into) as old:
            await near_signals.rt_sigprocmask(
                task.sysif, how, new.address, old.address, SIGSET_SIZE
            )
            return old.result()

    @overload
    async def sigpending(self) -> frozenset[int]: ...

    @overload
    async def sigpending(self, *, into: Pointer[frozenset[int]]) -> Pointer[frozenset[int]]: ...

    async def sigpending(
        self, *, into: Pointer[frozenset[int]] | None = None
    ) -> frozenset[int] | Pointer[frozenset[int]]:
        """Return which blocked signals wait to be delivered. ``sigpending(2)``."""
        with room(self._task, SIGSET, into) as there:
            await near_signals.rt_sigpending(self._task.sysif, there.address, SIGSET_SIZE)
            return there.result()

    @overload
    async def sigwaitinfo(self, signals: SignalSet) -> AnySiginfo: ...

    @overload
    async def sigwaitinfo(
        self, signals: SignalSet, *, into: Pointer[AnySiginfo]
    ) -> Pointer[AnySiginfo]: ...

    async def sigwaitinfo(
        self, signals: SignalSet, *, into: Pointer[AnySiginfo] | None = None
    ) -> AnySiginfo | Pointer[AnySiginfo]:
        """Wait for one of several signals, take it, and return what came along.

        They should be blocked; else they do what they are set to. ``sigwaitinfo(2)``.
        """
        return await self._wait(signals, None, into)

    @overload
    async def sigtimedwait(
        self, signals: SignalSet, timeout: Timespec | Pointer[Timespec]
    ) -> AnySiginfo: ...

    @overload
    async def sigtimedwait(
        self,
        signals: SignalSet,
        timeout: Timespec | Pointer[Timespec],
        *,
        into: Pointer[AnySiginfo],
    ) -> Pointer[AnySiginfo]: ...

    async def sigtimedwait(
        self,
        signals: SignalSet,
        timeout: Timespec | Pointer[Timespec],
        *,
        into: Pointer[AnySiginfo] | None = None,
    ) -> AnySiginfo | Pointer[AnySiginfo]:
        """Wait as ``sigwaitinfo`` does; BlockingIOError when the time is over.

        ``sigtimedwait(2)``.
        """
        return await self._wait(signals, timeout, into)

    async def _wait(
        self,
        signals: SignalSet,
        timeout: Limit,
        into: Pointer[AnySiginfo] | None,
    ) -> AnySiginfo | Pointer[AnySiginfo]:
        task = self._task
        given_set = signals if isinstance(signals, Pointer) else frozenset(signals)
        wanted = signals_of(given_set)
        self._spare_interrupt(wanted)
        with set_given(task, given_set) as mask, room(task, SIGINFO_T, into) as there:

            async def take(time: Address | None) -> int:
                return await near_signals.rt_sigtimedwait(
                    task.sysif, mask.address, there.address, time, SIGSET_SIZE
                )

            if task.sysif.same_thread:
                await self._take_in_loop(wanted, timeout, take)
            else:
                with given(task, timeout) as time:
                    await take(time.address)
            return there.result()

    async def _take_in_loop(
        self,
        wanted: frozenset[int],
        timeout: Limit,
        take: Take,
    ) -> None:
        """Take a signal in the loop's own thread; a signalfd tells when there is one."""
        task = self._task
        limit = in_seconds(timeout, "rt_sigtimedwait", task.sysif)
        late: list[OSError] = []
        with given(task, Timespec()) as now:

            async def look() -> bool:
                try:
                    await take(now.address)
                except BlockingIOError as error:
                    late[:] = [error]
                    return False
                return True

            async with await self.signalfd(wanted, O.NONBLOCK) as bell:

                async def ready() -> None:
                    await task.sysif.wait_ready(bell.near.number, select.POLLIN)

                if not await look_until(limit, look, ready):
                    raise late[0]

    @overload
    async def sigaltstack(self) -> SigaltStack: ...

    @overload
    async def sigaltstack(self, *, into: Pointer[SigaltStack]) -> Pointer[SigaltStack]: ...

    async def sigaltstack(
        self, *, into: Pointer[SigaltStack] | None = None
    ) -> SigaltStack | Pointer[SigaltStack]:
        """Return where signal handlers have their stack. ``sigaltstack(2)``.

        It is not to be set: the only handler is the library's own.
        """
        with room(self._task, struct_of(SigaltStack), into) as old:
            await near_signals.sigaltstack(self._task.sysif, None, old.address)
            return old.result()

    async def alarm(self, seconds: int) -> int:
        """Have SIGALRM sent after so many seconds, 0: not; returns what was left. ``alarm(2)``.

        It is the timer ``ITIMER.REAL``, which is what is used where there is no such call.
        """
        new = Itimerval(value=Timeval(fit("seconds", seconds, 0, 2**32 - 1)))
        left = (await self.setitimer(ITIMER.REAL, new)).value
        # as the kernel rounds it: never down to 0
        return left.sec + (left.usec >= MICROSECONDS // 2 or (not left.sec and left.usec > 0))

    @overload
    async def getitimer(self, which: ITIMER) -> Itimerval: ...

    @overload
    async def getitimer(self, which: ITIMER, *, into: Pointer[Itimerval]) -> Pointer[Itimerval]: ...

    async def getitimer(
        self, which: ITIMER, *, into: Pointer[Itimerval] | None = None
    ) -> Itimerval | Pointer[Itimerval]:
        """Return how long an interval timer has to go. ``getitimer(2)``."""
        with room(self._task, struct_of(Itimerval), into) as there:
            await near_signals.getitimer(self._task.sysif, which, there.address)
            return there.result()

    @overload
    async def setitimer(self, which: ITIMER, new: Itimerval | Pointer[Itimerval]) -> Itimerval: ...

    @overload
    async def setitimer(
        self, which: ITIMER, new: Itimerval | Pointer[Itimerval], *, into: Pointer[Itimerval]
    ) -> Pointer[Itimerval]: ...

    async def setitimer(
        self,
        which: ITIMER,
        new: Itimerval | Pointer[Itimerval],
        *,
        into: Pointer[Itimerval] | None = None,
    ) -> Itimerval | Pointer[Itimerval]:
        """Set an interval timer, whose signal comes at its end; returns the old. ``getitimer(2)``.

        Exec keeps it.
        """
        task = self._task
        with given(task, new) as there, room(task, struct_of(Itimerval), into) as old:
            await near_signals.setitimer(task.sysif, which, there.address, old.address)
            return old.result()

    async def pause(self) -> None:
        """Wait, in a child, for a signal that ends it, or until this is cancelled. ``pause(2)``.

        It returns by no signal: the task has no handlers.
        """
        self._in_child("pause")
        old = await self.sigprocmask()
        await self.sigsuspend(old)

    async def sigsuspend(self, signals: SignalSet) -> None:
        """Wait as ``pause`` does, with these signals blocked and no others. ``sigsuspend(2)``.

        When it is cancelled the task has its own mask again.
        """
        self._in_child("sigsuspend")
        task = self._task
        given_set = signals if isinstance(signals, Pointer) else frozenset(signals)
        self._spare_interrupt(signals_of(given_set))
        with set_given(task, given_set) as mask:
            await near_signals.rt_sigsuspend(task.sysif, mask.address, SIGSET_SIZE)

    def _in_child(self, what: str) -> None:
        if self._task.sysif.same_thread:
            raise BlocksLoopError(what)

    def _spare_interrupt(self, signals: frozenset[int]) -> None:
        interrupt = self._task.sysif.interrupt_signal()
        if interrupt in signals:
            raise InterruptSignalError(interrupt or 0)


def as_action(disposition: Disposition | None) -> Sigaction | Pointer[Sigaction] | None:
    """Return what the kernel is given; a handler is refused, as only C could run."""
    if disposition is None:
        return None
    action = Sigaction(disposition) if isinstance(disposition, int) else disposition
    handler = action.peek().handler if isinstance(action, Pointer) else action.handler
    fit("disposition", handler, SIG_DFL, SIG_IGN)
    return action
