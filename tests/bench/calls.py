"""What one system call costs: in a child, in the interpreter, alone and in a program of many."""

from __future__ import annotations

import os
from time import perf_counter
from typing import Final

from rsyscall_ns import SYS, Program, Task

from .measure import Case, Goal, Row, Sample, ready, seconds
from .native import Native

__all__ = ["call_cases"]

GROUP: Final = "one getuid"
SHORT: Final = {"pingpong": "futex ping-pong", "bare": "bare getuid", "os": "os.getuid"}
BATCH: Final = 100  # calls in a program
WARM_UP: Final = 50
CALLS: Final = 200  # back to back, for one sample
PROGRAMS: Final = 10
NATIVE_CALLS: Final = 5000
ROUND_TRIPS: Final = 500
MOST_FOR_A_CALL: Final = 6.0  # µs
MOST_IN_A_BATCH: Final = 0.6  # µs


def batch() -> Program:
    """Return a program of many calls."""
    program = Program()
    for _ in range(BATCH):
        program.call(SYS.getuid)
    return program


def single(task: Task) -> Sample:
    """Measure calls that are awaited one by one, by a task that does nothing else."""

    async def sample() -> float:
        getuid = task.cred.getuid
        await seconds(WARM_UP, getuid)
        return await seconds(CALLS, getuid)

    return sample


def after_a_pause(task: Task) -> Sample:
    """Measure the one call that a task gets between the samples of all the others."""

    async def sample() -> float:
        return await seconds(1, task.cred.getuid)

    return sample


def built_once(task: Task) -> Sample:
    """Measure a call in a program that is carried out again and again."""
    program = batch()

    async def run() -> None:
        await task.sysif.execute(program)

    async def sample() -> float:
        await run()
        return await seconds(PROGRAMS, run) / BATCH

    return sample


def built_anew(task: Task) -> Sample:
    """Measure a call in a program that is built each time, too."""

    async def run() -> None:
        await task.sysif.execute(batch())

    async def sample() -> float:
        await run()
        return await seconds(PROGRAMS, run) / BATCH

    return sample


def standard_library() -> float:
    """Measure the same call as the standard library makes it."""
    getuid = os.getuid
    start = perf_counter()
    for _ in range(CALLS):
        getuid()
    return (perf_counter() - start) / CALLS


def call_cases(local: Task, child: Task, idle: Task, native: Native) -> list[Case]:
    """Return the cases. ``child`` and ``idle`` serve; the second one is used for one of them."""

    def case(
        key: str, title: str, sample: Sample, reference: str | None = None, *goals: Goal
    ) -> Case:
        row = Row(key, GROUP, title, "µs", SHORT.get(key, ""), reference, goals)
        return Case(row, sample)

    single_goal, batch_goal = Goal(MOST_FOR_A_CALL), Goal(MOST_IN_A_BATCH)
    many = f"program of {BATCH}"
    return [
        case("child", "child: await cred.getuid(), hot", single(child), "pingpong", single_goal),
        case("parked", "child: the same, after a pause", after_a_pause(idle), "pingpong"),
        case("pingpong", "C: futex ping-pong", ready(lambda: native.ask("pingpong", ROUND_TRIPS))),
        case("once", f"child: {many}, built once", built_once(child), "bare", batch_goal),
        case("anew", f"child: {many}, built anew", built_anew(child), "bare", batch_goal),
        case("local", "interpreter: await cred.getuid()", single(local), "os"),
        case("localonce", f"interpreter: {many}, built once", built_once(local), "bare"),
        case("localanew", f"interpreter: {many}, built anew", built_anew(local), "bare"),
        case("os", "interpreter: os.getuid()", ready(standard_library), "bare"),
        case("bare", "C: bare getuid", ready(lambda: native.ask("getuid", NATIVE_CALLS))),
    ]
