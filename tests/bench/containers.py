"""What it costs to run a program in new namespaces, with its ids mapped, and to wait for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Final

from rsyscall_ns import (
    CLONE,
    BindMount,
    Container,
    MountDescription,
    NamespaceNotAllowedError,
    Task,
    TmpfsMount,
)

from .measure import Case, Goal, Row, Sample, UnavailableError, one, ready, seconds
from .native import Native
from .programs import PATH, SEVEN, THREE, launched, ran, steered

__all__ = ["FOLDERS", "container_cases"]

GROUPS: Final = {
    "three": "user, pid and mount namespaces: maps, exec, reap",
    "seven": "all seven namespaces: maps, exec, reap",
}
ROOT: Final = "user, pid and mount namespaces: root on tmpfs, binds, /proc, pivot_root, exec, reap"
FOLDERS: Final = [name for name in ("/usr", "/bin", "/lib", "/lib64") if Path(name).exists()]
MOUNTS: Final[list[MountDescription]] = [
    TmpfsMount("/"),
    *(BindMount(name, readonly=True) for name in FOLDERS),
]
BWRAP_ROOT: Final = (
    *("--unshare-user", "--unshare-pid", "--tmpfs", "/"),
    *(word for name in FOLDERS for word in ("--ro-bind", name, name)),
    *("--proc", "/proc"),
)
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


def tool(*arguments: str) -> Sample:
    """Measure a program that does it, started in the shortest way."""
    name = arguments[0]
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
    """Return the cases of one group; the first three are ours."""
    group, floor = GROUPS[kind], f"{kind}/c"

    def case(name: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if name == "c" else floor
        short = "C" if name == "c" else name
        return one(Row(f"{kind}/{name}", group, title, "ms", short, reference, goals), sample)

    in_one = partial(seconds, 1, partial(ran, local, namespaces))
    at_once = partial(seconds, 1, partial(launched, local, namespaces))
    in_steps = partial(seconds, 1, partial(steered, local, namespaces))
    return [
        case("run", "launch and run", in_one, Goal(most, floor)),
        case("launch", "launch, check", at_once, Goal(most, floor)),
        case("spawn", "spawn, exec, check", in_steps, Goal(most, floor)),
        case("c", "C: clone, maps, mount, execve, waitid", native.sample(kind)),
        *(case(name, f"{name}(1)", tool(*words, PATH)) for name, words in TOOLS[kind].items()),
    ]


def root_cases(local: Task, crun: Sequence[str]) -> list[Case]:
    """Return the cases of a container with a root of its own; the reference is bwrap."""

    def case(name: str, title: str, short: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if name == "bwrap" else "root/bwrap"
        return one(Row(f"root/{name}", ROOT, title, "ms", short, reference, goals), sample)

    given = partial(seconds, 1, partial(contained, local))
    alone = partial(seconds, 1, partial(contained, None))
    not_slower = Goal(1.0, "root/bwrap")
    return [
        case("container", "Container(task=local), wait", "Container", given, not_slower),
        case("alone", "Container, wait", "alone", alone),
        case("bwrap", "bwrap(1)", "bwrap", tool("bwrap", *BWRAP_ROOT, PATH)),
        case("crun", "crun(1), with a /dev", "crun", tool(*crun)),
    ]


async def contained(task: Task | None) -> None:
    """Run a program in a container with a root of its own."""
    try:
        async with Container([PATH], user=True, pid=True, mnt=True, mounts=MOUNTS, task=task) as c:
            await c.check()
    except NamespaceNotAllowedError as error:
        raise UnavailableError(str(error)) from error


def container_cases(local: Task, native: Native, crun: Sequence[str]) -> Sequence[Sequence[Case]]:
    """Return the cases of the three groups; ``crun``: the words that run its container."""
    return [
        cases_of("three", THREE, 1.4, local, native),
        cases_of("seven", SEVEN, 1.3, local, native),
        root_cases(local, crun),
    ]
