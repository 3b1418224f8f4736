"""What this interpreter holds at one moment, so that a test can tell that nothing was left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from rsyscall_ns import Task

__all__ = ["Census", "children", "nothing_left", "open_fds"]

SELF: Final = Path("/proc/self")
SHARED: Final = "/dev/zero (deleted)"  # how the kernel calls anonymous shared memory


def open_fds() -> frozenset[tuple[int, str]]:
    """Return every open fd of this interpreter with what it is open on."""
    found: set[tuple[int, str]] = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add((int(name), str(Path("/proc/self/fd", name).readlink())))
        except FileNotFoundError:
            continue  # the fd of the listing itself
    return frozenset(found)


def children() -> frozenset[int]:
    """Return the ids of all children of this interpreter, zombies included."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        found |= {int(word) for word in (thread / "children").read_text("ascii").split()}
    return frozenset(found)


def shared_mappings() -> int:
    lines = (SELF / "maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return sum(SHARED in line for line in lines)


@frozen
class Census:
    """What is held now. Two of them are compared as a whole."""

    fds: frozenset[tuple[int, str]]
    children: frozenset[int]
    threads: int
    mappings: int
    used: int

    @classmethod
    def take(cls, task: Task | None = None) -> Census:
        """Count; ``task`` is one whose arena is looked at too."""
        threads = len(os.listdir("/proc/self/task"))
        used = 0 if task is None else task.arena.used
        return cls(open_fds(), children(), threads, shared_mappings(), used)


@contextmanager
def nothing_left(task: Task | None = None) -> Iterator[None]:
    """Assert that the block leaves everything as it was."""
    before = Census.take(task)
    yield
    assert Census.take(task) == before
