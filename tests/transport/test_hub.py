"""The hub tells any number of tasks of any number of fds, and ends with its last lease."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import open_local_task
from rsyscall_ns.transport.hub import Hub, acquire_hub
from tests.support.census import nothing_left

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


async def test_everyone_who_waits_for_an_fd_is_woken(pipe: Pipe) -> None:
    hub = acquire_hub()
    woken = 0

    async def wait() -> None:
        nonlocal woken
        await hub.wait_ready(pipe[0])
        woken += 1

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        assert woken == 0
        os.write(pipe[1], b"x")
    assert woken == 50
    hub.release()


async def test_one_waiter_leaves_and_the_others_stay(pipe: Pipe) -> None:
    hub = acquire_hub()
    woken: list[int] = []

    async def wait(name: int, scope: trio.CancelScope) -> None:
        with scope:
            await hub.wait_ready(pipe[0])
            woken.append(name)

    scopes = [trio.CancelScope() for _ in range(4)]
    async with trio.open_nursery() as nursery:
        for name, scope in enumerate(scopes):
            nursery.start_soon(wait, name, scope)
        await wait_all_tasks_blocked()
        scopes[1].cancel()
        await wait_all_tasks_blocked()
        os.write(pipe[1], b"x")
    assert sorted(woken) == [0, 2, 3]
    hub.release()


async def test_an_fd_that_is_readable_already_wakes_at_once(pipe: Pipe) -> None:
    hub = acquire_hub()
    os.write(pipe[1], b"x")

    await hub.wait_ready(pipe[0])
    await hub.wait_ready(pipe[0])  # nobody has read it yet

    hub.release()


async def test_a_removed_callback_is_called_no_more(pipe: Pipe) -> None:
    hub = acquire_hub()
    calls: list[str] = []
    first, second = (lambda: calls.append("first")), trio.Event()
    hub.add(pipe[0], first)
    hub.add(pipe[0], second.set)

    hub.remove(pipe[0], first)
    hub.remove(pipe[0], first)  # once more does nothing
    os.write(pipe[1], b"x")
    await second.wait()
    hub.remove(pipe[0], second.set)

    assert calls == []
    hub.release()


async def test_an_fd_number_that_is_used_anew_has_no_old_callbacks() -> None:
    hub = acquire_hub()
    reader, writer = os.pipe()
    old, new = trio.Event(), trio.Event()
    hub.add(reader, old.set)
    hub.remove(reader, old.set)
    os.close(reader)
    os.close(writer)
    again, writer = os.pipe()
    assert again == reader

    hub.add(again, new.set)
    os.write(writer, b"x")
    await new.wait()
    hub.remove(again, new.set)

    assert not old.is_set()
    os.close(again)
    os.close(writer)
    hub.release()


async def test_the_end_of_a_pipe_counts_as_readable() -> None:
    hub = acquire_hub()
    reader, writer = os.pipe()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hub.wait_ready, reader)
        await wait_all_tasks_blocked()
        os.close(writer)
    os.close(reader)
    hub.release()


async def test_an_fd_that_can_not_be_waited_for_is_an_error_and_is_not_remembered() -> None:
    hub = acquire_hub()
    file = os.open("/etc/passwd", os.O_RDONLY | os.O_CLOEXEC)
    for _ in range(2):
        with pytest.raises(PermissionError):
            await hub.wait_ready(file)
    os.close(file)
    hub.release()


async def test_those_who_wait_to_read_and_to_write_share_an_fd() -> None:
    hub = acquire_hub()
    left, right = socket.socketpair()
    with left, right:
        reads = trio.Event()

        async def read() -> None:
            await hub.wait_ready(left.fileno(), select.EPOLLIN)
            reads.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            await hub.wait_ready(left.fileno(), select.EPOLLOUT)  # there is room at once
            await wait_all_tasks_blocked()
            assert not reads.is_set()
            right.send(b"x")
    hub.release()


async def test_those_who_wait_for_an_fd_are_woken_when_it_is_closed() -> None:
    hub = acquire_hub()
    reader, writer = os.pipe()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(hub.wait_ready, reader)
        await wait_all_tasks_blocked()
        hub.closing(reader)
        os.close(reader)
    hub.closing(reader)  # nobody is left
    os.close(writer)
    hub.release()


async def test_one_run_has_one_hub_and_the_last_lease_closes_it() -> None:
    with nothing_left():
        first, second = acquire_hub(), acquire_hub()
        assert first is second
        first.release()
        pipe = os.pipe()
        os.write(pipe[1], b"x")
        await second.wait_ready(pipe[0])  # still open
        second.release()
        for end in pipe:
            os.close(end)


async def test_after_the_last_lease_a_new_hub_is_made() -> None:
    with nothing_left():
        first = acquire_hub()
        first.release()
        second = acquire_hub()
        assert second is not first
        await wait_all_tasks_blocked()
        second.release()


async def test_a_hub_that_is_closed_at_once_ends_its_task_quietly() -> None:
    for _ in range(20):
        acquire_hub().release()
        await trio.lowlevel.checkpoint()
    await wait_all_tasks_blocked()


def test_two_runs_after_each_other_have_a_hub_each() -> None:
    async def use() -> Hub:
        async with open_local_task() as local, local.spawn() as child:
            assert await child.cred.getuid() == os.getuid()
            return local.hub

    with nothing_left():
        hubs = [trio.run(use) for _ in range(3)]

    assert len(set(map(id, hubs))) == 3


def test_a_run_that_is_torn_down_by_an_error_leaves_no_fd() -> None:
    async def use() -> None:
        async with open_local_task(), trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await wait_all_tasks_blocked()
            raise KeyError

    with nothing_left(), pytest.RaisesGroup(KeyError):
        trio.run(use)


async def test_local_tasks_of_one_run_share_their_hub() -> None:
    async with open_local_task() as first, open_local_task() as second:
        assert first.hub is second.hub
