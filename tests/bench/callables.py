"""What it costs to call a Python function in new namespaces, and to have what it returns."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Final

from rsyscall_ns import Container, NamespaceNotAllowedError, Task

from .ancestors import Ancestors
from .answers import Answers
from .measure import Case, Goal, Row, Sample, UnavailableError, one, ready, seconds
from .programs import NONE, SEVEN, THREE
from .target import add

__all__ = ["call_heap_cases", "callable_cases", "called"]

GROUP: Final = "call a Python function, in new namespaces"
KINDS: Final = {"none": NONE, "three": THREE, "seven": SEVEN}
GIVEN: Final = (2, 3)
GOAL: Final = {"none": (), "three": (Goal(4),), "seven": (Goal(5),)}


def function() -> Callable[[int, int], int]:
    """Return what is pickled as a whole: then nothing is imported in the child."""

    def add_there(one_number: int, other: int) -> int:
        return one_number + other

    return add_there


ADD: Final = function()


async def called(task: Task | None, kind: str) -> None:
    """Call it in a container."""
    try:
        result = await Container(target=ADD, args=GIVEN, task=task, flags=KINDS[kind]).run()
    except NamespaceNotAllowedError as error:
        raise UnavailableError(str(error)) from error
    if result != sum(GIVEN):
        raise ValueError(f"{result!r} came back")


def by_multiprocessing(method: str) -> Sample:
    """Measure a process of multiprocessing's, in no namespaces of its own."""
    context = multiprocessing.get_context(method)
    make: Callable[..., multiprocessing.Process] = getattr(context, "Process")  # noqa: B009 - each has one

    def take() -> float:
        start = perf_counter()
        process = make(target=add, args=GIVEN)
        process.start()
        process.join()
        spent = perf_counter() - start
        if process.exitcode:
            raise UnavailableError(f"multiprocessing, {method}: status {process.exitcode}")
        return spent

    return ready(take)


def callable_cases(local: Task, ancestors: Ancestors) -> Sequence[Case]:
    """Return the cases; ours give back a result, which none of the others does."""

    def case(name: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if name == "pyspaces three" else "call/pyspaces three"
        short = title.partition(",")[0]
        return one(Row(f"call/{name}", GROUP, title, "ms", short, reference, goals), sample)

    def ours(kind: str, task: Task | None = local) -> Sample:
        return partial(seconds, 1, partial(called, task, kind))

    label = ancestors.labels["pyspaces"]
    return [
        case("three", "Container.run: user, pid, mount", ours("three"), *GOAL["three"]),
        case("seven", "Container.run: all seven", ours("seven"), *GOAL["seven"]),
        case("none", "Container.run: none", ours("none")),
        case("alone", "Container.run: user, pid, mount, without a task", ours("three", None)),
        case("pyspaces three", f"{label}: user, pid, mount", ancestors.sample("callable_in_three")),
        case("pyspaces all", f"{label}: its six", ancestors.sample("callable_in_all")),
        case("fork", "multiprocessing, fork: no namespaces", by_multiprocessing("fork")),
        case("spawn", "multiprocessing, spawn: no namespaces", by_multiprocessing("spawn")),
    ]


def call_heap_cases(
    small: Answers, large: Answers, few: Ancestors, much: Ancestors, mebibytes: int
) -> Sequence[Case]:
    """Return the same in two interpreters, of which one has a heap of that size."""
    group = f"call a Python function beside {mebibytes:,} MiB of touched heap"

    def pair(name: str, title: str, bare: Sample, heaped: Sample, *goals: Goal) -> list[Case]:
        key = f"call heap/{name}"
        without = f"{key} without"
        before = Row(without, group, f"{title}, without the heap", "ms", "without the heap")
        row = Row(key, group, title, "ms", title, without, goals)
        return [one(row, heaped), one(before, bare)]

    return [
        *pair(
            "ours",
            "Container.run: user, pid, mount",
            small.sample("call"),
            large.sample("call"),
            Goal(1.1, "call heap/ours without"),
        ),
        *pair(
            "pyspaces",
            f"{few.labels['pyspaces']}: user, pid, mount",
            few.sample("callable_in_three"),
            much.sample("callable_in_three"),
        ),
    ]
