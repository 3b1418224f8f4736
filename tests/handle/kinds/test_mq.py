"""POSIX message queues: priorities, deadlines, and a loop that is never held up."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from errno import EBUSY, EMSGSIZE

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    BYTES,
    SI,
    SIG,
    SIG_BLOCK,
    SIG_UNBLOCK,
    SIGEV,
    ArgumentRangeError,
    FDKindError,
    MqAttr,
    MqFD,
    O,
    PathError,
    Sigevent,
    SigeventError,
    Task,
    Timespec,
    ValueSiginfo,
    struct_of,
)
from tests.support.census import nothing_left

NAME = f"/rsyscall_ns-{time.time_ns()}"
SMALL = MqAttr(maxmsg=2, msgsize=16)
OVER = Timespec(1)


@pytest.fixture
async def queue(task: Task) -> AsyncGenerator[MqFD, None]:
    made = await task.mq.mq_open(NAME, O.RDWR | O.CREAT | O.EXCL, 0o600, SMALL)
    await task.mq.mq_unlink(NAME)
    yield made
    await made.close()


def soon() -> Timespec:
    return Timespec.of_ns(time.time_ns() + 10_000_000)


async def test_the_highest_priority_comes_first(queue: MqFD) -> None:
    assert await queue.is_cloexec()
    await queue.mq_timedsend(b"low")
    await queue.mq_timedsend(b"high", 9)
    assert (await queue.mq_getattr()).curmsgs == 2
    assert await queue.mq_timedreceive() == (b"high", 9)
    assert await queue.mq_timedreceive(16, soon()) == (b"low", 0)


async def test_a_message_is_sent_from_and_received_into_memory(task: Task, queue: MqFD) -> None:
    data, room = await task.ptr(b"from memory"), await task.malloc(BYTES, 64)
    await queue.mq_timedsend(data, 1)
    filled, prio = await queue.mq_timedreceive(room)
    assert (await filled.read(), prio) == (b"from memory", 1)
    data.free()
    filled.free()


@pytest.mark.parametrize("late", [OVER, None])
async def test_a_deadline_that_comes_raises(queue: MqFD, late: Timespec | None) -> None:
    with pytest.raises(TimeoutError, match="mq_timedreceive"):
        await queue.mq_timedreceive(deadline=late or soon())
    await queue.mq_timedsend(b"a")
    await queue.mq_timedsend(b"b")
    with pytest.raises(TimeoutError, match="mq_timedsend"):
        await queue.mq_timedsend(b"c", deadline=late or soon())
    assert await queue.mq_timedreceive(deadline=OVER) == (b"a", 0)


async def test_receiving_waits_and_can_be_cancelled(task: Task, queue: MqFD) -> None:
    with nothing_left(task):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.mq_timedreceive)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    await queue.mq_timedsend(b"still there")
    assert await queue.mq_timedreceive() == (b"still there", 0)


async def test_the_interpreter_is_woken_by_a_message_and_by_room(local: Task) -> None:
    queue = await local.mq.mq_open(NAME, O.RDWR | O.CREAT | O.EXCL, 0o600, SMALL)
    await local.mq.mq_unlink(NAME)
    got: list[bytes] = []

    async def receive(count: int) -> None:
        for _ in range(count):
            message, _ = await queue.mq_timedreceive()
            got.append(message)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive, 1)
        await wait_all_tasks_blocked()
        await queue.mq_timedsend(b"0")
    async with trio.open_nursery() as nursery:
        for text in (b"1", b"2"):
            await queue.mq_timedsend(text)
        nursery.start_soon(queue.mq_timedsend, b"3")
        await wait_all_tasks_blocked()
        nursery.start_soon(receive, 3)
    assert got == [b"0", b"1", b"2", b"3"]
    await queue.close()


async def test_a_queue_that_does_not_wait_says_so(task: Task, queue: MqFD) -> None:
    assert (await queue.mq_setattr(MqAttr(flags=O.NONBLOCK))).flags == 0
    with pytest.raises(BlockingIOError):
        await queue.mq_timedreceive()
    new, old = await task.ptr(MqAttr()), await task.malloc(struct_of(MqAttr))
    old = await queue.mq_setattr(new, old)
    assert (await old.read()).flags == O.NONBLOCK
    old = await queue.mq_getattr(old)
    assert await old.read() == SMALL
    new.free()
    old.free()


async def test_errors_name_the_queue_and_what_was_wrong(task: Task, queue: MqFD) -> None:
    with pytest.raises(FileNotFoundError) as gone:
        await task.mq.mq_open(NAME)
    assert gone.value.filename == NAME[1:]
    with pytest.raises(FileNotFoundError):
        await task.mq.mq_unlink(NAME)
    with pytest.raises(OSError, match="mq_timedsend") as long:
        await queue.mq_timedsend(bytes(17))
    assert long.value.errno == EMSGSIZE
    with pytest.raises(OSError, match="mq_timedreceive") as short:
        await queue.mq_timedreceive(15)
    assert short.value.errno == EMSGSIZE
    with pytest.raises(ArgumentRangeError, match="priority"):
        await queue.mq_timedsend(b"", 32768)
    for name in ("", "/", "a", "/a/b"):
        with pytest.raises(PathError):
            await task.mq.mq_open(name)
    with pytest.raises(ArgumentRangeError, match="mode"):
        await task.mq.mq_open(NAME, O.RDWR | O.CREAT, 0o10000)


async def test_a_name_in_memory_is_the_kernels_own(task: Task) -> None:
    name, attr = await task.ptr(f"{NAME[1:]}\0".encode()), await task.ptr(SMALL)
    async with await task.mq.mq_open(name, O.RDWR | O.CREAT, 0o600, attr) as queue:
        await task.mq.mq_unlink(name)
        assert (await queue.mq_getattr()).msgsize == 16
    name.free()
    attr.free()


async def test_only_a_queue_becomes_a_queue(task: Task, queue: MqFD) -> None:
    again = await (await queue.dup()).as_kind(MqFD)
    assert (await again.mq_getattr()).maxmsg == 2
    await again.close()
    async with await task.fds.eventfd() as counter:
        with pytest.raises(FDKindError):
            await counter.as_kind(MqFD)


async def test_a_signal_tells_of_a_message_in_an_empty_queue(task: Task, queue: MqFD) -> None:
    event = Sigevent(77, SIG.USR1, SIGEV.SIGNAL)
    await task.signals.sigprocmask(SIG_BLOCK, [SIG.USR1])
    async with task.spawn() as other:
        theirs = await queue.pass_to(other)
        await queue.mq_notify(event)
        with pytest.raises(OSError, match="mq_notify") as caught:
            await theirs.mq_notify(event)
        assert caught.value.errno == EBUSY
        await theirs.mq_timedsend(b"news")
        told = await task.signals.sigwaitinfo([SIG.USR1])
        assert isinstance(told, ValueSiginfo)
        assert (told.code, told.value) == (SI.MESGQ, 77)
        await theirs.mq_notify(Sigevent(notify=SIGEV.NONE))  # it was told once
    await task.signals.sigprocmask(SIG_UNBLOCK, [SIG.USR1])


async def test_a_notification_can_lie_in_memory_and_is_taken_back(task: Task, queue: MqFD) -> None:
    event = await task.ptr(Sigevent(notify=SIGEV.NONE))
    await queue.mq_notify(event)
    with pytest.raises(OSError, match="mq_notify") as caught:
        await queue.mq_notify(event)
    assert caught.value.errno == EBUSY
    await queue.mq_notify(None)
    await queue.mq_notify(event)
    await queue.mq_notify(None)
    event.free()
    with pytest.raises(ArgumentRangeError, match="signal"):
        await queue.mq_notify(Sigevent(0, 65, SIGEV.SIGNAL))
    for way in (SIGEV.THREAD, SIGEV.THREAD_ID):
        with pytest.raises(SigeventError, match="SIGNAL"):
            await queue.mq_notify(Sigevent(notify=way))
