"""Line: our end of a callable's channel."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from rsyscall_ns.containers.callables.line import Line

LARGE = bytes(range(256)) * 16_384  # more than a socket takes at once

Pair = tuple[Line, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        yield Line(ours), theirs


async def taken(end: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        await trio.lowlevel.wait_readable(end)
        found += end.recv(size - len(found))
    return found


async def test_parts_larger_than_what_a_socket_takes_arrive_in_order(pair: Pair) -> None:
    line, theirs = pair
    parts = (b"first", b"", LARGE, b"last")
    found: list[bytes] = []

    async def take() -> None:
        found.append(await taken(theirs, sum(map(len, parts))))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await line.send(*parts)

    assert found == [b"".join(parts)]


async def test_what_came_at_once_is_received_piece_by_piece(pair: Pair) -> None:
    line, theirs = pair
    theirs.send(b"Hhead and body")

    assert [await line.receive(size) for size in (1, 4, 0, 9)] == [b"H", b"head", b"", b" and body"]


async def test_one_that_waits_receives_what_comes_later(pair: Pair) -> None:
    line, theirs = pair
    found: list[bytes | None] = []

    async def receive() -> None:
        found.append(await line.receive(len(LARGE)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        left = memoryview(LARGE)
        while left:
            await trio.lowlevel.wait_writable(theirs)
            left = left[theirs.send(left) :]

    assert found == [LARGE]


async def test_an_end_in_the_middle_is_none(pair: Pair) -> None:
    line, theirs = pair
    theirs.send(b"abc")
    theirs.close()

    assert await line.receive(4) is None


async def test_what_was_sent_before_it_is_shut_is_received(pair: Pair) -> None:
    line, theirs = pair
    theirs.send(b"abc")
    line.shut()

    assert await line.receive(3) == b"abc"
    assert await line.receive(1) is None


async def test_sending_to_one_that_has_gone_is_let_be(pair: Pair) -> None:
    line, theirs = pair
    theirs.close()

    await line.send(b"abc")

    assert await line.receive(1) is None


async def test_closing_wakes_who_waits(pair: Pair) -> None:
    line, _ = pair

    async def wait() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await line.receive(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        line.close()
        line.close()
