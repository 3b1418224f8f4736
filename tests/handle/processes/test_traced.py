"""Tracing a program: its stops, its system calls, its memory and registers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from errno import EPERM

import pytest
import trio

from rsyscall_ns import (
    BYTES,
    NT,
    PTRACE,
    PTRACE_EVENT,
    SIG,
    SIGINFO_T,
    SYSCALL_INFO,
    ArgumentRangeError,
    ChildProcess,
    ChildState,
    Process,
    PtraceSyscallNone,
    Task,
    Traced,
    TraceeRunsError,
    TraceStop,
    ValueSiginfo,
)
from rsyscall_ns.near.ids import Address
from tests.support.children import FOREVER, stat_field
from tests.support.tracing import TRAP_STOP, anybody, tracer_of


@pytest.fixture
async def program(task: Task) -> AsyncIterator[ChildProcess]:
    """Start a program that sleeps."""
    async with task.launch(FOREVER, before=anybody()) as process:
        yield process


@pytest.fixture
async def traced(program: ChildProcess) -> AsyncIterator[Traced]:
    """Stop it."""
    async with program.ptrace_seize() as made:
        await made.interrupt()
        assert await made.wait() == TRAP_STOP
        yield made


async def ask_for_ever(traced: Traced) -> None:
    while True:
        await traced.getsigmask()


# from the seizing to the end


async def test_a_seized_process_goes_on(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        assert traced.stopped is None
        assert tracer_of(program.near.id) != 0
        assert stat_field(program.near.id, 3) not in "tT"

    assert tracer_of(program.near.id) == 0


async def test_leaving_the_block_lets_a_stopped_one_go(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        await traced.interrupt()
        assert await traced.wait() == TRAP_STOP
        assert await traced.wait() == TRAP_STOP
        assert stat_field(program.near.id, 3) == "t"

    assert tracer_of(program.near.id) == 0
    assert stat_field(program.near.id, 3) != "t"
    assert program.death_state is None


async def test_a_process_that_another_task_made_is_traced(local: Task) -> None:
    async with (
        local.spawn() as tracer,
        local.launch(FOREVER, before=anybody()) as program,
        Process(tracer, program.near).ptrace_seize() as traced,
    ):
        await traced.interrupt()
        assert await traced.wait() == TRAP_STOP
        assert tracer_of(program.near.id) == tracer.process.near.id


async def test_its_end_is_seen_and_its_parent_s_to_reap(local: Task) -> None:
    async with local.spawn() as tracer, local.launch(FOREVER, before=anybody()) as program:
        async with Process(tracer, program.near).ptrace_seize() as traced:
            await program.kill(SIG.KILL)

            ended = await traced.wait()

            assert isinstance(ended, ChildState)
            assert ended.killed_with() == SIG.KILL
            assert await traced.wait() is ended
        assert (await program.wait()).killed_with() == SIG.KILL


async def test_the_end_of_a_child_is_seen_once(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        await program.kill(SIG.KILL)
        ended = await traced.wait()

    assert program.death_state is ended
    assert await program.wait() is ended


async def test_its_end_is_seen_by_all_who_wait(program: ChildProcess) -> None:
    states: list[object] = []

    async def wait(traced: Traced) -> None:
        states.append(await traced.wait())

    async with program.ptrace_seize() as traced, trio.open_nursery() as nursery:
        nursery.start_soon(wait, traced)
        nursery.start_soon(wait, traced)
        await program.kill(SIG.KILL)
        states.append(await program.wait())

    assert states == [program.death_state] * 3


async def test_the_end_of_a_stranger_is_seen_by_all_who_wait(local: Task) -> None:
    states: list[object] = []

    async def wait(traced: Traced) -> None:
        states.append(await traced.wait())

    async with (
        local.spawn() as tracer,
        local.launch(FOREVER, before=anybody()) as program,
        Process(tracer, program.near).ptrace_seize() as traced,
    ):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(wait, traced)
            await program.kill(SIG.KILL)

        assert states == [traced.ended] * 4


async def test_a_process_is_traced_by_one_only(local: Task, program: ChildProcess) -> None:
    async with program.ptrace_seize(), local.spawn() as other:
        with pytest.raises(PermissionError) as caught:
            async with Process(other, program.near).ptrace_seize():
                raise AssertionError
        assert caught.value.errno == EPERM


async def test_a_process_that_is_gone_can_not_be_traced(local: Task) -> None:
    async with local.launch(FOREVER, before=anybody()) as program:
        gone = Process(local, program.near)
    with pytest.raises(ProcessLookupError):
        async with gone.ptrace_seize():
            raise AssertionError


async def test_one_that_was_killed_while_it_was_stopped_is_let_go(
    program: ChildProcess, traced: Traced
) -> None:
    await program.kill(SIG.KILL)
    with pytest.raises(ProcessLookupError):
        await ask_for_ever(traced)  # until the kernel has taken it out of its stop

    ended = await traced.wait()
    assert isinstance(ended, ChildState)
    assert ended.killed_with() == SIG.KILL


async def test_it_is_let_go_by_hand(program: ChildProcess, traced: Traced) -> None:
    await traced.detach()

    assert tracer_of(program.near.id) == 0
    with pytest.raises(TraceeRunsError):
        await traced.wait()
    with pytest.raises(TraceeRunsError):
        await traced.interrupt()


async def test_what_asks_a_running_one_is_refused(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        for call in (traced.cont(), traced.getregs(), traced.peekdata(Address(0))):
            with pytest.raises(TraceeRunsError, match="runs"):
                await call
        await program.kill(SIG.KILL)
        await traced.wait()
        with pytest.raises(TraceeRunsError, match="ended"):
            await traced.cont()


# stops


async def test_a_signal_is_delivered_when_it_goes_on(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        await program.kill(SIG.TERM)
        assert await traced.wait() == TraceStop(SIG.TERM)
        await traced.cont()

        ended = await traced.wait()

    assert isinstance(ended, ChildState)
    assert ended.killed_with() == SIG.TERM


async def test_a_signal_that_it_stopped_by_is_delivered_when_it_is_let_go(
    program: ChildProcess,
) -> None:
    async with program.ptrace_seize() as traced:
        await program.kill(SIG.TERM)
        assert await traced.wait() == TraceStop(SIG.TERM)

    assert (await program.wait()).killed_with() == SIG.TERM


async def test_a_signal_is_taken_away(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        await program.kill(SIG.TERM)
        await traced.wait()
        await traced.cont(0)
        await traced.interrupt()
        assert await traced.wait() == TRAP_STOP

    assert program.death_state is None


async def test_a_group_that_stops_is_listened_to(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        await program.kill(SIG.STOP)
        assert await traced.wait() == TraceStop(SIG.STOP)
        await traced.cont()
        assert await traced.wait() == TraceStop(SIG.STOP, PTRACE_EVENT.STOP)
        await traced.listen()
        await program.kill(SIG.CONT)

        assert await traced.wait() == TRAP_STOP
        await traced.cont()
        assert await traced.wait() == TraceStop(SIG.CONT)

    assert stat_field(program.near.id, 3) not in "tT"


# system calls, memory, registers, signals


async def test_where_it_is_no_system_call_is_told(traced: Traced) -> None:
    info = await traced.get_syscall_info()

    assert isinstance(info, PtraceSyscallNone)
    regs = await traced.getregs()
    assert (info.instruction_pointer, info.stack_pointer) == (regs.pc, regs.sp)

    into = await traced.process.task.malloc(SYSCALL_INFO)
    assert await traced.get_syscall_info(into=into) is into
    assert await into.read() == info
    into.free()


async def test_memory_is_peeked_and_poked(traced: Traced) -> None:
    place = Address((await traced.getregs()).sp)
    before = await traced.peekdata(place)

    await traced.pokedata(place, 2**64 - 2)

    assert await traced.peekdata(place) == 2**64 - 2
    itself = Process(traced.process.task, traced.process.near)
    (read,) = await itself.process_vm_readv([(place, 8)])
    assert read == (2**64 - 2).to_bytes(8, "little")
    await traced.pokedata(place, before)
    with pytest.raises(OSError, match="ptrace"):
        await traced.peekdata(Address(8))
    with pytest.raises(ArgumentRangeError):
        await traced.pokedata(place, 2**64)


async def test_registers_are_set_and_told(traced: Traced) -> None:
    before = await traced.getregs()
    raw = await traced.getregset(NT.PRSTATUS)
    assert type(before).unpack(raw) == before

    await traced.setregs(before)
    mine = await traced.process.task.ptr(raw, BYTES)
    await traced.setregset(NT.PRSTATUS, mine)

    found = await traced.getregset(NT.PRSTATUS, into=mine)
    assert await found.read() == raw
    found.free()
    assert len(await traced.getregset(NT.PRFPREG)) >= 512


async def test_registers_that_there_are_not_are_an_error(traced: Traced) -> None:
    with pytest.raises(OSError, match="ptrace"):
        await traced.getregset(NT.ARM_GCS if os.uname().machine == "x86_64" else NT.X86_XSTATE)


async def test_the_signals_that_it_blocks_are_set_and_told(
    program: ChildProcess, traced: Traced
) -> None:
    await traced.setsigmask({SIG.USR1, SIG.USR2})
    assert await traced.getsigmask() == {SIG.USR1, SIG.USR2}

    await program.sigqueue(SIG.USR1, 5)

    (waiting,) = await traced.peeksiginfo(shared=True)
    assert isinstance(waiting, ValueSiginfo)
    assert (waiting.signo, waiting.value) == (SIG.USR1, 5)
    assert await traced.peeksiginfo() == []


async def test_what_came_with_a_signal_is_told_and_changed(program: ChildProcess) -> None:
    async with program.ptrace_seize() as traced:
        await program.sigqueue(SIG.TERM, 17)
        assert await traced.wait() == TraceStop(SIG.TERM)
        info = await traced.getsiginfo()
        assert isinstance(info, ValueSiginfo)
        assert (info.signo, info.value) == (SIG.TERM, 17)
        await traced.setsiginfo(ValueSiginfo(SIG.TERM, 0, info.code, info.pid, info.uid, 18))
        into = await traced.process.task.malloc(SIGINFO_T)

        assert await traced.getsiginfo(into=into) is into

        changed = await into.read()
        assert isinstance(changed, ValueSiginfo)
        assert changed.value == 18
        into.free()


async def test_any_other_request_can_be_made(traced: Traced) -> None:
    with traced.process.task.transient(8) as found:
        place = found.address.value
        await traced.request(PTRACE.PEEKUSR, 0, place)
