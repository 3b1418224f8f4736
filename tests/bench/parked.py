"""What a call costs whose server sleeps on a processor of its own, and must be woken there."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from rsyscall_ns import SYS, ChildTask

from .answers import STATE, stat_fields
from .measure import Case, Goal, Row, Sample, UnavailableError, one
from .native import Native

__all__ = ["move_to_second_cpu", "parked_cases"]

GROUP: Final = "one getuid, two processes"
PAUSE: Final = 0.0001  # seconds before each call; the same as in pingpong.c
CALLS: Final = 20
ROUND_TRIPS: Final = 200
ASLEEP: Final = "S"
LOOKS: Final = 1000
MASK_SIZE: Final = 128  # bytes, for 1024 processors
MOST: Final = 1.3


def processors() -> tuple[int, int]:
    """Return the two processors that everything here uses."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) == 1:
        raise UnavailableError("there is one processor only")
    return usable[0], usable[1]


@contextmanager
def pinned(processor: int) -> Generator[None, None, None]:
    """Stay on one processor for the time of the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def move_to_second_cpu(child: ChildTask) -> None:
    """Keep a child on the second of them, if there is a second one."""
    usable = sorted(os.sched_getaffinity(0))
    mask = (1 << usable[-1 if len(usable) == 1 else 1]).to_bytes(MASK_SIZE, "little")
    with child.transient(mask) as memory:
        result = await child.sysif.call(SYS.sched_setaffinity, 0, MASK_SIZE, memory.address.value)
    assert result >= 0, f"sched_setaffinity gave {result}"


def wait_until_asleep(pid: int) -> None:
    """Spend the pause, and as much more as it takes until the process sleeps."""
    end = perf_counter() + PAUSE
    while perf_counter() < end:
        pass
    for _ in range(LOOKS):
        if stat_fields(pid)[STATE] == ASLEEP:
            return
    raise UnavailableError(f"the child did not park within {LOOKS} looks")


def parked(child: ChildTask) -> Sample:
    """Measure calls that find their server asleep."""
    pid, getuid = child.process.near.id, child.cred.getuid

    async def sample() -> float:
        ours, _ = processors()
        spent = 0.0
        with pinned(ours):
            for _ in range(CALLS):
                wait_until_asleep(pid)
                start = perf_counter()
                await getuid()
                spent += perf_counter() - start
        return spent / CALLS

    return sample


def parked_cases(child: ChildTask, native: Native) -> Sequence[Case]:
    """Return the cases; ``child`` was moved to the second processor."""
    back_to_back, rested = "parked/c", "parked/c rested"

    def case(key: str, title: str, short: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if key == back_to_back else back_to_back
        return one(Row(key, GROUP, title, "µs", short, reference, goals), sample)

    one_cpu = native.sample("pingpong1", ROUND_TRIPS)
    two_cpus = native.sample("pingpong2", ROUND_TRIPS)
    after_rest = native.sample("parked", CALLS)
    goals = Goal(MOST, back_to_back), Goal(MOST, rested)
    return [
        case("parked/child", "child, parked, two CPUs", "child", parked(child), *goals),
        case(back_to_back, "C: futex ping-pong, two CPUs", "C back to back", two_cpus),
        case(rested, "C: the same, 0.1 ms before each turn", "C after 0.1 ms", after_rest),
        case("parked/c one cpu", "C: futex ping-pong, one CPU", "C, one CPU", one_cpu),
    ]
