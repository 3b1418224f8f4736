"""An epoll watches fds; waiting for it never holds up the event loop."""

from __future__ import annotations

from errno import EBADF, EEXIST, EINVAL, ELOOP, ENOENT

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    EPOLL,
    EPOLL_CTL,
    SIG,
    SIG_BLOCK,
    ArgumentRangeError,
    BlocksLoopError,
    EpollEvent,
    EpollFD,
    EpollParams,
    FDKindError,
    FDTableMismatchError,
    InterruptSignalError,
    MissingCallError,
    Task,
    TaskLostError,
    Timespec,
    array_of,
    one_of,
    struct_of,
)
from tests.support.census import nothing_left

EVENTS = array_of(EpollEvent)
A_BIT = 20  # milliseconds


async def test_an_event_comes_with_the_word_that_the_caller_gave(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    async with await task.fds.epoll_create1() as epoll:
        assert await epoll.is_cloexec()
        await epoll.add(reader, EPOLL.IN, 2**64 - 1)
        assert await epoll.epoll_wait(timeout=0) == []
        await writer.write(b"a")

        assert await epoll.epoll_wait() == [EpollEvent(EPOLL.IN, 2**64 - 1)]


async def test_what_is_watched_for_is_changed_and_ended(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    async with await task.fds.epoll_create1() as epoll:
        await epoll.add(writer, EPOLL.IN, 1)
        assert await epoll.epoll_wait(timeout=0) == []
        await epoll.modify(writer, EPOLL.OUT, 2)
        assert await epoll.epoll_wait() == [EpollEvent(EPOLL.OUT, 2)]
        await epoll.delete(writer)
        assert await epoll.epoll_wait(timeout=0) == []
        await epoll.add(reader, EPOLL.IN | EPOLL.ONESHOT)
        await writer.close()
        assert await epoll.epoll_wait() == [EpollEvent(EPOLL.HUP, 0)]
        assert await epoll.epoll_wait(timeout=0) == []


async def test_several_events_come_at_once_but_no_more_than_asked_for(task: Task) -> None:
    pairs = [await task.fs.pipe2() for _ in range(3)]
    async with await task.fds.epoll_create1() as epoll:
        for word, (_, writer) in enumerate(pairs):
            await epoll.add(writer, EPOLL.OUT, word)

        assert len(await epoll.epoll_wait(2)) == 2
        assert {event.data for event in await epoll.epoll_wait(3)} == {0, 1, 2}


async def test_events_are_filled_into_the_callers_memory(task: Task) -> None:
    _, writer = await task.fs.pipe2()
    async with await task.fds.epoll_create1() as epoll:
        event = await task.ptr(EpollEvent(EPOLL.OUT, 7), one_of(EpollEvent))
        await epoll.epoll_ctl(EPOLL_CTL.ADD, writer, event)
        room = await task.malloc(EVENTS, 4 * EpollEvent.sizeof())

        filled = await epoll.epoll_wait(room)

        assert await filled.read() == [EpollEvent(EPOLL.OUT, 7)]
        event.free()
        filled.free()


@pytest.mark.parametrize("way", ["epoll_wait", "epoll_pwait", "epoll_pwait2"])
async def test_a_wait_ends_with_its_time(task: Task, way: str) -> None:
    async with await task.fds.epoll_create1() as epoll:
        with nothing_left(task):
            if way == "epoll_wait":
                assert await epoll.epoll_wait(timeout=A_BIT) == []
            elif way == "epoll_pwait":
                assert await epoll.epoll_pwait(timeout=A_BIT) == []
            else:
                assert await epoll.epoll_pwait2(timeout=Timespec.of(A_BIT / 1000)) == []


async def test_others_go_on_while_it_waits_and_it_can_be_cancelled(task: Task) -> None:
    async with await task.fds.epoll_create1() as epoll:
        with nothing_left(task):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(epoll.epoll_wait)
                await wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        assert await epoll.epoll_wait(timeout=0) == []


async def test_the_interpreter_is_woken_by_what_comes_later(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    got: list[object] = []
    async with await local.fds.epoll_create1() as epoll:
        await epoll.add(reader, EPOLL.IN, 5)

        async def wait() -> None:
            got.extend(await epoll.epoll_pwait2(timeout=Timespec(1000)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            await writer.write(b"a")
    assert got == [EpollEvent(EPOLL.IN, 5)]


async def test_a_signal_mask_is_for_the_time_of_the_wait_in_a_child(child: Task) -> None:
    await child.signals.sigprocmask(SIG_BLOCK, [SIG.USR1])
    async with await child.fds.epoll_create1() as epoll:
        assert await epoll.epoll_pwait(timeout=0, sigmask=[SIG.USR1]) == []
        assert await epoll.epoll_pwait2(timeout=Timespec(), sigmask=[SIG.USR1]) == []
        interrupt = child.sysif.interrupt_signal()
        assert interrupt is not None
        with pytest.raises(InterruptSignalError):
            await epoll.epoll_pwait(sigmask=[interrupt])
        await child.process.kill(SIG.USR1)
        with pytest.raises(TaskLostError):  # it is delivered as soon as it is not blocked
            await epoll.epoll_pwait(timeout=1000, sigmask=[])


async def test_the_interpreter_refuses_a_signal_mask(local: Task) -> None:
    async with await local.fds.epoll_create1() as epoll:
        with pytest.raises(BlocksLoopError, match="epoll_pwait"):
            await epoll.epoll_pwait(sigmask=[])
        with pytest.raises(BlocksLoopError, match="epoll_pwait2"):
            await epoll.epoll_pwait2(sigmask=[])


async def test_the_kernels_errors_come_through(task: Task) -> None:
    reader, _ = await task.fs.pipe2()
    async with await task.fds.epoll_create1() as epoll, await task.fds.epoll_create1() as other:
        with pytest.raises(FileNotFoundError) as gone:
            await epoll.modify(reader, EPOLL.IN)
        assert gone.value.errno == ENOENT
        await epoll.add(reader, EPOLL.IN)
        with pytest.raises(FileExistsError) as twice:
            await epoll.add(reader, EPOLL.IN)
        assert twice.value.errno == EEXIST
        await epoll.add(other, EPOLL.IN)
        with pytest.raises(OSError, match="epoll_ctl") as ring:
            await other.add(epoll, EPOLL.IN)
        assert ring.value.errno == ELOOP
        async with await task.fs.open("/proc/self/status") as file:
            with pytest.raises(PermissionError):
                await epoll.add(file, EPOLL.IN)
        with pytest.raises(OSError, match="epoll_ctl") as itself:
            await epoll.add(epoll, EPOLL.IN)
        assert itself.value.errno == EINVAL


@pytest.mark.parametrize("number", [0, -1, 2**31])
async def test_a_number_of_events_that_can_t_be_is_refused(task: Task, number: int) -> None:
    async with await task.fds.epoll_create1() as epoll:
        with pytest.raises(ArgumentRangeError, match="maxevents"):
            await epoll.epoll_wait(number)
        with pytest.raises(ArgumentRangeError, match="timeout"):
            await epoll.epoll_wait(1, -2)


async def test_an_fd_of_another_task_is_not_watched(local: Task, child: Task) -> None:
    reader, _ = await child.fs.pipe2()
    async with await local.fds.epoll_create1() as epoll:
        with pytest.raises(FDTableMismatchError):
            await epoll.add(reader, EPOLL.IN)


async def test_only_an_epoll_becomes_an_epoll(task: Task) -> None:
    async with await task.fds.epoll_create1() as epoll, await task.fds.eventfd() as counter:
        with pytest.raises(FDKindError, match="eventfd"):
            await counter.as_kind(EpollFD)
        again = await (await epoll.dup()).as_kind(EpollFD)
        assert type(again) is EpollFD
        await again.close()


async def test_how_network_devices_are_polled_is_set_and_read(task: Task) -> None:
    async with await task.fds.epoll_create1() as epoll:
        try:
            await epoll.set_params(EpollParams(busy_poll_usecs=100, busy_poll_budget=8))
        except OSError as error:
            if isinstance(error, MissingCallError) or error.errno != EBADF:
                pytest.skip("this kernel's epolls have no parameters")
            raise
        assert await epoll.get_params() == EpollParams(100, 8, 0)
        room = await task.malloc(struct_of(EpollParams))
        assert (await (await epoll.get_params(room)).read()).busy_poll_usecs == 100
        room.free()
