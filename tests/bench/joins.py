"""What it costs to run a program in the namespaces of a process, and to wait for its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from rsyscall_ns import NS_ALL, NS_TIME, Inject, Namespace, NamespaceSet, Task

from .ancestors import Ancestors
from .containers import tool
from .measure import Case, Goal, Row, Sample, UnavailableError, one, ready, seconds
from .native import Native
from .programs import PATH

__all__ = ["join_cases"]

GROUP: Final = "join all seven namespaces of a process: exec, reap"
SEVEN: Final = NS_ALL & ~NS_TIME
LIMIT: Final = "join/c"
GOAL: Final = Goal(1.6, LIMIT)
NSENTER: Final = ("-U", "-p", "-m", "-n", "-u", "-i", "-C", "--preserve-credentials")


async def injected(local: Task | None, pid: int) -> None:
    """Run the program by ``Inject``."""
    done = await Inject(pid, [PATH], all=True, time=False, task=local).run(capture=False)
    done.check()


async def entered(local: Task, pid: int) -> None:
    """Run it by ``Namespace``, which does not join a user namespace unless it is told to."""
    done = await Namespace(pid, SEVEN, task=local).run([PATH], capture=False)
    done.check()


async def opened(local: Task, pid: int) -> None:
    """Open them, and run it."""
    async with NamespaceSet(pid, SEVEN, task=local) as namespaces:
        (await namespaces.run([PATH], capture=False)).check()


async def captured(local: Task, pid: int) -> None:
    """Run it with pipes to its three streams."""
    (await Inject(pid, [PATH], all=True, time=False, task=local).run()).check()


def refuse() -> float:
    """Measure nothing."""
    raise UnavailableError("namespaces to be joined may not be made here")


def join_cases(local: Task, pid: int, native: Native, ancestors: Ancestors) -> Sequence[Case]:
    """Return the cases; ``pid``: whose namespaces are joined, 0 where none could be made."""

    def case(name: str, title: str, sample: Sample, *goals: Goal) -> Case:
        short = "C" if name == "c" else title.partition(",")[0]
        reference = None if name == "c" else LIMIT
        return one(Row(f"join/{name}", GROUP, title, "ms", short, reference, goals), sample)

    def ours(operation: Callable[[Any, int], Awaitable[None]], task: Task | None) -> Sample:
        if not pid:
            return ready(refuse)
        return partial(seconds, 1, partial(operation, task, pid))

    labels = ancestors.labels
    return [
        case("inject", "Inject.run", ours(injected, local), GOAL),
        case("alone", "Inject.run, without a task", ours(injected, None)),
        case("captured", "Inject.run, with pipes", ours(captured, local)),
        case("set", "NamespaceSet: open, run", ours(opened, local)),
        case("six", "Namespace.run, without the user's", ours(entered, local)),
        case("c", "C: fork, seven of open and setns, fork, execve, waitpid", native.sample("join")),
        case("nsenter", "nsenter(1)", tool("nsenter", "-t", str(pid), *NSENTER, PATH)),
        case("pysetns", labels["pysetns"], ancestors.sample("join_by_pysetns")),
        case("pyspaces", labels["pyspaces"], ancestors.sample("join_by_pyspaces")),
    ]
