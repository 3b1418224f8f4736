"""Calls about signals, and those that trace, take memory of the caller's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rsyscall_ns import (
    BYTES,
    EPOLL,
    POLL,
    SI,
    SIG,
    SIG_BLOCK,
    SIG_SETMASK,
    SIGINFO_TS,
    SIGSET,
    UINT64,
    ChildProcess,
    PollFD,
    SerializerError,
    Task,
    Timespec,
    Traced,
    UseAfterFreeError,
    ValueSiginfo,
)
from rsyscall_ns.near.ids import Address
from tests.support.children import FOREVER
from tests.support.tracing import anybody

SOON = Timespec.of_ns(1_000_000)
USED = {SIG.USR1, SIG.USR2}


@pytest.fixture
async def traced(task: Task) -> AsyncIterator[Traced]:
    async with (
        task.launch(FOREVER, before=anybody()) as program,
        program.ptrace_seize() as made,
    ):
        await made.interrupt()
        await made.wait()
        yield made


async def test_a_mask_is_set_from_memory_and_told_into_it(child: Task) -> None:
    wanted = await child.ptr(frozenset(USED), SIGSET)
    old = await child.malloc(SIGSET)

    before = await child.signals.sigprocmask(SIG_BLOCK)
    assert await child.signals.sigprocmask(SIG_SETMASK, wanted, into=old) is old

    assert old.peek() == before
    assert await child.signals.sigprocmask(SIG_BLOCK) == USED
    wanted.free()
    old.free()


async def test_signals_in_memory_are_waited_for(child: Task) -> None:
    wanted = await child.ptr(frozenset({SIG.USR2}), SIGSET)
    await child.signals.sigprocmask(SIG_BLOCK, wanted)
    await child.process.kill(SIG.USR2)
    there = await child.malloc(SIGSET)

    assert (await child.signals.sigpending(into=there)).peek() == {SIG.USR2}
    async with await child.signals.signalfd(wanted) as fd:
        await fd.signalfd(wanted)
        ((told,)) = await fd.read_siginfo()
    assert told.signo == SIG.USR2
    with pytest.raises(BlockingIOError):
        await child.signals.sigtimedwait(wanted, SOON)
    for pointer in (wanted, there):
        pointer.free()
    with pytest.raises(UseAfterFreeError):
        await child.signals.sigpending(into=there)


async def test_a_mask_in_memory_holds_for_a_wait(child: Task) -> None:
    mask = await child.ptr(frozenset(USED), SIGSET)
    reader, writer = await child.fs.pipe2()

    assert await child.fds.ppoll([PollFD(reader, POLL.IN)], SOON, mask) == []
    assert await child.fds.pselect([reader], timeout=SOON, sigmask=mask) == ([], [], [])
    async with await child.fds.epoll_create1() as epoll:
        await epoll.add(reader, EPOLL.IN)
        assert list(await epoll.epoll_pwait(8, 1, mask)) == []
    mask.free()
    for fd in (reader, writer):
        await fd.close()


async def test_a_word_of_a_traced_one_is_peeked_and_poked(traced: Traced) -> None:
    task = traced.process.task
    place = Address((await traced.getregs()).sp)
    word = await task.ptr(0x1122334455667788, UINT64)

    await traced.pokedata(place, word)
    word.poke(0)

    assert await traced.peekdata(place, into=word) is word
    assert word.peek() == await traced.peekdata(place) == 0x1122334455667788
    word.free()
    with pytest.raises(UseAfterFreeError):
        await traced.pokedata(place, word)


async def test_what_belongs_to_an_event_is_filled_in(traced: Traced) -> None:
    there = await traced.process.task.ptr(1, UINT64)

    assert await traced.geteventmsg(into=there) is there
    assert there.peek() == await traced.geteventmsg()
    there.free()


async def test_signals_of_a_traced_one_are_set_and_told_in_memory(traced: Traced) -> None:
    task = traced.process.task
    wanted = await task.ptr(frozenset(USED), SIGSET)
    there = await task.malloc(SIGSET)

    await traced.setsigmask(wanted)

    assert (await traced.getsigmask(into=there)).peek() == USED
    for pointer in (wanted, there):
        pointer.free()


async def test_signals_that_wait_are_told_in_memory_that_is_consumed(traced: Traced) -> None:
    task, program = traced.process.task, traced.process
    assert isinstance(program, ChildProcess)
    await traced.setsigmask(USED)
    for value in (5, 6):
        await program.sigqueue(SIG.USR1 if value == 5 else SIG.USR2, value)
    there = await task.malloc(SIGINFO_TS, 3 * 128)

    filled = await traced.peeksiginfo(0, there, shared=True)

    assert [one.value for one in filled.peek() if isinstance(one, ValueSiginfo)] == [5, 6]
    assert filled.size() == 2 * 128
    with pytest.raises(UseAfterFreeError):
        there.peek()
    filled.free()


def test_several_siginfos_and_sets_are_of_whole_sizes() -> None:
    one = ValueSiginfo(SIG.USR1, 0, SI.QUEUE, 2, 3, 4)
    assert SIGINFO_TS.from_bytes(SIGINFO_TS.to_bytes([one, one])) == [one, one]
    with pytest.raises(SerializerError):
        SIGINFO_TS.from_bytes(bytes(129))
    with pytest.raises(SerializerError):
        SIGSET.from_bytes(bytes(7))


async def test_memory_that_is_too_small_for_a_set_is_refused(task: Task) -> None:
    small = await task.malloc(BYTES, 4)
    with pytest.raises(SerializerError):
        await task.signals.sigpending(into=small)  # type: ignore[arg-type] # which is the point
    small.free()
