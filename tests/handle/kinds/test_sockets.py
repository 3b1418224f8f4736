"""Sockets connect, carry bytes and have options; nothing blocks the event loop."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from errno import EBADF, ECONNREFUSED, EINVAL, ENOTCONN
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    AF,
    MSG,
    SHUT,
    SO,
    SOCK,
    SOL,
    ArgumentRangeError,
    PathError,
    Sockaddr,
    SockaddrIn,
    SockaddrIn6,
    SockaddrUn,
    SocketFD,
    Task,
)
from tests.support.census import nothing_left

ANY4 = SockaddrIn("127.0.0.1", 0)
ANY6 = SockaddrIn6("::1", 0)


def has_ipv6() -> bool:
    path = Path("/proc/net/if_inet6")
    return path.exists() and bool(path.read_text(encoding="ascii"))


async def listener(task: Task, address: Sockaddr) -> tuple[SocketFD, Sockaddr]:
    socket = await task.net.socket(address.family, SOCK.STREAM)
    await socket.bind(address)
    await socket.listen()
    name = await socket.getsockname()
    assert name is not None
    return socket, name


async def exchange(task: Task, address: Sockaddr) -> tuple[Sockaddr | None, Sockaddr | None]:
    """Connect, send both ways, end; returns the client's name as both sides know it."""
    server, name = await listener(task, address)
    client = await task.net.socket(address.family, SOCK.STREAM)
    await client.connect(name)  # the backlog takes it
    served, peer = await server.accept()
    assert await served.is_cloexec()
    assert await client.getpeername() == name
    assert await served.getsockname() == name
    assert await client.send(b"ping") == 4
    assert await served.recv(10) == b"ping"
    await served.write_all(b"pong")
    assert await client.read(10) == b"pong"
    await client.shutdown(SHUT.WR)
    assert await served.recv() == b""
    mine = await client.getsockname()
    for socket in (server, client, served):
        await socket.close()
    return mine, peer


async def test_tcp_over_ipv4(task: Task) -> None:
    with nothing_left(task):
        mine, peer = await exchange(task, ANY4)
    assert isinstance(mine, SockaddrIn)
    assert mine == peer


async def test_tcp_over_ipv6(task: Task) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6 (/proc/net/if_inet6 is missing or empty)")
    mine, peer = await exchange(task, ANY6)
    assert isinstance(mine, SockaddrIn6)
    assert mine == peer


async def test_a_stream_at_a_path(task: Task, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "socket")
    mine, peer = await exchange(task, SockaddrUn(path))
    assert mine is None  # a client has no name
    assert peer is None


async def test_accept_waits_and_others_go_on(task: Task, local: Task) -> None:
    server, name = await listener(task, ANY4)
    accepted: list[SocketFD] = []

    async def accept() -> None:
        socket, _ = await server.accept()
        accepted.append(socket)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept)
        await wait_all_tasks_blocked()
        assert accepted == []
        client = await local.net.socket(AF.INET, SOCK.STREAM)
        await client.connect(name)
    assert await accepted[0].getpeername() == await client.getsockname()


async def test_two_tasks_accept_and_neither_blocks_the_loop(local: Task) -> None:
    server, name = await listener(local, ANY4)
    accepted: list[SocketFD] = []

    async def accept() -> None:
        accepted.append((await server.accept())[0])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept)
        nursery.start_soon(accept)
        await wait_all_tasks_blocked()
        for count in (1, 2):
            client = await local.net.socket(AF.INET, SOCK.STREAM)
            await client.connect(name)
            while len(accepted) < count:
                await trio.lowlevel.checkpoint()
            await wait_all_tasks_blocked()
            assert len(accepted) == count


async def test_a_blocked_accept_is_cancelled_and_the_task_stays_usable(task: Task) -> None:
    server, name = await listener(task, ANY4)
    with nothing_left(task):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.accept)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    client = await task.net.socket(AF.INET, SOCK.STREAM)
    await client.connect(name)
    await server.accept()


async def test_a_refused_connection_is_the_named_os_error(task: Task) -> None:
    server, name = await listener(task, ANY4)
    await server.close()
    client = await task.net.socket(AF.INET, SOCK.STREAM)

    with pytest.raises(ConnectionRefusedError) as caught:
        await client.connect(name)

    assert caught.value.errno == ECONNREFUSED


async def test_a_pair_carries_bytes_both_ways(task: Task) -> None:
    left, right = await task.net.socketpair()
    await left.send(b"to the right")
    await right.send(b"to the left")
    assert await right.recv(100) == b"to the right"
    assert await left.recv(100) == b"to the left"
    await left.close()
    assert await right.recv() == b""
    with pytest.raises(BrokenPipeError):
        await right.send(b"nobody")


async def test_a_pair_of_packets_keeps_their_limits(task: Task) -> None:
    left, right = await task.net.socketpair(AF.UNIX, SOCK.SEQPACKET)
    for text in (b"one", b"two"):
        await left.send(text)
    assert await right.recv(100, MSG.PEEK) == b"one"
    assert await right.recv(100) == b"one"
    assert await right.recv(100) == b"two"


async def test_a_socket_without_a_name_has_none(task: Task) -> None:
    left, _ = await task.net.socketpair()
    assert await left.getsockname() is None
    assert await left.getpeername() is None


async def test_a_recv_waits_and_others_go_on(local: Task) -> None:
    left, right = await local.net.socketpair()
    got: list[bytes] = []

    async def receive() -> None:
        got.append(await right.recv(10))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        assert got == []
        await left.send(b"now")
    assert got == [b"now"]


async def test_a_send_without_room_waits_until_there_is_some(local: Task) -> None:
    left, right = await local.net.socketpair()
    size = 4_000_000
    received = 0

    async def send() -> None:
        await left.write_all(bytes(size))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await wait_all_tasks_blocked()  # the buffer is full
        while received < size:
            received += len(await right.recv())
    assert received == size


async def test_options_are_ints(task: Task) -> None:
    socket = await task.net.socket(AF.INET, SOCK.STREAM)
    assert await socket.getsockopt(SOL.SOCKET, SO.TYPE) == SOCK.STREAM
    assert await socket.getsockopt(SOL.SOCKET, SO.DOMAIN) == AF.INET
    assert await socket.getsockopt(SOL.SOCKET, SO.REUSEADDR) == 0
    await socket.setsockopt(SOL.SOCKET, SO.REUSEADDR, 1)
    assert await socket.getsockopt(SOL.SOCKET, SO.REUSEADDR) == 1
    with pytest.raises(OSError, match="setsockopt"):
        await socket.setsockopt(SOL.SOCKET, 9999, 1)


async def test_bad_input_is_refused_by_name_and_leaves_the_socket_as_it_was(task: Task) -> None:
    socket = await task.net.socket(AF.UNIX, SOCK.STREAM)
    refused: list[tuple[type[Exception], Callable[[], Awaitable[object]]]] = [
        (PathError, lambda: socket.bind(SockaddrUn(b"\0hidden"))),
        (PathError, lambda: socket.bind(SockaddrUn(b"x" * 108))),
        (PathError, lambda: socket.connect(SockaddrIn("not an address", 1))),
        (ArgumentRangeError, lambda: socket.listen(-1)),
        (ArgumentRangeError, lambda: socket.listen(2**31)),
        (ArgumentRangeError, lambda: socket.setsockopt(SOL.SOCKET, SO.SNDBUF, 2**31)),
        (ArgumentRangeError, lambda: socket.recv(-1)),
    ]
    with nothing_left(task):
        for error, use in refused:
            with pytest.raises(error):
                await use()


async def test_errors_of_the_kernel_keep_their_errno(task: Task) -> None:
    socket = await task.net.socket(AF.INET, SOCK.STREAM)
    with pytest.raises(OSError, match=r"getpeername\(2\)") as caught:
        await socket.getpeername()
    assert caught.value.errno == ENOTCONN
    with pytest.raises(OSError, match=r"accept4\(2\)") as caught, trio.fail_after(5):
        await socket.accept()
    assert caught.value.errno == EINVAL
    with pytest.raises(OSError, match=r"shutdown\(2\)") as caught:
        await socket.shutdown(SHUT.RDWR)
    assert caught.value.errno == ENOTCONN
    assert EBADF
