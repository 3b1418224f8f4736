"""What it costs to run a program in new namespaces, with its ids mapped, and to wait for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache, partial
from time import perf_counter
from typing import Final

from rsyscall_ns import CLONE, Task

from .measure import Case, Goal, Row, Sample, UnavailableError, one, ready, seconds
from .native import Native
from .programs import PATH, SEVEN, THREE, launched, steered

__all__ = ["container_cases"]

GROUPS: Final = {
    "three": "user, pid and mount namespaces: maps, exec, reap",
    "seven": "all seven namespaces: maps, exec, reap",
}
UNSHARE: Final = ("unshare", "--fork", "--map-current-user", "--user", "--pid", "--mount")
BWRAP: Final = ("bwrap", "--bind", "/", "/")
TOOLS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "three": {
        "unshare": UNSHARE,
        "bwrap": (*BWRAP, "--unshare-user", "--unshare-pid"),
    },
    "seven": {
        "unshare": (*UNSHARE, "--net", "--uts", "--ipc", "--cgroup"),
        "bwrap": (*BWRAP, "--unshare-all", "--unshare-user", "--unshare-cgroup"),
    },
}


def tool(name: str, *options: str) -> Sample:
    """Measure a program that does it, started in the shortest way."""
    arguments = [name, *options, PATH]
    works = cache(partial(check, name, arguments))

    def take() -> float:
        place = works()
        start = perf_counter()
        _, status = os.waitpid(os.posix_spawn(place, arguments, os.environ), 0)
        spent = perf_counter() - start
        if status:
            raise UnavailableError(f"{name} ended with status {os.waitstatus_to_exitcode(status)}")
        return spent

    return ready(take)


def check(name: str, arguments: Sequence[str]) -> str:
    """Return where a program is, which was seen to work."""
    place = shutil.which(name)
    if place is None:
        raise UnavailableError(f"{name} is not installed")
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise UnavailableError(f"{name}, {said[-1]}")
    return place


def cases_of(kind: str, namespaces: CLONE, most: float, local: Task, native: Native) -> list[Case]:
    """Return the cases of one group; the first two are ours."""
    group, floor = GROUPS[kind], f"{kind}/c"

    def case(name: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if name == "c" else floor
        short = "C" if name == "c" else name
        return one(Row(f"{kind}/{name}", group, title, "ms", short, reference, goals), sample)

    at_once = partial(seconds, 1, partial(launched, local, namespaces))
    in_steps = partial(seconds, 1, partial(steered, local, namespaces))
    return [
        case("launch", "launch, check", at_once, Goal(most, floor)),
        case("spawn", "spawn, exec, check", in_steps, Goal(most, floor)),
        case("c", "C: clone, maps, mount, execve, waitid", native.sample(kind)),
        *(case(name, f"{name}(1)", tool(*words)) for name, words in TOOLS[kind].items()),
    ]


def container_cases(local: Task, native: Native) -> Sequence[Sequence[Case]]:
    """Return the cases of both groups."""
    return [
        cases_of("three", THREE, 1.4, local, native),
        cases_of("seven", SEVEN, 1.3, local, native),
    ]
