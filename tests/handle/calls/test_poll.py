"""Polling several fds, without holding up the event loop."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    POLL,
    SIG,
    SIG_BLOCK,
    ArgumentRangeError,
    BlocksLoopError,
    FDClosedError,
    FDTableMismatchError,
    InterruptSignalError,
    PollFD,
    Task,
    TaskLostError,
    Timespec,
)
from rsyscall_ns.handle.fds.fd_sets import in_fd_set, pack_fd_set
from tests.support.census import nothing_left


async def test_those_that_are_ready_are_told_with_what_they_are_ready_for(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    one, two = PollFD(reader, POLL.IN), PollFD(writer, POLL.OUT)
    with nothing_left(task):
        assert await task.fds.poll([one, two]) == [PollFD(writer, POLL.OUT, POLL.OUT)]
        assert await task.fds.ppoll([one], Timespec()) == []
        await writer.write(b"a")
        assert await task.fds.ppoll([one, two]) == [
            PollFD(reader, POLL.IN, POLL.IN),
            PollFD(writer, POLL.OUT, POLL.OUT),
        ]
    await reader.close()
    assert await task.fds.poll([PollFD(writer, POLL(0))]) == [PollFD(writer, POLL(0), POLL.ERR)]


async def test_a_poll_ends_with_its_time(task: Task) -> None:
    reader, _ = await task.fs.pipe2()
    with nothing_left(task):
        assert await task.fds.poll([PollFD(reader, POLL.IN)], 10) == []
        assert await task.fds.ppoll([PollFD(reader, POLL.IN)], Timespec(0, 1)) == []
        assert await task.fds.poll([], 0) == []


async def test_a_poll_can_be_cancelled_and_leaves_nothing(task: Task) -> None:
    reader, _ = await task.fs.pipe2()
    with nothing_left(task):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(task.fds.poll, [PollFD(reader, POLL.IN)])
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()


async def test_the_interpreter_is_woken_by_any_of_them(local: Task) -> None:
    (one, writer), (two, _) = await local.fs.pipe2(), await local.fs.pipe2()
    got: list[PollFD] = []

    async def wait() -> None:
        wanted = [PollFD(fd, POLL.IN) for fd in (two, one, one)]
        got.extend(await local.fds.poll(wanted))

    async with (
        await local.fs.open("/proc/self/status") as file,  # of a kind that no epoll watches
        trio.open_nursery() as nursery,
    ):
        assert await local.fds.poll([PollFD(file, POLL(0))], 0) == []
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        await writer.write(b"a")
    assert got == [PollFD(one, POLL.IN, POLL.IN)] * 2


async def test_a_signal_mask_is_for_the_time_of_the_poll_in_a_child(child: Task) -> None:
    reader, _ = await child.fs.pipe2()
    await child.signals.sigprocmask(SIG_BLOCK, [SIG.USR1])
    await child.process.kill(SIG.USR1)
    assert await child.fds.ppoll([PollFD(reader, POLL.IN)], Timespec(), [SIG.USR1]) == []
    interrupt = child.sysif.interrupt_signal()
    assert interrupt is not None
    with pytest.raises(InterruptSignalError):
        await child.fds.ppoll([], sigmask=[interrupt])
    with pytest.raises(TaskLostError):
        await child.fds.ppoll([PollFD(reader, POLL.IN)], None, [])


async def test_what_can_t_be_polled_is_refused(local: Task, child: Task) -> None:
    reader, _ = await child.fs.pipe2()
    with pytest.raises(BlocksLoopError, match="ppoll"):
        await local.fds.ppoll([], sigmask=[])
    with pytest.raises(FDTableMismatchError):
        await local.fds.poll([PollFD(reader, POLL.IN)])
    with pytest.raises(ArgumentRangeError, match="timeout"):
        await child.fds.poll([], -2)
    await reader.close()
    with pytest.raises(FDClosedError):
        await child.fds.poll([PollFD(reader, POLL.IN)])


async def test_select_tells_which_can_be_read_and_written(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    both = [writer, reader]
    with nothing_left(task):
        assert await task.fds.pselect(both, both, both) == ([], [writer], [])
        await writer.write(b"a")
        assert await task.fds.pselect(both, both) == ([reader], [writer], [])
        await reader.read()
        assert await task.fds.pselect([reader], timeout=Timespec(0, 1000)) == ([], [], [])
        assert await task.fds.pselect([], timeout=Timespec()) == ([], [], [])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(task.fds.pselect, [reader])
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()


async def test_select_wakes_the_interpreter(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    got: list[object] = []

    async def wait() -> None:
        got.append(await local.fds.pselect([reader]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        await writer.write(b"a")
    assert got == [([reader], [], [])]


async def test_the_signal_mask_of_select_is_for_its_time(local: Task, child: Task) -> None:
    reader, _ = await child.fs.pipe2()
    with pytest.raises(BlocksLoopError, match="pselect"):
        await local.fds.pselect([], sigmask=[])
    await child.signals.sigprocmask(SIG_BLOCK, [SIG.USR1])
    await child.process.kill(SIG.USR1)
    assert await child.fds.pselect([reader], timeout=Timespec(), sigmask=[SIG.USR1]) == ([], [], [])
    with pytest.raises(TaskLostError):
        await child.fds.pselect([reader], sigmask=[])


@given(st.sets(st.integers(0, 5000)))
def test_a_set_of_fds_becomes_bits_and_itself_again(numbers: set[int]) -> None:
    n = max(numbers, default=-1) + 1

    data = pack_fd_set(numbers, n)

    assert len(data) % 8 == 0
    assert len(data) * 8 >= n
    assert {number for number in range(len(data) * 8) if in_fd_set(data, number)} == numbers
