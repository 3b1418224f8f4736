"""Clocks, timers, futexes, random bytes and the old asynchronous I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from rsyscall_ns import (
    CLOCK,
    FUTEX_OP,
    AioContext,
    AioOperation,
    FutexOp,
    FutexWaiter,
    Itimerspec,
    Pointer,
    PosixTimer,
    RobustListHead,
    Timespec,
    struct_of,
)

from .world import Call, World

__all__ = ["TABLE"]

NOTHING: Final = FutexOp(FUTEX_OP.ADD, 0)
NOW: Final = Timespec()
LATER: Final = Timespec(1)


def on_timer(use: Callable[[PosixTimer], Awaitable[object]]) -> Call:
    """Return a use of a timer, which is made and deleted whatever is cancelled."""

    async def call(world: World) -> None:
        made: list[PosixTimer] = []
        with trio.CancelScope(shield=True):
            made.append(await world.task.clock.timer_create(CLOCK.MONOTONIC))
        try:
            await use(made[0])
        finally:
            with trio.CancelScope(shield=True):
                await made[0].close()

    return call


def on_context(use: Callable[[AioContext, World], Awaitable[object]]) -> Call:
    """Return a use of a context, which is made and destroyed whatever is cancelled."""

    async def call(world: World) -> None:
        made: list[AioContext] = []
        with trio.CancelScope(shield=True):
            made.append(await world.task.aio.io_setup(1))
        try:
            await use(made[0], world)
        finally:
            with trio.CancelScope(shield=True):
                await made[0].close()

    return call


def on_word(use: Callable[[World, FutexWaiter], Awaitable[object]]) -> Call:
    """Return a use of a futex word."""

    async def call(world: World) -> None:
        made: list[Pointer[Timespec]] = []
        with trio.CancelScope(shield=True):
            made.append(await world.task.ptr(NOW))  # 16 bytes
        try:
            await use(world, FutexWaiter(made[0], 0))
        finally:
            made[0].free()

    return call


async def set_robust_list(world: World) -> None:
    made: list[Pointer[RobustListHead]] = []
    with trio.CancelScope(shield=True):
        made.append(await world.task.malloc(struct_of(RobustListHead)))
    await world.task.futex.set_robust_list(made[0])


TABLE: Final[dict[str, Call]] = {
    "Aio.io_setup": lambda w: w.task.aio.io_setup(1),
    "AioContext.close": on_context(lambda c, _: c.close()),
    "AioContext.io_cancel": on_context(lambda c, _: c.io_cancel(1)),
    "AioContext.io_destroy": on_context(lambda c, _: c.io_destroy()),
    "AioContext.io_getevents": on_context(lambda c, _: c.io_getevents()),
    "AioContext.io_pgetevents": on_context(lambda c, _: c.io_pgetevents()),
    "AioContext.io_submit": on_context(lambda c, w: c.io_submit(AioOperation.fsync(w.file))),
    "Clocks.clock_adjtime": lambda w: w.task.clock.clock_adjtime(CLOCK.REALTIME),
    "Clocks.clock_getres": lambda w: w.task.clock.clock_getres(CLOCK.REALTIME),
    "Clocks.clock_gettime": lambda w: w.task.clock.clock_gettime(CLOCK.REALTIME),
    "Clocks.clock_nanosleep": lambda w: w.task.clock.clock_nanosleep(CLOCK.REALTIME, LATER),
    "Clocks.clock_settime": lambda w: w.task.clock.clock_settime(CLOCK.MONOTONIC, NOW),
    "Clocks.timer_create": lambda w: w.task.clock.timer_create(CLOCK.MONOTONIC),
    "Futexes.cmp_requeue": on_word(lambda w, f: w.task.futex.cmp_requeue(f.word, 0, 0, f.word, 0)),
    "Futexes.cmp_requeue_pi": on_word(
        lambda w, f: w.task.futex.cmp_requeue_pi(f.word, 0, f.word, 0)
    ),
    "Futexes.futex_requeue": on_word(lambda w, f: w.task.futex.futex_requeue(f, f, 0, 0)),
    "Futexes.futex_wait": on_word(lambda w, f: w.task.futex.futex_wait(f.word, 0, timeout=NOW)),
    "Futexes.futex_waitv": on_word(lambda w, f: w.task.futex.futex_waitv([f], NOW)),
    "Futexes.futex_wake": on_word(lambda w, f: w.task.futex.futex_wake(f.word)),
    "Futexes.lock_pi": on_word(lambda w, f: w.task.futex.lock_pi(f.word, NOW)),
    "Futexes.lock_pi2": on_word(lambda w, f: w.task.futex.lock_pi2(f.word, NOW)),
    "Futexes.requeue": on_word(lambda w, f: w.task.futex.requeue(f.word, 0, 0, f.word)),
    "Futexes.set_robust_list": set_robust_list,
    "Futexes.trylock_pi": on_word(lambda w, f: w.task.futex.trylock_pi(f.word)),
    "Futexes.unlock_pi": on_word(lambda w, f: w.task.futex.unlock_pi(f.word)),
    "Futexes.wait": on_word(lambda w, f: w.task.futex.wait(f.word, 0, NOW)),
    "Futexes.wait_bitset": on_word(lambda w, f: w.task.futex.wait_bitset(f.word, 0, timeout=NOW)),
    "Futexes.wait_requeue_pi": on_word(
        lambda w, f: w.task.futex.wait_requeue_pi(f.word, 0, f.word, NOW)
    ),
    "Futexes.wake": on_word(lambda w, f: w.task.futex.wake(f.word)),
    "Futexes.wake_bitset": on_word(lambda w, f: w.task.futex.wake_bitset(f.word)),
    "Futexes.wake_op": on_word(lambda w, f: w.task.futex.wake_op(f.word, 0, f.word, 0, NOTHING)),
    "PosixTimer.close": on_timer(lambda t: t.close()),
    "PosixTimer.timer_delete": on_timer(lambda t: t.timer_delete()),
    "PosixTimer.timer_getoverrun": on_timer(lambda t: t.timer_getoverrun()),
    "PosixTimer.timer_gettime": on_timer(lambda t: t.timer_gettime()),
    "PosixTimer.timer_settime": on_timer(lambda t: t.timer_settime(Itimerspec())),
    "Randomness.getrandom": lambda w: w.task.random.getrandom(1),
}
