"""Tracing: a cancel or a kill at any step leaves no process traced, none stopped, none at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import trio

from rsyscall_ns import (
    PTRACE_O,
    ChildState,
    Process,
    Task,
    TaskLostError,
    TraceStop,
)
from rsyscall_ns.near.ids import Address
from tests.support.census import nothing_left
from tests.support.children import shell, stat_field, thread_of
from tests.support.steps import Steps
from tests.support.tracing import TRAP_STOP, anybody, asking, tracer_of

FORKS = shell("while :; do (:); done")
OPTIONS = PTRACE_O.TRACEFORK | PTRACE_O.TRACEVFORK | PTRACE_O.TRACECLONE


async def trace(process: Process) -> None:
    """Do a little of everything to a process that never ends by itself."""
    async with process.ptrace_seize(OPTIONS) as traced:
        await traced.interrupt()
        for _ in range(3):
            found = await traced.wait()
            if isinstance(found, ChildState):
                return
            if found == TRAP_STOP:
                await traced.peekdata(Address((await traced.getregs()).sp))
            await traced.syscall()
        while not traced.tracees and isinstance(await traced.wait(), TraceStop):
            await traced.cont()


def killer(pid: int) -> Callable[[], None]:
    def kill() -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    return kill


def assert_free(pid: int) -> None:
    assert tracer_of(pid) == 0
    assert stat_field(pid, 3) != "t"


async def test_a_cancel_at_any_step(local: Task, steps: Steps) -> None:
    for at in steps.moments(10):
        with nothing_left(local):
            async with local.spawn() as tracer, local.launch(FORKS, before=anybody()) as program:
                with trio.CancelScope() as scope:
                    steps.arm(at, scope.cancel)
                    await trace(Process(tracer, program.near))
                steps.disarm()
                assert_free(program.near.id)
                assert program.death_state is None
            await local.sweep()


async def test_a_kill_of_the_traced_one_at_any_step(local: Task, steps: Steps) -> None:
    for at in steps.moments(10):
        with nothing_left(local):
            async with local.spawn() as tracer, local.launch(FORKS, before=anybody()) as program:
                steps.arm(at, killer(program.near.id))
                with suppress(ProcessLookupError, PermissionError):  # the other for a zombie
                    await trace(Process(tracer, program.near))
                steps.disarm()
                await program.kill()
                await program.wait()
            await local.sweep()


async def test_a_kill_of_the_tracer_at_any_step(local: Task, steps: Steps) -> None:
    for at in steps.moments(10):
        with nothing_left(local):
            async with local.spawn() as tracer, local.launch(FORKS, before=anybody()) as program:
                steps.arm(at, killer(tracer.process.near.id))
                with suppress(TaskLostError):
                    await trace(Process(tracer, program.near))
                steps.disarm()
                await thread_of(tracer).kill()
                await thread_of(tracer).wait()
                assert_free(program.near.id)
            await local.sweep()


async def test_a_cancel_at_any_step_of_one_that_asked(local: Task, steps: Steps) -> None:
    for at in steps.moments(5):
        with nothing_left(local):
            async with local.spawn() as tracer, tracer.launch(FORKS, before=asking()) as program:
                with trio.CancelScope() as scope:
                    steps.arm(at, scope.cancel)
                    async with program.ptrace_traceme(OPTIONS) as traced:
                        await traced.cont()
                        while not traced.tracees and isinstance(await traced.wait(), TraceStop):
                            await traced.cont()
                        await traced.interrupt()
                        await traced.wait()
                steps.disarm()
                if scope.cancelled_caught or not program.death_state:
                    assert_free(program.near.id)
            await local.sweep()
