"""The guard that fails any test in which the trio loop was held for too long.

Every task step is timed. What is not the step's fault is taken off: time that the thread was ready
but another process had the CPU, which the kernel counts in ``/proc/thread-self/schedstat``, and
collections of Python's garbage, which is all that the whole test run has piled up. A step can't be
judged while another thread runs Python (``beside_a_thread``): each call that lets go of the
interpreter's lock waits for that thread's turn. A machine that stood still altogether counts
nothing; so a test that failed by this and nothing else is run again, twice at most, and pytest's
closing line says how often that was (``--reruns`` in pyproject.toml).
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter_ns
from typing import Any, ClassVar, Final, TypeVar, final

import pytest
import trio

__all__ = [
    "LIMIT",
    "HangsError",
    "LoopGuard",
    "LoopHeldError",
    "beside_a_thread",
    "guarded_run",
    "unguarded_run",
]

T = TypeVar("T")
LIMIT: Final = 50_000_000  # nanoseconds
PATIENCE: Final = 60  # seconds; a test that takes longer hangs
FRESH: Final = 5_000_000  # nanoseconds; how old the reading of the run queue may be
unguarded_run = trio.run


class LoopHeldError(AssertionError):
    """A task step kept all other tasks from running for too long."""

    def __init__(self, held: Sequence[tuple[str, int]]) -> None:
        steps = ", ".join(f"{name} for {spent // 1_000_000} ms" for name, spent in held)
        super().__init__(f"the event loop was held by {steps}; the limit is {LIMIT // 1_000_000}")


class HangsError(AssertionError):
    """A trio run did not end, not even by being cancelled."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the run did not end within {seconds} s, and could not be cancelled")


STEAL = 8  # which word of /proc/stat
HERTZ = os.sysconf("SC_CLK_TCK")


@final
class LoopGuard(trio.abc.Instrument):
    """Times every task step; ``held`` lists those that were too long."""

    running: ClassVar[set[LoopGuard]] = set()

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.beside = False
        self.held: list[tuple[str, int]] = []
        self._began = 0
        self._schedstat = -1
        self._stat = -1
        self._read_at = 0
        self._waited = 0
        self._collecting = 0
        self._collected = 0

    def before_run(self) -> None:
        """Open the thread's own statistics; ``after_run`` closes them."""
        self.running.add(self)
        gc.callbacks.append(self._on_collection)
        self._schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        self._stat = os.open("/proc/stat", os.O_RDONLY | os.O_CLOEXEC)

    def after_run(self) -> None:
        """Close what ``before_run`` opened."""
        self.running.discard(self)
        os.close(self._schedstat)
        os.close(self._stat)
        gc.callbacks.remove(self._on_collection)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Begin to time; reading the run queue's clock now and then is enough for 5 ms."""
        del task
        now = perf_counter_ns()
        if now - self._read_at > FRESH:
            self._waited = self._taken_away()
            now = self._read_at = perf_counter_ns()
        self._began = now
        self._collected = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Judge the step."""
        spent = perf_counter_ns() - self._began
        if spent > self.limit and not self.beside:
            spent -= self._taken_away() - self._waited + self._collected
            self._read_at = 0
            if spent > self.limit:
                self.held.append((task.name, spent))

    def _on_collection(self, phase: str, info: Mapping[str, int]) -> None:
        del info
        if phase == "start":
            self._collecting = perf_counter_ns()
        else:
            self._collected += perf_counter_ns() - self._collecting

    def _taken_away(self) -> int:
        """Return for how many nanoseconds others kept us from running.

        Other threads: time on the run queue. Other machines on the same hardware: steal time.
        """
        queued = int(os.pread(self._schedstat, 128, 0).split()[1])
        stolen = int(os.pread(self._stat, 256, 0).split()[STEAL]) * 1_000_000_000 // HERTZ
        return queued + stolen


@asynccontextmanager
async def beside_a_thread(work: Callable[[], object]) -> AsyncGenerator[None]:
    """Have another thread do Python's ``work`` over and over; the block's steps are not judged."""
    ended = threading.Event()

    def over_and_over() -> None:
        while not ended.is_set():
            work()
            os.sched_yield()  # else it would have the loop's turns as well

    thread = threading.Thread(target=over_and_over)
    guards = [guard for guard in LoopGuard.running if not guard.beside]
    for guard in guards:
        guard.beside = True
    thread.start()
    its = f"/proc/self/task/{thread.native_id}"
    try:
        yield
    finally:
        ended.set()
        thread.join()
        while os.access(its, os.F_OK):  # Python 3.11 does not wait for the very end of it
            os.sched_yield()
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()  # so that this step is the thread's too
        for guard in guards:
            guard.beside = False


@contextmanager
def broken_off_after(seconds: int) -> Generator[None, None, None]:
    """Raise HangsError in the block, wherever it is, when the time is up (main thread only)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_alarm(number: int, frame: object) -> None:
        del number, frame
        raise HangsError(seconds)

    before = signal.signal(signal.SIGALRM, on_alarm)
    left = signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(left)
        signal.signal(signal.SIGALRM, before)


def raise_a_skip(group: BaseExceptionGroup[BaseException]) -> None:
    """Raise what has skipped a test, if nothing else is in nested groups."""
    skips, others = group.split(pytest.skip.Exception)
    while skips is not None and others is None:
        first = skips.exceptions[0]
        if not isinstance(first, BaseExceptionGroup):
            raise first from None
        skips = first


def guarded_run(
    async_fn: Callable[..., Awaitable[T]],
    *args: object,
    instruments: Sequence[trio.abc.Instrument] = (),
    **options: Any,  # noqa: ANN401 - whatever trio.run takes besides
) -> T:
    """Do what ``trio.run`` does, and raise LoopHeldError if a step was too long.

    A run that hangs is cancelled after a minute, and if that does not end it, broken off.
    """

    async def limited() -> T:
        with trio.fail_after(PATIENCE):
            return await async_fn(*args)

    guard = LoopGuard()
    with broken_off_after(PATIENCE * 3 // 2):
        try:
            result = unguarded_run(limited, instruments=[*instruments, guard], **options)
        except BaseExceptionGroup as group:
            raise_a_skip(group)  # pytest-trio makes one without its reason
            raise
    if guard.held:
        raise LoopHeldError(guard.held)
    return result
