"""What one system call costs: in a child, in the interpreter, alone and in a program of many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from rsyscall_ns import SYS, Program, Task

from .measure import Case, Goal, Row, Sample, one, ready, seconds
from .native import Native
from .rsyscall_ng import RsyscallNg

__all__ = ["call_cases"]

GROUP: Final = "one getuid"
BATCH: Final = 100  # calls in a program
WARM_UP: Final = 50
CALLS: Final = 200  # back to back, for one sample
PROGRAMS: Final = 10
NATIVE_CALLS: Final = 5000
SLOW_CALLS: Final = 20


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


def call_cases(local: Task, child: Task, native: Native, rsyscall_ng: RsyscallNg) -> Sequence[Case]:
    """Return the cases; ``child`` serves."""

    def case(key: str, title: str, sample: Sample, reference: str | None, *goals: Goal) -> Case:
        short = {"getuid/c": "C", "getuid/os": "os.getuid"}.get(key, key.partition("/")[2])
        return one(Row(key, GROUP, title, "µs", short, reference, goals), sample)

    hot = (Goal(3), Goal(70, "getuid/rsyscall-ng", faster=True))
    many, bare = f"program of {BATCH}", "getuid/c"
    peer = rsyscall_ng.sample("getuid", SLOW_CALLS)
    return [
        case("getuid/hot", "child: await cred.getuid(), hot", single(child), bare, *hot),
        case("getuid/rsyscall-ng", rsyscall_ng.label, peer, bare),
        case("getuid/once", f"child: {many}, built once", built_once(child), bare, Goal(0.35)),
        case("getuid/anew", f"child: {many}, built anew", built_anew(child), bare),
        case("getuid/local", "interpreter: await cred.getuid()", single(local), "getuid/os"),
        case("getuid/local once", f"interpreter: {many}, built once", built_once(local), bare),
        case("getuid/local anew", f"interpreter: {many}, built anew", built_anew(local), bare),
        case("getuid/os", "interpreter: os.getuid()", ready(standard_library), bare),
        case("getuid/c", "C: bare getuid", native.sample("getuid", NATIVE_CALLS), None),
    ]
