"""A terminal that the interpreter itself uses: the event loop is never blocked by it.

A terminal has no form of read or write that fails where it would block, so the open file's
O_NONBLOCK is set for the time of one call. Others may use the same open file.
"""

from __future__ import annotations

import fcntl
import os
import tty
from collections.abc import Generator
from errno import EIO

import pytest
import trio
from attrs import frozen
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import FDClosedError, FileDescriptor, O, Task

LARGE = 100_000  # bytes; more than any terminal takes at once
FLAGS = {"blocking": 0, "nonblocking": os.O_NONBLOCK}


@frozen
class Pty:
    """A pseudo-terminal: the end of whoever shows it (nonblocking), and the name of the other."""

    master: int
    name: str

    def received(self) -> bytes:
        """Return what was written and not yet taken out."""
        parts: list[bytes] = []
        try:
            while part := os.read(self.master, LARGE):
                parts.append(part)
        except BlockingIOError:
            pass
        return b"".join(parts)


@pytest.fixture
def pty() -> Generator[Pty, None, None]:
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield Pty(master, os.ttyname(slave))
    os.close(slave)
    os.close(master)


async def opened(task: Task, pty: Pty, flags: int = 0) -> FileDescriptor:
    return await task.fs.open(pty.name, O.RDWR | O.NOCTTY | flags)


def nonblocking(fd: FileDescriptor) -> int:
    return fcntl.fcntl(fd.near.number, fcntl.F_GETFL) & os.O_NONBLOCK


@pytest.mark.parametrize("flags", FLAGS)
async def test_a_write_into_a_full_one_waits_and_others_go_on(
    local: Task, pty: Pty, flags: str
) -> None:
    terminal = await opened(local, pty, FLAGS[flags])
    data = os.urandom(LARGE)
    got = bytearray()
    done = trio.Event()

    async def write() -> None:
        await terminal.write_all(data)
        done.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        assert not done.is_set()
        assert nonblocking(terminal) == FLAGS[flags]
        while len(got) < LARGE:
            got += pty.received()
            await wait_all_tasks_blocked()
            assert nonblocking(terminal) == FLAGS[flags]
    assert bytes(got) == data


@pytest.mark.parametrize("flags", FLAGS)
async def test_a_write_that_finds_room_leaves_the_flag_alone(
    local: Task, pty: Pty, flags: str
) -> None:
    terminal = await opened(local, pty, FLAGS[flags])

    assert await terminal.write(b"hello") == 5

    assert nonblocking(terminal) == FLAGS[flags]
    assert pty.received() == b"hello"


@pytest.mark.parametrize("flags", FLAGS)
async def test_a_cancelled_write_leaves_the_flag_and_the_terminal_alone(
    local: Task, pty: Pty, flags: str
) -> None:
    terminal = await opened(local, pty, FLAGS[flags])
    data = os.urandom(LARGE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(terminal.write_all, data)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert nonblocking(terminal) == FLAGS[flags]

    taken = pty.received()

    assert taken == data[: len(taken)]
    assert 0 < len(taken) < LARGE
    assert await terminal.write(b"afterwards") == 10
    assert pty.received() == b"afterwards"


@pytest.mark.parametrize("flags", FLAGS)
async def test_a_read_of_an_empty_one_waits_and_others_go_on(
    local: Task, pty: Pty, flags: str
) -> None:
    terminal = await opened(local, pty, FLAGS[flags])
    got: list[bytes] = []

    async def read() -> None:
        got.append(await terminal.read(100))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        assert got == []
        assert nonblocking(terminal) == FLAGS[flags]
        os.write(pty.master, b"typed")
    assert got == [b"typed"]
    assert nonblocking(terminal) == FLAGS[flags]


async def test_two_tasks_write_one_and_both_get_through(local: Task, pty: Pty) -> None:
    terminal = await opened(local, pty)
    got = bytearray()
    async with trio.open_nursery() as nursery:
        for letter in (b"a", b"b"):
            nursery.start_soon(terminal.write_all, letter * LARGE)
        while len(got) < 2 * LARGE:
            await wait_all_tasks_blocked()
            got += pty.received()
    assert (got.count(b"a"), got.count(b"b")) == (LARGE, LARGE)
    assert nonblocking(terminal) == 0


async def test_closing_it_wakes_who_waits_to_write(local: Task, pty: Pty) -> None:
    terminal = await opened(local, pty)

    async def write() -> None:
        with pytest.raises((FDClosedError, trio.ClosedResourceError)):
            await terminal.write_all(bytes(LARGE))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        await terminal.close()


@pytest.mark.parametrize("flags", FLAGS)
async def test_a_terminal_that_was_hung_up_is_an_error_and_nothing_more(
    local: Task, flags: str
) -> None:
    master, slave = os.openpty()
    pty = Pty(master, os.ttyname(slave))
    terminal = await opened(local, pty, FLAGS[flags])
    os.close(master)
    os.close(slave)

    with pytest.raises(OSError, match=os.strerror(EIO)) as caught:
        await terminal.write(b"nobody")

    assert caught.value.errno == EIO
    assert nonblocking(terminal) == FLAGS[flags]


async def test_a_child_waits_in_its_own_write_and_the_flag_is_never_touched(
    local: Task, child: Task, pty: Pty
) -> None:
    terminal = await opened(local, pty)
    theirs = await terminal.pass_to(child)
    data = os.urandom(LARGE)
    got = bytearray()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(theirs.write_all, data)
        while len(got) < LARGE:
            await wait_all_tasks_blocked()
            got += pty.received()
            assert nonblocking(terminal) == 0
    assert bytes(got) == data
