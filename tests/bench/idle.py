"""What a child costs that only waits: memory of the kernel, and of the interpreter.

The kernel's is read from the counters of the whole machine: what other processes do at the same
time shows up in it. Each sample is what a second lot of processes adds to a first one, which fills
what earlier processes left half empty.
"""

from __future__ import annotations

import gc
import subprocess
import tracemalloc
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Final

from attrs import asdict, frozen

from rsyscall_ns import Task

from .measure import SCALE, Figure, Row

__all__ = ["idle_figures"]

GROUP: Final = "one idle process"
COMMAND: Final = "/bin/cat"
KERNEL: Final = ("Slab", "KernelStack", "PageTables", "SecPageTables", "Percpu")
KIB: Final = 1024


def table(path: str) -> dict[str, int]:
    """Return the lines ``Name: N kB`` of a file below /proc, in bytes."""
    found: dict[str, int] = {}
    for line in Path(path).read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB":
            found[name] = int(words[0]) * KIB
    return found


@frozen
class Usage:
    """Bytes in use at one moment."""

    kernel: int
    arena: int

    @classmethod
    def now(cls, task: Task) -> Usage:
        """Read the counters."""
        gc.collect()
        machine = table("/proc/meminfo")
        return cls(
            kernel=sum(machine.get(name, 0) for name in KERNEL),
            arena=task.arena.used,
        )

    def each(self, before: Usage, count: int) -> dict[str, float]:
        """Return how much more that is for each of ``count`` processes."""
        older: dict[str, int] = asdict(before)
        newer: dict[str, int] = asdict(self)
        return {name: (newer[name] - older[name]) / count for name in newer}


async def of_children(local: Task, count: int) -> dict[str, float]:
    """Measure children that have served one call."""
    async with AsyncExitStack() as stack:

        async def start() -> None:
            for _ in range(count):
                child = await stack.enter_async_context(local.spawn())
                await child.cred.getuid()

        await start()
        before = Usage.now(local)
        await start()
        return Usage.now(local).each(before, count)


async def of_objects(local: Task, count: int) -> float:
    """Measure the Python objects of children: what tracemalloc sees."""
    tracemalloc.start()
    try:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        async with AsyncExitStack() as stack:
            for _ in range(count):
                await stack.enter_async_context(local.spawn())
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            return (after - before) / count
    finally:
        tracemalloc.stop()


def of_programs(local: Task, count: int) -> dict[str, float]:
    """Measure as many small programs that wait for input."""
    started: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:

        def start() -> None:
            for _ in range(count):
                process = subprocess.Popen([COMMAND], stdin=subprocess.PIPE)
                # its end closes the pipe and waits: in reverse order, as later ones have copies
                stack.enter_context(process)
                started.append(process)

        start()
        before = Usage.now(local)
        start()
        found = Usage.now(local).each(before, count)
        sizes = [table(f"/proc/{process.pid}/smaps_rollup")["Pss"] for process in started]
    return {**found, "own": sum(sizes) / len(sizes)}


def row(key: str, title: str, reference: str | None = None) -> Row:
    """Return a row of this group."""
    return Row(key, GROUP, title, "KiB", COMMAND, reference)


ROWS: Final = (
    row("kernel", "child: kernel's slabs, stacks, page tables", "catkernel"),
    row("catkernel", f"{COMMAND}: the same"),
    row("objects", "child: Python objects in the interpreter", "catown"),
    row("arena", "child: ring and stack, reserved in the arena", "catown"),
    row("catown", f"{COMMAND}: its own memory (Pss)"),
)


async def idle_figures(local: Task, count: int, rounds: int) -> list[Figure]:
    """Measure ``count`` idle processes of both kinds, in turn."""
    samples: dict[str, list[float]] = {one.key: [] for one in ROWS}
    for _ in range(rounds):
        child = await of_children(local, count)
        program = of_programs(local, count)
        found = {
            **child,
            "objects": await of_objects(local, count),
            "catkernel": program["kernel"],
            "catown": program["own"],
        }
        for key, value in found.items():
            samples[key].append(value * SCALE["KiB"])
    return [Figure(one, tuple(samples[one.key])) for one in ROWS]
