"""All groups of measurements, one after the other."""

from __future__ import annotations

import gc
import resource
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import Final, final

from rsyscall_ns import CLONE, NamespaceNotAllowedError, Task, open_local_task

from .ancestors import start_ancestors
from .at_once import at_once_cases
from .callables import call_heap_cases, callable_cases
from .calls import call_cases
from .containers import FOLDERS, container_cases
from .crun import crun_bundle
from .data import data_cases, open_mover
from .effort import Effort
from .flight import flight_figures
from .floor import Floor
from .hold import hold_cases
from .idle import idle_cases
from .imports import import_cases
from .joins import join_cases
from .launch import heap_cases, launch_cases
from .measure import Case, Outcome, interleave
from .native import Native, build_native
from .noise import Noise, noise_case
from .parked import move_to_second_cpu, parked_cases
from .programs import PATH, SEVEN, TRUE
from .progress import Tell
from .reads import open_reader, read_cases
from .report import Report
from .rsyscall_ng import start_rsyscall_ng
from .workers import start_worker

__all__ = ["measure"]

BY_CLONE: Final = CLONE.NEWUSER | CLONE.NEWPID
FDS: Final = 16_384


@final
class Run:
    """What has been measured so far."""

    def __init__(self, tell: Tell) -> None:
        self.outcomes: list[Outcome] = []
        self.tell = tell

    async def group(
        self, name: str, cases: Sequence[Case], rounds: int, *, quiet: bool = False
    ) -> None:
        """Measure the cases of one group, and the machine's noise meanwhile.

        ``quiet``: samples are large, so that neither a first round nor the noise is worth it.
        """
        done = 0

        def tell() -> None:
            nonlocal done
            done += 1
            self.tell(f"{name}: round {done} of {rounds}")

        every = cases if quiet else [*cases, noise_case(cases[0].rows[0])]
        self.tell(name)
        # a collection in the middle of a sample would be noise of our own
        gc.collect()
        gc.disable()
        try:
            self.outcomes += await interleave(every, rounds, tell, warm_up=not quiet and rounds > 1)
        finally:
            gc.enable()


def allow_many_fds() -> None:
    """Raise our limit of open fds as far as it takes, and as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FDS if hard == resource.RLIM_INFINITY else min(FDS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def joins_and_calls(
    run: Run, effort: Effort, local: Task, native: Native, *, install: bool
) -> None:
    """Measure what the ancestors can do too."""
    size = effort.heap_size
    async with AsyncExitStack() as scope:
        pid = 0
        with suppress(NamespaceNotAllowedError):
            pid = (await scope.enter_async_context(local.spawn(SEVEN))).process.near.id
        with start_ancestors(pid, install=install) as ancestors:
            cases = join_cases(local, pid, native, ancestors)
            await run.group("joining", cases, effort.containers)
            await run.group("callables", callable_cases(local, ancestors), effort.containers)
            with (
                start_worker("heap", "0") as small,
                start_worker("heap", str(size)) as large,
                start_ancestors(pid, size, install=install) as heaped,
            ):
                cases = call_heap_cases(small, large, ancestors, heaped, size)
                await run.group("callables beside a heap", cases, effort.heap)


async def measure(effort: Effort, tell: Tell, *, install: bool) -> Report:
    """Measure everything."""
    allow_many_fds()
    before = Noise.now()
    run = Run(tell)
    with ExitStack() as stack:
        tell("building the C programs")
        native = stack.enter_context(build_native())
        tell("looking for rsyscall-ng")
        peer = stack.enter_context(start_rsyscall_ng(install=install))
        asyncio = stack.enter_context(start_worker("asyncio"))
        async with AsyncExitStack() as scope:
            local = await scope.enter_async_context(open_local_task())
            async with local.spawn() as child:
                await run.group("calls", call_cases(local, child, native, peer), effort.calls)
            async with local.spawn() as child, open_reader(child) as reader:
                await run.group("reads", read_cases(reader), effort.calls)
            async with local.spawn() as child:
                await move_to_second_cpu(child)
                await run.group("parked", parked_cases(child, native), effort.parked)
            async with local.spawn() as child, open_mover(child) as mover:
                await run.group("memory to and fro", data_cases(mover, native, peer), effort.data)
            with Floor(local, TRUE) as floor:
                cases = launch_cases(local, native, asyncio, peer, floor)
                await run.group("programs", cases, effort.launch)
            await run.group("import", import_cases(), effort.imports)
            await run.group("16 at once", at_once_cases(local, native), effort.at_once)
            with (
                start_worker("heap", "0") as small,
                start_worker("heap", str(effort.heap_size)) as large,
            ):
                cases = heap_cases(small, large, effort.heap_size)
                await run.group("beside a heap", cases, effort.heap)
            with Floor(local, TRUE) as floor, Floor(local, TRUE, BY_CLONE) as cloning:
                cases = hold_cases(local, floor, cloning, effort.hold_size)
                await run.group("event loop", cases, effort.hold, quiet=True)
            with crun_bundle(PATH, FOLDERS) as crun:
                for cases in container_cases(local, native, crun):
                    await run.group("namespaces", cases, effort.containers)
            await joins_and_calls(run, effort, local, native, install=install)
            with start_rsyscall_ng(install=install) as fresh:
                cases = idle_cases(local, fresh, effort.idle_effort)
                await run.group("idle", cases, effort.idle, quiet=True)
        run.outcomes += await flight_figures(effort.flight, effort.lanes, tell)
    return Report(effort.name, run.outcomes, Noise.now().since(before, run.outcomes))
