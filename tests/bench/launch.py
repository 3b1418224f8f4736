"""What it costs to start a program and wait for its end: one by one, and beside a large heap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Final

from rsyscall_ns import Task

from .answers import Answers
from .floor import Floor
from .measure import Case, Goal, Row, Sample, one, ready, seconds
from .native import Native
from .programs import in_thread, launched, posix_spawn, ran, run_process, run_true, steered
from .rsyscall_ng import NAME, RsyscallNg

__all__ = ["HEAP", "heap_cases", "launch_cases"]

ONE_BY_ONE: Final = "run /bin/true"
HEAP: Final = 1024  # MiB
LAUNCH_GOALS: Final = (
    Goal(1.15, "true/c"),
    Goal(0.65, "true/run_process"),
    Goal(5, "true/rsyscall-ng", faster=True),
    Goal(1.4, "true/posix_spawn"),
    Goal(1, "true/subprocess"),
    Goal(1, "true/run_process"),
)


def timed(operation: Callable[[], object]) -> Sample:
    """Measure something that does not await."""

    def take() -> float:
        start = perf_counter()
        operation()
        return perf_counter() - start

    return ready(take)


def launch_cases(
    local: Task, native: Native, asyncio: Answers, rsyscall_ng: RsyscallNg, floor: Floor
) -> Sequence[Case]:
    """Return the cases; the first three are ours."""

    def case(key: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if key == "true/c" else "true/c"
        short = {"true/c": "C", "true/rsyscall-ng": NAME}.get(key, title.partition(",")[0])
        return one(Row(key, ONE_BY_ONE, title, "ms", short, reference, goals), sample)

    in_one = partial(seconds, 1, partial(ran, local))
    at_once = partial(seconds, 1, partial(launched, local))
    in_steps = partial(seconds, 1, partial(steered, local))
    return [
        case("true/run", "launch and run", in_one, *LAUNCH_GOALS),
        case("true/launch", "launch, check", at_once, *LAUNCH_GOALS),
        case("true/spawn", "spawn, exec, check", in_steps, *LAUNCH_GOALS),
        case("true/c", "C: vfork, execve, waitid", native.sample("true")),
        case("true/floor", "trio, the least: clone, two waits", partial(seconds, 1, floor.run)),
        case("true/posix_spawn", "os.posix_spawn, waitpid", timed(posix_spawn)),
        case("true/subprocess", "subprocess.run", timed(run_true)),
        case("true/thread", "subprocess.run, in a thread for trio", partial(seconds, 1, in_thread)),
        case("true/run_process", "trio.run_process", partial(seconds, 1, run_process)),
        case("true/asyncio", "asyncio.create_subprocess_exec, wait", asyncio.sample("run")),
        case("true/rsyscall-ng", rsyscall_ng.label, rsyscall_ng.sample("spawn")),
    ]


def heap_cases(small: Answers, large: Answers, mebibytes: int) -> Sequence[Case]:
    """Return the cases: the same in two interpreters, of which one has a heap of that size."""
    group = f"run /bin/true beside {mebibytes:,} MiB of touched heap"

    def pair(name: str, title: str, *goals: Goal) -> list[Case]:
        bare, heaped = f"heap/{name} without", f"heap/{name}"
        before = Row(bare, group, f"{title}, without the heap", "ms", "without the heap")
        row = Row(heaped, group, title, "ms", title, bare, goals)
        return [one(row, large.sample(name)), one(before, small.sample(name))]

    return [
        *pair("launch", "launch, check", Goal(1.1, "heap/launch without")),
        *pair("spawn", "spawn, exec, check", Goal(1.1, "heap/spawn without")),
        *pair("posix_spawn", "os.posix_spawn, waitpid"),
        *pair("fork", "os.fork, os.execv, waitpid"),
    ]
