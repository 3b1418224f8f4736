"""What a traced program makes and becomes: events, and the processes that are traced with it."""

from __future__ import annotations

import pytest

from rsyscall_ns import (
    PTRACE_EVENT,
    PTRACE_O,
    SIG,
    SYS,
    ChildState,
    Process,
    Task,
    Traced,
    TraceStop,
    W,
)
from tests.support.children import FOREVER, TRUE, same_state, shell, stat_field, thread_of
from tests.support.tracing import (
    TRAP_STOP,
    anybody,
    asking,
    calls_of,
    stop_of,
    traced_program,
    tracer_of,
)

BORN = PTRACE_O.TRACEFORK | PTRACE_O.TRACEVFORK | PTRACE_O.TRACECLONE
ENDS = (PTRACE_EVENT.EXEC, PTRACE_EVENT.EXIT)
FORKS = "(exit 4); exit $(($? + 1))"


async def event_of(traced: Traced, *events: PTRACE_EVENT) -> PTRACE_EVENT:
    """Let it run until one of these happens."""
    while (stop := await stop_of(traced)).event not in events:
        await traced.cont()
    assert stop.event is not None
    return stop.event


async def end_of(traced: Traced) -> ChildState:
    """Let it run to its end."""
    while isinstance(stop := await traced.wait(), TraceStop):
        await traced.cont()
    return stop


async def test_a_child_of_a_traced_program_is_traced_too(task: Task) -> None:
    async def body(traced: Traced) -> None:
        await event_of(traced, PTRACE_EVENT.FORK, PTRACE_EVENT.VFORK, PTRACE_EVENT.CLONE)
        (born,) = traced.tracees
        assert await traced.geteventmsg() == born.process.near.id
        assert tracer_of(born.process.near.id) == tracer_of(traced.process.near.id)
        assert await born.wait() == TRAP_STOP
        await traced.cont()

        assert (await end_of(born)).exit_status == 4
        assert (await end_of(traced)).exit_status == 5

    assert await traced_program(task, FORKS, body, BORN) == 5


async def test_a_child_that_nobody_looks_at_is_let_go(task: Task) -> None:
    async def body(traced: Traced) -> None:
        await event_of(traced, PTRACE_EVENT.FORK, PTRACE_EVENT.VFORK, PTRACE_EVENT.CLONE)

    assert await traced_program(task, FORKS, body, BORN) == 5


async def test_a_program_that_forks_is_let_go_at_any_time(task: Task) -> None:
    async def body(traced: Traced) -> None:
        await traced.cont()

    assert await traced_program(task, FORKS, body, BORN) == 5


async def test_exec_and_exit_are_events(task: Task) -> None:
    async def body(traced: Traced) -> None:
        await traced.setoptions(PTRACE_O.TRACEEXEC | PTRACE_O.TRACEEXIT)

        assert await event_of(traced, *ENDS) is PTRACE_EVENT.EXEC
        assert await traced.geteventmsg() == traced.process.near.id
        await traced.cont()
        assert await event_of(traced, *ENDS) is PTRACE_EVENT.EXIT
        assert await traced.geteventmsg() == 3 << 8
        assert (await traced.getregs()).pc

    assert await traced_program(task, "exec sh -c 'exit 3'", body) == 3


async def test_the_end_of_the_tracer_is_that_of_the_traced_if_it_is_asked_for(local: Task) -> None:
    async with (
        local.spawn() as tracer,
        local.launch(FOREVER, before=anybody()) as program,
        Process(tracer, program.near).ptrace_seize(PTRACE_O.EXITKILL),
    ):
        await thread_of(tracer).kill()
        await thread_of(tracer).wait()

        assert (await program.wait()).killed_with() == SIG.KILL


async def test_a_program_is_traced_from_its_first_instruction(task: Task) -> None:
    async with (
        task.launch(TRUE, before=asking()) as program,
        program.ptrace_traceme(PTRACE_O.TRACEEXIT) as traced,
    ):
        assert await traced.wait() == TraceStop(SIG.TRAP)
        await traced.syscall()

        calls = await calls_of(traced)

    assert SYS.openat in {number for number, _ in calls}
    assert program.death_state is traced.ended
    assert program.death_state is not None
    assert program.death_state.clean()


async def test_one_that_asked_to_be_traced_is_stopped_and_let_go(task: Task) -> None:
    async with task.launch(FOREVER, before=asking()) as program:
        async with program.ptrace_traceme() as traced:
            await traced.cont()
            await traced.interrupt()
            assert await traced.wait() == TRAP_STOP
            await traced.cont()

        assert tracer_of(program.near.id) == 0
        assert stat_field(program.near.id, 3) not in "tT"


async def test_children_of_one_that_asked_are_traced_and_let_go(task: Task) -> None:
    async with task.launch(shell("(exit 4); kill -STOP $$"), before=asking()) as program:
        async with program.ptrace_traceme(BORN) as traced:
            await event_of(traced, PTRACE_EVENT.FORK, PTRACE_EVENT.VFORK, PTRACE_EVENT.CLONE)
            (born,) = traced.tracees
            assert await born.wait() == TRAP_STOP
            await born.cont()

        # it goes on after the end of its child: neither was left stopped
        assert (await same_state(program, W.STOPPED)).signal == SIG.STOP


async def test_children_of_one_that_asked_are_let_go_unseen(task: Task) -> None:
    async with task.launch(shell(FORKS), before=asking()) as program:
        async with program.ptrace_traceme(BORN) as traced:
            await event_of(traced, PTRACE_EVENT.FORK, PTRACE_EVENT.VFORK, PTRACE_EVENT.CLONE)

        assert (await program.wait()).exit_status == 5


@pytest.mark.parametrize(
    ("status", "stop", "delivers"),
    [
        (SIG.TERM, TraceStop(SIG.TERM), SIG.TERM),
        (SIG.TRAP, TraceStop(SIG.TRAP), 0),
        (SIG.TRAP | 0x80, TraceStop(SIG.TRAP, None, syscall=True), 0),
        (SIG.TRAP | 4 << 8, TraceStop(SIG.TRAP, PTRACE_EVENT.EXEC), 0),
        (SIG.STOP | 128 << 8, TraceStop(SIG.STOP, PTRACE_EVENT.STOP), 0),
    ],
)
def test_a_stop_tells_which_signal_it_delivers(status: int, stop: TraceStop, delivers: int) -> None:
    assert TraceStop.of(status) == stop
    assert stop.delivers == delivers
