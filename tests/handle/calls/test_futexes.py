"""Tasks wait on words in memory and are woken; locks go to whom they should."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from errno import EDEADLK, EINVAL
from functools import partial

import pytest
import trio
from attrs import frozen

from rsyscall_ns import (
    CLOCK,
    FUTEX,
    FUTEX2,
    FUTEX_BITSET_MATCH_ANY,
    FUTEX_OP,
    FUTEX_OP_CMP,
    FUTEX_OWNER_DIED,
    FUTEX_TID_MASK,
    FUTEX_WAITERS,
    SIG,
    SYS,
    UINT32,
    ArgumentRangeError,
    BlocksLoopError,
    ChildTask,
    FutexFlagsError,
    FutexOp,
    FutexWaiter,
    InInterpreterError,
    Pointer,
    PointerInUseError,
    RobustList,
    RobustListHead,
    Task,
    Timespec,
    W,
    struct_of,
)
from tests.support.blocking import cancelled_in, until_blocked, until_it_waits

NOW = Timespec()
LATER = Timespec(10**9)
PRIVATE = FUTEX.PRIVATE_FLAG


@frozen
class Pair:
    """A task, a child that shares its memory, and two words in there."""

    task: Task
    other: ChildTask
    word: Pointer[int]
    second: Pointer[int]

    async def until_waiting(self) -> None:
        await until_it_waits(self.other, self.word.near.value)


@pytest.fixture
async def pair(task: Task) -> AsyncGenerator[Pair, None]:
    async with task.spawn() as other:
        word, second = await task.ptr(7, UINT32), await task.ptr(5, UINT32)
        yield Pair(task, other, word, second)
        word.free()
        second.free()


Wait = Callable[[Task, Pair, int, Timespec | None], Awaitable[object]]
WAITS: dict[str, Wait] = {
    "wait": lambda t, p, val, time: t.futex.wait(p.word, val, time),
    "wait_private": lambda t, p, val, time: t.futex.wait(p.word, val, time, PRIVATE),
    "wait_bitset": lambda t, p, val, time: t.futex.wait_bitset(p.word, val, 6, time),
    "futex_wait": lambda t, p, val, time: t.futex.futex_wait(p.word, val, 6, timeout=time),
    "futex_waitv": lambda t, p, val, time: t.futex.futex_waitv([FutexWaiter(p.word, val)], time),
}


def thread_id(task: Task) -> int:
    return threading.get_native_id() if task.sysif.same_thread else task.process.near.id


async def until_it_is_in(name: str, pair: Pair) -> None:
    """Return once the other task waits by this method."""
    if name == "futex_waitv":
        await until_blocked(pair.other, SYS.futex_waitv)
    else:
        await pair.until_waiting()


@pytest.mark.parametrize("name", WAITS)
async def test_who_waits_is_woken(pair: Pair, name: str) -> None:
    flags = PRIVATE if name == "wait_private" else FUTEX.NONE
    for limit in (None, LATER):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(WAITS[name], pair.other, pair, 7, limit)
            await until_it_is_in(name, pair)

            assert await pair.task.futex.wake(pair.word, 5, flags) == 1
    assert await pair.task.futex.wake(pair.word, 5, flags) == 0


@pytest.mark.parametrize("name", WAITS)
async def test_another_value_ends_a_wait_at_once(pair: Pair, name: str) -> None:
    with pytest.raises(BlockingIOError):
        await WAITS[name](pair.task, pair, 8, NOW)


@pytest.mark.parametrize("name", WAITS)
async def test_a_wait_ends_with_its_time(pair: Pair, name: str) -> None:
    with pytest.raises(TimeoutError):
        await WAITS[name](pair.task, pair, 7, NOW)


@pytest.mark.parametrize("name", WAITS)
async def test_a_cancel_ends_a_wait(pair: Pair, name: str) -> None:
    for limit in (None, LATER):
        await cancelled_in(
            pair.other,
            partial(WAITS[name], pair.other, pair, 7, limit),
            lambda: until_it_is_in(name, pair),
        )
    assert await pair.task.futex.wake(pair.word) == 0


async def test_the_interpreter_refuses_to_wait(local: Task) -> None:
    word, time = await local.ptr(0, UINT32), await local.ptr(LATER, struct_of(Timespec))
    waits = [
        local.futex.wait(word, 0),
        local.futex.wait(word, 0, LATER),
        local.futex.wait(word, 0, time),
        local.futex.wait_bitset(word, 0),
        local.futex.wait_requeue_pi(word, 0, word),
        local.futex.lock_pi(word),
        local.futex.lock_pi2(word),
        local.futex.futex_wait(word, 0),
        local.futex.futex_waitv([FutexWaiter(word, 0)]),
    ]
    for one in waits:
        with pytest.raises(BlocksLoopError):
            await one
    word.free()
    time.free()


async def test_a_time_may_be_the_callers_memory_and_of_another_clock(pair: Pair) -> None:
    futex, time = pair.task.futex, await pair.task.ptr(NOW, struct_of(Timespec))
    with pytest.raises(TimeoutError):
        await futex.wait(pair.word, 7, time)
    with pytest.raises(TimeoutError):
        await futex.wait_bitset(pair.word, 7, 1, time, FUTEX.CLOCK_REALTIME)
    with pytest.raises(TimeoutError):
        await futex.futex_wait(pair.word, 7, timeout=time, clockid=CLOCK.REALTIME)
    with pytest.raises(OSError, match="futex_wait") as caught:
        await futex.futex_wait(pair.word, 7, timeout=time, clockid=CLOCK.TAI)
    assert caught.value.errno == EINVAL
    time.free()


async def test_the_word_is_kept_while_somebody_waits_on_it(pair: Pair) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pair.other.futex.wait, pair.word, 7)
        await pair.until_waiting()
        with pytest.raises(PointerInUseError):
            pair.word.free()
        await pair.task.futex.wake(pair.word)


async def test_bits_choose_who_is_woken(pair: Pair) -> None:
    for wait in ("wait_bitset", "futex_wait"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(WAITS[wait], pair.other, pair, 7, None)
            await pair.until_waiting()
            assert await pair.task.futex.wake_bitset(pair.word, 1, 1) == 0
            assert await pair.task.futex.futex_wake(pair.word, 1) == 0
            if wait == "futex_wait":
                assert await pair.task.futex.futex_wake(pair.word, 2) == 1
            else:
                assert await pair.task.futex.wake_bitset(pair.word, 1, 4) == 1


@pytest.mark.parametrize("way", ["requeue", "cmp_requeue", "futex_requeue"])
async def test_who_waits_is_moved_to_another_word(pair: Pair, way: str) -> None:
    futex = pair.task.futex
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pair.other.futex.wait, pair.word, 7)
        await pair.until_waiting()
        if way == "requeue":
            await futex.requeue(pair.word, 0, 1, pair.second)
        elif way == "cmp_requeue":
            assert await futex.cmp_requeue(pair.word, 0, 1, pair.second, 7) == 1
        else:
            source, to = FutexWaiter(pair.word, 7), FutexWaiter(pair.second, 0)
            assert await futex.futex_requeue(source, to, 0, 1) == 1
        assert await futex.wake(pair.word) == 0
        assert await futex.wake(pair.second) == 1


async def test_nobody_is_moved_if_the_word_is_another(pair: Pair) -> None:
    with pytest.raises(BlockingIOError):
        await pair.task.futex.cmp_requeue(pair.word, 0, 1, pair.second, 8)
    with pytest.raises(BlockingIOError):
        await pair.task.futex.futex_requeue(
            FutexWaiter(pair.word, 8), FutexWaiter(pair.second, 0), 0, 1
        )


@pytest.mark.parametrize(
    ("op", "after", "woken"),
    [
        (FutexOp(FUTEX_OP.SET, 9, FUTEX_OP_CMP.EQ, 5), 9, 1),
        (FutexOp(FUTEX_OP.ADD, 3, FUTEX_OP_CMP.NE, 5), 8, 0),
        (FutexOp(FUTEX_OP.ADD, -3, FUTEX_OP_CMP.GT, -1), 2, 1),
        (FutexOp(FUTEX_OP.OR, 3, FUTEX_OP_CMP.LT, 6, shift=True), 13, 1),
        (FutexOp(FUTEX_OP.ANDN, 1, FUTEX_OP_CMP.GE, 6), 4, 0),
        (FutexOp(FUTEX_OP.XOR, 1, FUTEX_OP_CMP.LE, 5), 4, 1),
    ],
)
async def test_another_word_is_changed_and_who_waits_on_it_woken(
    pair: Pair, op: FutexOp, after: int, woken: int
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pair.other.futex.wait, pair.second, 5)
        await until_it_waits(pair.other, pair.second.near.value)
        assert await pair.task.futex.wake_op(pair.word, 1, pair.second, 1, op) == woken
        assert pair.second.peek() == after
        assert await pair.task.futex.wake(pair.second) == 1 - woken


async def test_one_of_several_words_is_enough(pair: Pair) -> None:
    waiters = [FutexWaiter(pair.second, 5), FutexWaiter(pair.word, 7)]
    found: list[int] = []

    async def wait() -> None:
        found.append(await pair.other.futex.futex_waitv(waiters))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await until_blocked(pair.other, SYS.futex_waitv)
        await pair.task.futex.wake(pair.word)

    assert found == [1]


# locks that pass on priority


async def test_a_lock_has_one_owner(pair: Pair) -> None:
    pair.word.poke(0)
    await pair.task.futex.trylock_pi(pair.word)
    assert pair.word.peek() == thread_id(pair.task)
    with pytest.raises(OSError, match="futex") as caught:
        await pair.task.futex.trylock_pi(pair.word)
    assert caught.value.errno == EDEADLK
    with pytest.raises(BlockingIOError):
        await pair.other.futex.trylock_pi(pair.word)
    with pytest.raises(PermissionError):
        await pair.other.futex.unlock_pi(pair.word)
    await pair.task.futex.unlock_pi(pair.word)
    assert pair.word.peek() == 0


@pytest.mark.parametrize("way", ["lock_pi", "lock_pi2"])
async def test_a_lock_goes_to_who_waits_for_it(pair: Pair, way: str) -> None:
    pair.word.poke(0)
    await pair.task.futex.trylock_pi(pair.word)
    lock = getattr(pair.other.futex, way)
    with pytest.raises(TimeoutError):
        await lock(pair.word, NOW)
    await cancelled_in(pair.other, lambda: lock(pair.word), pair.until_waiting)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lock, pair.word)
        await pair.until_waiting()
        await pair.task.futex.unlock_pi(pair.word)
    assert pair.word.peek() & FUTEX_TID_MASK == thread_id(pair.other)
    await pair.other.futex.unlock_pi(pair.word)


async def test_who_waits_is_moved_to_a_lock_and_gets_it(pair: Pair) -> None:
    pair.second.poke(0)
    wait = pair.other.futex.wait_requeue_pi
    await cancelled_in(pair.other, lambda: wait(pair.word, 7, pair.second), pair.until_waiting)
    await pair.task.futex.trylock_pi(pair.second)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, pair.word, 7, pair.second)
        await pair.until_waiting()
        assert await pair.task.futex.cmp_requeue_pi(pair.word, 5, pair.second, 7) == 1
        await pair.task.futex.unlock_pi(pair.second)
    assert pair.second.peek() & FUTEX_TID_MASK == thread_id(pair.other)
    await pair.other.futex.unlock_pi(pair.second)


# locks that outlive their owner


async def test_who_waits_for_a_lock_is_told_that_its_owner_has_died(pair: Pair) -> None:
    task = pair.task
    async with task.spawn() as owner:
        word, tid = pair.word, thread_id(owner)
        head, entry = (
            await task.malloc(struct_of(RobustListHead)),
            await task.malloc(struct_of(RobustList)),
        )
        offset = word.near.value - entry.near.value
        head.poke(RobustListHead(entry.near.value, offset))
        entry.poke(RobustList(head.near.value))
        await owner.futex.set_robust_list(head)
        with pytest.raises(PointerInUseError):
            head.free()
        word.poke(tid | FUTEX_WAITERS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pair.other.futex.wait, word, tid | FUTEX_WAITERS)
            await pair.until_waiting()
            await owner.process.kill(SIG.KILL)

        assert word.peek() == FUTEX_OWNER_DIED | FUTEX_WAITERS
        await owner.process.waitid(W.EXITED)
        assert not head.valid  # it was the owner's
        entry.free()


async def test_a_lock_that_passes_on_priority_is_got_from_a_dead_owner(pair: Pair) -> None:
    pair.word.poke(0)
    async with pair.task.spawn() as owner:
        await owner.futex.trylock_pi(pair.word)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pair.other.futex.lock_pi, pair.word)
            await pair.until_waiting()
            await owner.process.kill(SIG.KILL)
        assert pair.word.peek() & FUTEX_OWNER_DIED
        assert pair.word.peek() & FUTEX_TID_MASK == thread_id(pair.other)
    await pair.other.futex.unlock_pi(pair.word)


async def test_the_interpreters_list_is_its_c_librarys(local: Task) -> None:
    head = await local.malloc(struct_of(RobustListHead))
    with pytest.raises(InInterpreterError):
        await local.futex.set_robust_list(head)
    head.free()


# what is refused


async def test_bad_arguments_are_refused(task: Task) -> None:
    futex, word = task.futex, await task.ptr(0, UINT32)
    refused = [
        futex.wake(word, -1),
        futex.wait_bitset(word, 0, 0, NOW),
        futex.wake_bitset(word, 1, 0),
        futex.requeue(word, 0, 2**31, word),
        futex.wait(word, 2**32, NOW),
        futex.futex_wake(word, nr=-1),
        futex.futex_wake(word, flags=FUTEX2.SIZE_U64),
        futex.futex_waitv([]),
        futex.futex_waitv([FutexWaiter(word, 0)] * 129),
        futex.futex_requeue(FutexWaiter(word, 0), FutexWaiter(word, 0), -1, 0),
    ]
    for one in refused:
        with pytest.raises(ArgumentRangeError):
            await one
    for clocked in (
        futex.wake(word, 1, FUTEX.CLOCK_REALTIME),
        futex.lock_pi(word, NOW, FUTEX.CLOCK_REALTIME),
    ):
        with pytest.raises(FutexFlagsError):
            await clocked
    word.free()


async def test_a_word_must_be_whole_and_begin_where_words_do(task: Task) -> None:
    byte, rest = (await task.malloc(UINT32, 8)).split(1)
    with pytest.raises(ArgumentRangeError):
        await task.futex.wake(byte)
    with pytest.raises(OSError, match="futex") as caught:
        await task.futex.wake(rest)
    assert caught.value.errno == EINVAL
    byte.free()
    rest.free()


@pytest.mark.parametrize(
    "op",
    [
        FutexOp(FUTEX_OP.ADD, 2048),
        FutexOp(FUTEX_OP.ADD, 32, shift=True),
        FutexOp(FUTEX_OP.ADD, 0, FUTEX_OP_CMP.EQ, -2049),
    ],
)
def test_an_operation_has_small_arguments(op: FutexOp) -> None:
    with pytest.raises(ArgumentRangeError):
        op.pack()


def test_all_bits_are_all_of_a_word() -> None:
    assert FUTEX_BITSET_MATCH_ANY == 2**32 - 1
