"""What this interpreter holds at one moment, so that a test can tell that nothing was left."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Final

from attrs import frozen

from rsyscall_ns import Task

__all__ = ["Census", "children", "nothing_left", "open_fds"]

SELF: Final = Path("/proc/self")
PATIENCE: Final = 10  # seconds
ASLEEP: Final = ("S", "T", "t")  # states of proc_pid_stat(5)
# how the kernel calls anonymous shared memory, and we that of stubs
SHARED: Final = ("/dev/zero (deleted)", "/memfd:rsyscall_ns-arena (deleted)")


def open_fds() -> frozenset[tuple[int, str]]:
    """Return every open fd of this interpreter with what it is open on."""
    found: set[tuple[int, str]] = set()
    for entry in (SELF / "fd").iterdir():
        try:
            found.add((int(entry.name), str(entry.readlink())))
        except FileNotFoundError:
            continue  # the fd of the listing itself
    return frozenset(found)


def children() -> frozenset[int]:
    """Return the ids of all children of this interpreter, zombies included."""
    found: set[int] = set()
    for thread in (SELF / "task").iterdir():
        with suppress(FileNotFoundError):  # a worker thread that has ended meanwhile
            found |= {int(word) for word in (thread / "children").read_text("ascii").split()}
    return frozenset(found)


def threads() -> tuple[frozenset[int], frozenset[int]]:
    """Return the ids of this interpreter's threads: those of Python, and others, which all sleep.

    One that Python has joined is such another one for a moment, as Python does not wait for its
    very end: it is waited for here, and any that is at work.
    """
    latest = monotonic() + PATIENCE
    while True:
        python = {thread.native_id for thread in threading.enumerate()}
        found = {int(thread.name) for thread in (SELF / "task").iterdir()}
        if all(map(sleeps, found - python)) or monotonic() > latest:
            return frozenset(found & python), frozenset(found - python)
        os.sched_yield()


def sleeps(thread: int) -> bool:
    """Whether one of our threads waits for something, or was stopped; not where it has ended."""
    try:
        text = (SELF / "task" / str(thread) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] in ASLEEP


def shared_mappings() -> frozenset[str]:
    """Return the inodes of what is mapped."""
    lines = (SELF / "maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return frozenset(line.split()[4] for line in lines if line.endswith(SHARED))


@frozen
class Census:
    """What is held now. Two of them are compared as a whole."""

    fds: frozenset[tuple[int, str]]
    children: frozenset[int]
    threads: frozenset[int]  # of ours: those that Python knows nothing of
    workers: int  # of Python: trio's end by themselves, some seconds after their last use
    mappings: frozenset[str]  # of an earlier test some may go: its garbage is collected later
    used: int

    def assert_same(self, now: Census) -> None:
        """Assert that ``now`` is equal, and say in what it is not."""
        changes = [
            f"{name}: new {sorted(new - old)}, gone {sorted(old - new)}"
            for name, old, new in (
                ("fds", self.fds, now.fds),
                ("children", self.children, now.children),
                ("threads", self.threads, now.threads),
            )
            if old != new
        ]
        if now.mappings - self.mappings:
            changes.append(f"mappings: new {sorted(now.mappings - self.mappings)}")
        if now.used != self.used:
            changes.append(f"used: {self.used} before, {now.used} now")
        if now.workers > self.workers:
            changes.append(f"workers: {self.workers} before, {now.workers} now")
        assert not changes, "; ".join(changes)

    @classmethod
    def take(cls, task: Task | None = None) -> Census:
        """Count; ``task`` is one whose arena is looked at too."""
        workers, others = threads()
        used = 0
        if task is not None:
            task.environments.clear()  # kept on purpose, for the next program
            used = task.arena.used
        return cls(
            fds=open_fds(),
            children=children(),
            threads=others,
            workers=len(workers),
            mappings=shared_mappings(),
            used=used,
        )


@contextmanager
def nothing_left(task: Task | None = None) -> Generator[None, None, None]:
    """Assert that the block leaves everything as it was."""
    if task is not None:  # an arena maps its first chunk when it is first used
        task.arena.release(task.arena.allocate(16), 16)
    before = Census.take(task)
    yield
    before.assert_same(Census.take(task))
