"""Programs that are traced from a known place on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rsyscall_ns import (
    PTRACE,
    PTRACE_EVENT,
    PTRACE_O,
    SIG,
    Program,
    PtraceSyscallEntry,
    PtraceSyscallExit,
    Task,
    Traced,
    TraceStop,
    W,
)
from tests.support.children import same_state, shell, status_field

__all__ = ["TRAP_STOP", "anybody", "asking", "calls_of", "stop_of", "traced_program", "tracer_of"]

TRAP_STOP = TraceStop(SIG.TRAP, PTRACE_EVENT.STOP)
NO_OPTIONS = PTRACE_O.NONE
PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = 2**64 - 1


def anybody() -> Program:
    """Return what a program does first that anybody of its user may trace, with Yama too."""
    program = Program()
    program.calls.prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, must_succeed=False)
    return program


def asking() -> Program:
    """Return what a program does first that wants to be traced by its parent."""
    program = Program()
    program.calls.ptrace(PTRACE.TRACEME, 0, 0, 0)
    return program


def tracer_of(pid: int) -> int:
    """Return the id of who traces a process, 0 for nobody."""
    return int(status_field(pid, "TracerPid"))


async def stop_of(traced: Traced) -> TraceStop:
    """Wait for a stop that must come."""
    stop = await traced.wait()
    assert isinstance(stop, TraceStop), stop
    return stop


async def calls_of(traced: Traced) -> list[tuple[int, int]]:
    """Let it run to its end; returns its system calls, each with its result."""
    found: list[tuple[int, int]] = []
    number = -1
    while isinstance(stop := await traced.wait(), TraceStop):
        if stop.syscall:
            info = await traced.get_syscall_info()
            if isinstance(info, PtraceSyscallEntry):
                number = info.nr
            elif isinstance(info, PtraceSyscallExit):
                found.append((number, info.rval))
        await traced.syscall()
    return found


async def traced_program(
    task: Task,
    script: str,
    body: Callable[[Traced], Awaitable[None]],
    options: PTRACE_O = NO_OPTIONS,
) -> int:
    """Trace a shell from its first line on, for the time of ``body``; returns its exit status."""
    async with task.launch(shell(f"kill -STOP $$; {script}")) as program:
        await same_state(program, W.STOPPED)
        async with program.ptrace_seize(options) as traced:
            assert await traced.wait() == TraceStop(SIG.STOP, PTRACE_EVENT.STOP)
            await traced.listen()
            await program.kill(SIG.CONT)
            await traced.wait()
            await body(traced)
        status = (await program.wait()).exit_status
    assert status is not None
    return status
