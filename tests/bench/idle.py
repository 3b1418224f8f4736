"""What children cost that only wait: processes, memory of the kernel and of the interpreter, time.

The kernel's memory is read from the counters of the whole machine: what other processes do at the
same time shows up in it. It is what a lot of processes adds to a smaller one before it, which fills
what earlier processes left half empty.
"""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import tracemalloc
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import trio
from attrs import frozen

from rsyscall_ns import Task

from .answers import PARENT, stat_fields
from .measure import Case, Goal, Row, Samples, UnavailableError, Unit
from .rsyscall_ng import RsyscallNg

__all__ = ["IdleEffort", "idle_cases"]

COMMAND: Final = "/bin/cat"
KERNEL: Final = ("Slab", "KernelStack", "PageTables", "SecPageTables", "Percpu")
KIB: Final = 1024
MOST: Final = 60  # KiB
NOTHING: Final = 0.05  # percent; less than that is 0.0
SHORT: Final = 10  # times shorter than the wait that counts
FDS_EACH: Final = 8  # more than any child takes


@frozen
class IdleEffort:
    """How many processes, how many of other kinds, and for how long they are looked at."""

    children: int
    others: int
    seconds: float


def sizes(path: str) -> dict[str, int]:
    """Return the lines ``Name: N kB`` of a file below /proc, in bytes."""
    found: dict[str, int] = {}
    for line in Path(path).read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB":
            found[name] = int(words[0]) * KIB
    return found


def kernel_memory() -> int:
    """Return how many bytes the kernel has taken for itself."""
    machine = sizes("/proc/meminfo")
    return sum(machine.get(name, 0) for name in KERNEL)


def descendants(root: int) -> list[int]:
    """Return all processes below one, at any depth."""
    below: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and (fields := stat_fields(int(path.name))):
            below.setdefault(int(fields[PARENT]), []).append(int(path.name))
    found = list(below.get(root, ()))
    for pid in found:  # which grows meanwhile
        found += below.get(pid, ())
    return found


def threads() -> int:
    """Return how many threads we have."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def processor_seconds(pids: Sequence[int]) -> float:
    """Return for how long the processes have run, all together."""
    words = (Path(f"/proc/{pid}/schedstat").read_text("ascii").split() for pid in pids)
    return sum(int(spent) for spent, *_ in words) * 1e-9


@frozen
class Usage:
    """What is in use at one moment."""

    kernel: int
    arena: int
    objects: int
    processes: int

    @classmethod
    def now(cls, task: Task) -> Usage:
        """Read the counters."""
        gc.collect()
        objects, _ = tracemalloc.get_traced_memory()
        processes = len(descendants(os.getpid())) + threads()
        return cls(kernel_memory(), task.arena.used, objects, processes)


@frozen
class Wait:
    """A time in which nothing was to be done: by the clock, and of processors, in seconds."""

    clock: float
    theirs: float
    ours: float

    @classmethod
    async def take(cls, pids: Sequence[int], duration: float) -> Wait:
        """Wait so long."""
        theirs = processor_seconds(pids)
        ours, start = process_time(), perf_counter()
        with trio.move_on_after(duration):
            await trio.sleep_forever()
        ours, clock = process_time() - ours, perf_counter() - start
        return cls(clock, processor_seconds(pids) - theirs, ours)


async def shares_of_a_processor(pids: Sequence[int], duration: float) -> tuple[float, float]:
    """Return which parts of one processor the processes and we take while nothing is to be done.

    What falling asleep and waking up costs us is in a short wait as well as in a long one.
    """
    await Wait.take(pids, duration / SHORT)  # what was still to be done
    short = await Wait.take(pids, duration / SHORT)
    long = await Wait.take(pids, duration)
    return long.theirs / long.clock, max(long.ours - short.ours, 0) / (long.clock - short.clock)


async def of_children(local: Task, effort: IdleEffort) -> tuple[float, ...]:
    """Measure children that have served one call."""
    tracemalloc.start()
    try:
        async with AsyncExitStack() as stack:
            pids: list[int] = []

            async def start(count: int) -> None:
                for _ in range(count):
                    child = await stack.enter_async_context(local.spawn())
                    await child.cred.getuid()
                    pids.append(child.process.near.id)

            await start(effort.others)
            before = Usage.now(local)
            await start(effort.children)
            after = Usage.now(local)
            tracemalloc.stop()
            theirs, ours = await shares_of_a_processor(pids, effort.seconds)
    finally:
        tracemalloc.stop()
    kernel = (after.kernel - before.kernel) / effort.children
    arena = (after.arena - before.arena) / effort.children
    objects = (after.objects - before.objects) / effort.children
    processes = (after.processes - before.processes) / effort.children
    return kernel + arena + objects, kernel, arena, objects, processes, theirs, ours


async def of_programs(effort: IdleEffort) -> tuple[float, ...]:
    """Measure as many small programs that wait for input."""
    started: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:

        def start() -> None:
            for _ in range(effort.others):
                process = subprocess.Popen([COMMAND], stdin=subprocess.PIPE)
                # its end closes the pipe and waits: in reverse order, as later ones have copies
                stack.enter_context(process)
                started.append(process)

        start()
        before = kernel_memory()
        start()
        kernel = (kernel_memory() - before) / effort.others
        own = sum(sizes(f"/proc/{process.pid}/smaps_rollup")["Pss"] for process in started)
    own_each = own / len(started)
    return kernel + own_each, kernel, own_each


async def of_rsyscall_ng(peer: RsyscallNg, effort: IdleEffort) -> tuple[float, ...]:
    """Measure children of the other package."""

    def now() -> tuple[int, int, int]:
        own = sizes(f"/proc/{peer.pid}/smaps_rollup")["Pss"]
        return kernel_memory(), own, len(descendants(peer.pid))

    before = now()
    peer.ask("more", effort.others)
    kernel, own, processes = ((n - b) / effort.others for n, b in zip(now(), before, strict=True))
    return kernel + own, processes


def enough_fds(effort: IdleEffort) -> None:
    """Make sure that so many children can be had."""
    need = (effort.children + effort.others) * FDS_EACH
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit < need:
        raise UnavailableError(f"takes up to {need} fds, and the limit is {limit} (ulimit -Hn)")


def idle_cases(local: Task, peer: RsyscallNg, effort: IdleEffort) -> Sequence[Case]:
    """Return the cases: what each of them costs."""
    group = f"{effort.children:,} idle children, each"

    def row(key: str, title: str, unit: Unit, reference: str | None, *goals: Goal) -> Row:
        short = COMMAND if "cat" in key else title
        return Row(f"idle/{key}", group, title, unit, short, reference, goals)

    async def children() -> tuple[float, ...]:
        enough_fds(effort)
        return await of_children(local, effort)

    def case(sample: Samples, *rows: Row) -> Case:
        return Case(rows, sample)

    return [
        case(
            children,
            row("memory", "child: memory, all told", "KiB", "idle/cat", Goal(MOST)),
            row("kernel", "   kernel's slabs, stacks, page tables", "KiB", "idle/cat kernel"),
            row("arena", "   ring and stack, reserved", "KiB", None),
            row("objects", "   Python objects in the interpreter", "KiB", None),
            row("processes", "   processes and threads", "count", None, Goal(1)),
            row("time", "   of one processor, all children", "%", None, Goal(NOTHING)),
            row("own time", "   of one processor, interpreter", "%", None, Goal(NOTHING)),
        ),
        case(
            partial(of_programs, effort),
            row("cat", f"{effort.others} {COMMAND}: memory, all told", "KiB", None),
            row("cat kernel", "   kernel's slabs, stacks, page tables", "KiB", None),
            row("cat own", "   its own (Pss)", "KiB", None),
        ),
        case(
            partial(of_rsyscall_ng, peer, effort),
            row("rsyscall-ng", f"{effort.others} of {peer.label}: all told", "KiB", "idle/cat"),
            row("rsyscall-ng processes", "   processes", "count", None),
        ),
    ]
