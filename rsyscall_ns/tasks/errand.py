"""An errand: a program of the interpreter's own task that is run to its end, and nothing else.

The shortest way that there is. What it needs lies in memory, one call of C makes the child, its
death is all that is waited for, and nobody sees a process object: so there is none, unless
somebody else has taken its status.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any, Final, final

import trio
from trio.lowlevel import wait_readable

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.near import ids, reap
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.wait_h import ChildState, W
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.near.program import Results
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.posting import Posted, check_begun, outcome, start_server

from .block import MOST_RESULTS, ServerBlock
from .environment import Environment, Environments
from .exec import ExecPlan
from .readiness import ChildWatcher
from .standing import StandingExec

__all__ = ["run_errand"]

VM: Final = int(CLONE.VM)
ONCE: Final = int(lib.RS_SETUP_ONCE)
EXITED: Final = int(W.EXITED)


@final
class Errand:
    """One of them, from clone to its end. Whoever sees that end first finishes it.

    Owns its pidfd, and its block; uses the environment. It has no doorbell.
    """

    __slots__ = (
        "_awaited",
        "_block",
        "_environment",
        "_error",
        "_lost",
        "_over",
        "_parent",
        "_pid",
        "_pidfd",
        "_results",
        "_standing",
        "state",
    )

    def __init__(
        self, parent: ProcessTask[Any], environment: Environment, standing: StandingExec
    ) -> None:
        """Start it."""
        self._block = block = (
            standing.blocks.pop() if standing.blocks else ServerBlock(parent, parent.arena)
        )
        first = standing.steps, len(standing.exec.program), block.results
        try:
            self._pid, self._pidfd, _ = start_server(
                block.ring, first, parent.arena.entry, VM, setup=ONCE, theirs=lib.RS_NO_DOORBELL
            )
        except BaseException:
            block.free()
            raise
        self._parent = parent
        self._awaited = False
        self._over: trio.Event | None = None  # of who closes it while another task waits
        self._environment = environment
        self._standing = standing
        self._results: Results | None = None  # of an exec that has failed
        self._error: OSError | None = None  # what has ended it before it began
        self._lost: ChildProcess | None = None  # whose status is to be found in other ways
        self.state: ChildState | None = None  # of its end; None as well if it never exec'd
        environment.users += 1
        standing.users += 1
        parent.in_use.add(self)

    def __repr__(self) -> str:
        return f"child {self._pid}"

    async def wait(self) -> None:
        """Wait for its end."""
        self._awaited = True
        try:
            await wait_readable(self._pidfd)
        finally:
            self._awaited = False
        self._finish()

    async def close(self) -> None:
        """Kill it, and wait for its end. Idempotent."""
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):  # somebody else has reaped it
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            if self._awaited:
                over = self._over = self._over or trio.Event()
                await over.wait()
            else:
                await self.wait()
        if self._lost is not None:
            await self._lost.end()

    def _finish(self) -> None:
        pidfd, self._pidfd = self._pidfd, -1
        self._parent.in_use.discard(self)
        state = None
        with suppress(ChildProcessError):
            state = reap.wait_here(pidfd, EXITED)
        if state is None:  # or it is being traced: then its tracer has it first
            self._lose(pidfd)
        else:
            os.close(pidfd)
        if lib.rs_ring_left(self._block.ring, 0) or not self._has_failed():
            self.state = state
        self._standing.give_block(self._block)
        self._standing.users -= 1
        self._environment.__exit__()
        if self._over is not None:
            self._over.set()

    def _has_failed(self) -> bool:
        """Look what has become of its exec, where that does not seem to have happened."""
        standing, block = self._standing, self._block
        posted = Posted(standing.exec.program, self._parent.arena, standing.steps, block.results)
        posted.first()
        self._results = outcome(block.ring, posted)
        try:
            check_begun(block.ring)
        except OSError as error:
            self._error = error
        return self._results is not None or self._error is not None

    def _lose(self, pidfd: int) -> None:
        parent, watcher = self._parent, self._parent.watcher
        assert isinstance(watcher, ChildWatcher)
        fd = PidFD(parent, ids.FileDescriptor(pidfd))
        self._lost = process = ChildProcess(parent, ids.Process(self._pid), pidfd=fd)
        process.readiness = watcher.watch_here(fd)
        parent.children.add(process)

    async def told(self) -> ChildState:
        """Return how it has ended, where ``state`` does not tell; raises what kept it from exec."""
        process = self._lost
        try:
            if self._error is not None:
                raise self._error
            if self._results is not None:
                self._standing.exec.fail(self._results, self)
            assert process is not None
            return await process.wait()
        finally:
            if process is not None:
                await process.end()


async def run_errand(
    parent: ProcessTask[Any], environments: Environments, plan: ExecPlan
) -> ChildState | None:
    """Run a program to its end; None where that is not to be done in this way."""
    await trio.lowlevel.checkpoint_if_cancelled()
    environment = environments.borrow(plan.command)
    standing = StandingExec.of(plan, parent.arena, environment)
    if len(standing.exec.program) > MOST_RESULTS:
        return None
    errand = Errand(parent, environment, standing)
    try:
        await errand.wait()
    except BaseException:
        await to_the_end(errand.close)
        raise
    return errand.state or await errand.told()
