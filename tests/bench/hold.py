"""For how long starting programs, and making calls, keep the event loop from everything else.

The loop is held for as long as one step of a task takes: nothing else runs in between. What the
clock says of the worst of many steps is on a busy machine how long *others* had the processor.
The kernel tells the two apart: a step that never slept was held for its own processor time; one
that did, for all the time but that on the run queue. What a virtual machine loses to others still
counts, so several batches are measured: it can only add, and the least of the worsts is the
nearest to what the program does itself. A loop of fixed length shows what is left of the noise.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from statistics import median
from time import perf_counter_ns, thread_time_ns
from typing import Final, final

import trio

from rsyscall_ns import CLONE, Task

from .floor import Floor
from .measure import Case, Goal, Row, Samples
from .programs import ARGUMENTS, NONE, PATH, SEVEN, launched, ran, run_process, steered

__all__ = ["hold_cases"]

Longest = Callable[[], Awaitable[tuple[int, int]]]  # nanoseconds: as told apart, by the clock
MOST: Final = 0.15  # ms
MOST_OF_TEN: Final = 2  # ms
TEN: Final = 10
CALLS: Final = 100  # of each of the ten: more than one may make without letting others run
STEPS: Final = 2000  # of the loop of fixed length
QUEUED: Final = 1  # which word of schedstat


def slept() -> int:
    """Return how often this thread has waited for something in the kernel."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


@final
class StepTimer(trio.abc.Instrument):
    """Times all steps of all tasks; keeps the longest, by the clock and as told apart."""

    def __init__(self) -> None:
        self.by_clock = 0
        self.own = 0
        self._began = self._processor = self._queued = self._slept = 0
        self._schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close what it reads from."""
        os.close(self._schedstat)

    def queued(self) -> int:
        """Return for how many nanoseconds this thread was ready but had no processor."""
        return int(os.pread(self._schedstat, 128, 0).split()[QUEUED])

    def begin(self) -> None:
        """Begin to time; the clock is read last, so that reading the rest does not count."""
        self._queued = self.queued()
        self._slept = slept()
        self._processor = thread_time_ns()
        self._began = perf_counter_ns()

    def end(self) -> None:
        """Judge what was done since."""
        spent = perf_counter_ns() - self._began
        own = thread_time_ns() - self._processor
        if slept() != self._slept:
            own = max(own, spent - (self.queued() - self._queued))
        own = min(own, spent)  # reading the clocks takes time as well
        self.by_clock = max(self.by_clock, spent)
        self.own = max(self.own, own)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Is called by trio."""
        del task
        self.begin()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Is called by trio."""
        del task
        self.end()


@contextmanager
def step_timer() -> Generator[StepTimer, None, None]:
    """Make one, and close it at the end of the block."""
    timer = StepTimer()
    try:
        yield timer
    finally:
        timer.close()


async def longest_step(operation: Callable[[], Awaitable[object]]) -> tuple[int, int]:
    """Measure the longest step of all tasks while one of them does something."""
    with step_timer() as timer:
        timer.begin()  # nobody tells of the beginning of the step that we are in
        trio.lowlevel.add_instrument(timer)
        try:
            await trio.lowlevel.checkpoint()
            await operation()
            await trio.lowlevel.checkpoint()
        finally:
            trio.lowlevel.remove_instrument(timer)
        return timer.own, timer.by_clock


def posix_spawn_alone() -> tuple[int, int]:
    """Measure the call by which a program would be started that waits for it in some other way."""
    with step_timer() as timer:
        timer.begin()
        pid = os.posix_spawn(PATH, ARGUMENTS, os.environ)
        timer.end()
        os.waitpid(pid, 0)
        return timer.own, timer.by_clock


def fixed_work() -> tuple[int, int]:
    """Measure a step that always does the same."""
    with step_timer() as timer:
        timer.begin()
        for _ in range(STEPS):
            pass
        timer.end()
        return timer.own, timer.by_clock


def immediate(measure: Callable[[], tuple[int, int]]) -> Longest:
    """Make it something to be awaited."""

    async def longest() -> tuple[int, int]:
        return measure()

    return longest


def batch(longest: Longest, size: int) -> Samples:
    """Measure many: the worst of them, the usual one, and the worst by the clock, in seconds."""

    async def samples() -> Sequence[float]:
        found = [await longest() for _ in range(size)]
        own, by_clock = ([value * 1e-9 for value in values] for values in zip(*found, strict=True))
        return max(own), median(own), max(by_clock)

    return samples


def ten_children(local: Task, size: int) -> Samples:
    """Measure while ten tasks make calls back to back, each in a child of its own."""

    async def calls(child: Task) -> None:
        for _ in range(CALLS):
            await child.cred.getuid()

    async def samples() -> Sequence[float]:
        async with AsyncExitStack() as stack:
            children = [await stack.enter_async_context(local.spawn()) for _ in range(TEN)]

            async def all_of_them() -> None:
                async with trio.open_nursery() as nursery:
                    for child in children:
                        nursery.start_soon(calls, child)

            return await batch(partial(longest_step, all_of_them), size)()

    return samples


def hold_cases(local: Task, floor: Floor, cloning: Floor, size: int) -> Sequence[Case]:
    """Return the cases; a sample is the worst of ``size``.

    ``cloning``: what new user and pid namespaces are added to.
    """
    group = f"event loop held: longest step, worst of {size} runs"

    def case(key: str, title: str, samples: Samples, *goals: Goal) -> Case:
        first = Row(f"held/{key}", group, title, "ms", title, None, goals)
        usual = Row(f"held/{key} usually", group, "   the median of all", "ms")
        clock = Row(f"held/{key} clock", group, "   worst by the clock", "ms")
        return Case((first, usual, clock), samples)

    def ours(way: Callable[[Task, CLONE], Awaitable[None]], namespaces: CLONE) -> Samples:
        return batch(partial(longest_step, partial(way, local, namespaces)), size)

    def alone(measure: Callable[[], tuple[int, int]]) -> Samples:
        return batch(immediate(measure), size)

    def least(bare: Floor) -> Samples:
        return batch(partial(longest_step, bare.run), size)

    goal = Goal(MOST, statistic="minimum")
    of_ten = Goal(MOST_OF_TEN, statistic="minimum")
    trio_s = batch(partial(longest_step, run_process), size)
    return [
        case("run", "launch and run", ours(ran, NONE), goal),
        case("launch", "launch, check", ours(launched, NONE), goal),
        case("spawn", "spawn, exec, check", ours(steered, NONE), goal),
        case("seven", "launch in all seven namespaces, check", ours(launched, SEVEN), goal),
        case("seven run", "launch and run, in all seven namespaces", ours(ran, SEVEN), goal),
        case("floor", "trio, the least: clone, two waits", least(floor)),
        case("floor two", "trio, the least, in new user and pid namespaces", least(cloning)),
        case("ten", "ten tasks on ten children, getuid", ten_children(local, size), of_ten),
        case("run_process", "trio.run_process", trio_s),
        case("posix_spawn", "os.posix_spawn, the call alone", alone(posix_spawn_alone)),
        case("fixed", "nothing, but a loop of fixed length", alone(fixed_work)),
    ]
