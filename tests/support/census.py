"""What this interpreter holds at one moment, so that a test can tell that nothing was left."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
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

    def assert_same(self, now: Census) -> None:
        """Assert that ``now`` is equal, and say in what it is not."""
        changes = [
            f"{name}: new {sorted(new - old)}, gone {sorted(old - new)}"
            for name, old, new in (
                ("fds", self.fds, now.fds),
                ("children", self.children, now.children),
            )
            if old != new
        ]
        for name in ("threads", "mappings", "used"):
            old, new = getattr(self, name), getattr(now, name)
            # an idle worker thread of trio ends by itself, seconds after its last use
            if old != new and not (name == "threads" and new < old):
                changes.append(f"{name}: {old} before, {new} now")
        assert not changes, "; ".join(changes)

    @classmethod
    def take(cls, task: Task | None = None) -> Census:
        """Count; ``task`` is one whose arena is looked at too."""
        threads = sum(1 for _ in (SELF / "task").iterdir())
        used = 0
        if task is not None:
            task.environments.clear()  # kept on purpose, for the next program
            used = task.arena.used
        return cls(open_fds(), children(), threads, shared_mappings(), used)


@contextmanager
def nothing_left(task: Task | None = None) -> Generator[None, None, None]:
    """Assert that the block leaves everything as it was."""
    if task is not None:  # an arena maps its first chunk when it is first used
        task.arena.release(task.arena.allocate(16), 16)
    before = Census.take(task)
    yield
    before.assert_same(Census.take(task))
