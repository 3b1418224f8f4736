"""Sockets send to addresses and receive from them; the errors are the kernel's."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EDESTADDRREQ,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOTCONN,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
)
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    AF,
    BYTES,
    MSG,
    NETLINK,
    SHUT,
    SO,
    SOCK,
    SOCKADDR,
    SOL,
    SYS,
    PathError,
    SockaddrIn,
    SockaddrNl,
    SockaddrUn,
    SockaddrUnknown,
    SocketFD,
    Task,
)
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left, open_fds

ANY = SockaddrIn("127.0.0.1", 0)
Use = Callable[[], Awaitable[object]]


async def bound(task: Task) -> tuple[SocketFD, SockaddrIn]:
    socket = await task.net.socket(AF.INET, SOCK.DGRAM)
    await socket.bind(ANY)
    name = await socket.getsockname()
    assert isinstance(name, SockaddrIn)
    return socket, name


async def test_datagrams_go_to_an_address_and_come_from_one(task: Task) -> None:
    first, here = await bound(task)
    second, there = await bound(task)
    assert await first.sendto(b"hello", there) == 5
    assert await second.recvfrom() == (b"hello", here)
    assert await second.inq() == 0
    await first.sendto(b"again", there)
    assert await second.inq() == 5
    assert await second.recvfrom(2) == (b"ag", here)


async def test_memory_of_the_caller_is_sent_and_filled(task: Task) -> None:
    first, here = await bound(task)
    second, there = await bound(task)
    data, address = await task.ptr(b"hello", BYTES), await task.ptr(there, SOCKADDR)
    assert await first.sendto(data, address) == 5
    filled, sender = await second.recvfrom(await task.malloc(BYTES, 64))
    assert (await filled.read(), sender) == (b"hello", here)
    await first.connect(address)
    assert await first.send(data) == 5
    again = await second.recv(await task.malloc(BYTES, 3), MSG.TRUNC)
    assert await again.read() == b"hel"
    for pointer in (data, address, filled, again):
        pointer.free()


async def test_names_are_written_to_memory_of_the_caller(task: Task) -> None:
    server = await task.net.socket(AF.INET, SOCK.STREAM)
    any_name = await task.ptr(ANY, SOCKADDR)
    await server.bind(any_name)
    await server.listen()
    name = await server.getsockname(into=await task.malloc(SOCKADDR, 128))
    assert await name.read() == await server.getsockname()
    client = await task.net.socket(AF.INET, SOCK.STREAM)
    await client.connect(name)
    served, peer = await server.accept(into=await task.malloc(SOCKADDR, 128))
    assert await peer.read() == await client.getsockname()
    again = await client.getpeername(into=await task.malloc(SOCKADDR, 128))
    assert await again.read() == await name.read()
    assert await served.is_cloexec()
    for pointer in (any_name, name, peer, again):
        pointer.free()


async def test_an_abstract_name_is_read_from_a_peer_and_refused_from_the_caller(task: Task) -> None:
    socket = await task.net.socket(AF.UNIX, SOCK.DGRAM)
    hidden = (await task.malloc(BYTES, 9)).as_type(BYTES)
    hidden.poke(b"\1\0\0hidden")
    pointer = hidden.as_type(SOCKADDR)
    for use in (socket.bind, socket.connect):
        with pytest.raises(PathError, match="abstract"):
            await use(pointer)
    with pytest.raises(PathError, match="abstract"):
        await socket.sendto(b"x", pointer)
    empty = (await task.malloc(BYTES, 1)).as_type(SOCKADDR)
    with pytest.raises(PathError, match="no address"):
        await socket.bind(empty)
    pointer.free()
    empty.free()


async def test_a_netlink_socket_has_a_name_of_its_own(task: Task) -> None:
    socket = await task.net.socket(AF.NETLINK, SOCK.RAW, NETLINK.ROUTE)
    await socket.bind(SockaddrNl())
    name = await socket.getsockname()
    assert isinstance(name, SockaddrNl)
    assert name.pid
    other = await task.net.socket(AF.NETLINK, SOCK.RAW, NETLINK.ROUTE)
    with pytest.raises(OSError, match="in use"):
        await other.bind(name)


async def test_an_association_is_dissolved_by_no_address(task: Task) -> None:
    socket, _ = await bound(task)
    _, there = await bound(task)
    await socket.connect(there)
    assert await socket.getpeername() == there
    await socket.connect(SockaddrUnknown(AF.UNSPEC, bytes(14)))
    with pytest.raises(OSError, match="getpeername"):
        await socket.getpeername()


async def test_a_send_to_a_full_queue_waits_until_there_is_room(task: Task, tmp_path: Path) -> None:
    receiver = await task.net.socket(AF.UNIX, SOCK.DGRAM)
    there = SockaddrUn(os.fsencode(tmp_path / "socket"))
    await receiver.bind(there)
    sender = await task.net.socket(AF.UNIX, SOCK.DGRAM)
    other = await receiver.pass_to(task.parent_task or task)  # a child's own call may block it
    sent: list[int] = []

    async def send() -> None:
        while len(sent) < 1000:
            await sender.sendto(b"x", there, MSG.NONE)
            sent.append(1)

    before = open_fds()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        while not sent:
            await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        assert len(sent) < 1000
        for _ in range(1000):
            assert await other.recv() == b"x"
    assert open_fds() == before


async def test_all_that_was_asked_for_is_waited_for(task: Task, local: Task) -> None:
    left, mine = await local.net.socketpair()
    right = await mine.pass_to(task)
    got: list[bytes] = []

    async def receive() -> None:
        got.append(await right.recv(6, MSG.WAITALL))

    for last in (b"ef", b""):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            for part in (b"ab", b"cd", last):
                await wait_all_tasks_blocked()
                assert not got
                await (left.send(part) if part else left.shutdown(SHUT.WR))
        assert got.pop() == b"abcd" + last


async def test_what_came_before_a_cancel_is_not_lost(task: Task, local: Task) -> None:
    left, mine = await local.net.socketpair()
    right = await mine.pass_to(task)
    got: list[bytes] = []

    async def receive() -> None:
        got.append(await right.recv(6, MSG.WAITALL))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        if task is not local:
            await until_blocked(task, SYS.recvfrom)
        await wait_all_tasks_blocked()
        await left.send(b"ab")
        await wait_all_tasks_blocked()
        while await mine.inq():
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert got == [b"ab"]


@pytest.mark.parametrize("way", ["sendto", "sendmsg", "recvfrom", "recvmsg", "recvmmsg"])
async def test_a_call_that_waits_is_cancelled_and_the_socket_stays_usable(
    task: Task, way: str
) -> None:
    left, right = await task.net.socketpair(AF.UNIX, SOCK.DGRAM)
    numbers = {"sendto": SYS.sendto, "sendmsg": SYS.sendmsg, "recvfrom": SYS.recvfrom}
    numbers |= {"recvmsg": SYS.recvmsg, "recvmmsg": SYS.recvmmsg}

    async def wait() -> None:
        match way:
            case "sendto":
                while True:
                    await left.send(bytes(1000))
            case "sendmsg":
                while True:
                    await left.sendmsg(bytes(1000))
            case "recvfrom":
                await right.recvfrom()
            case "recvmsg":
                await right.recvmsg()
            case _:
                await right.recvmmsg(2)

    with nothing_left(task):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            if task.parent_task is not None:
                await until_blocked(task, numbers[way])
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    if way.startswith("recv"):
        await left.send(b"after")
        assert await right.recv() == b"after"
    else:
        assert await right.recv() == bytes(1000)


async def test_urgent_data_are_marked(task: Task) -> None:
    server = await task.net.socket(AF.INET, SOCK.STREAM)
    await server.bind(ANY)
    await server.listen()
    name = await server.getsockname()
    assert name is not None
    client = await task.net.socket(AF.INET, SOCK.STREAM)
    await client.connect(name)
    served, _ = await server.accept()
    await client.send(b"ab")
    await client.send(b"!", MSG.OOB)
    assert not await served.sockatmark()
    assert await served.recv(10) == b"ab"
    assert await served.sockatmark()
    assert await served.recv(1, MSG.OOB) == b"!"
    assert await client.outq() >= 0


async def refused(use: Use, number: int) -> OSError:
    with pytest.raises(OSError, match=r"\(2\)") as caught, trio.fail_after(5):
        await use()
    assert caught.value.errno == number
    return caught.value


async def test_errors_of_names_and_connections_keep_their_errno(task: Task, tmp_path: Path) -> None:
    udp, there = await bound(task)
    other = await task.net.socket(AF.INET, SOCK.DGRAM)
    stream = await task.net.socket(AF.INET, SOCK.STREAM)
    unix = await task.net.socket(AF.UNIX, SOCK.STREAM)
    left, _ = await task.net.socketpair()
    packets, _ = await task.net.socketpair(AF.UNIX, SOCK.DGRAM)
    await packets.setsockopt(SOL.SOCKET, SO.SNDBUF, 100_000)
    path = SockaddrUn(os.fsencode(tmp_path / "socket"))
    uses: list[tuple[Use, int]] = [
        (lambda: other.bind(there), EADDRINUSE),
        (lambda: other.bind(SockaddrIn("192.0.2.1", 0)), EADDRNOTAVAIL),
        (lambda: other.bind(SockaddrNl()), EINVAL),
        (lambda: udp.bind(ANY), EINVAL),
        (udp.listen, EOPNOTSUPP),
        (udp.accept, EOPNOTSUPP),
        (lambda: other.send(b"x"), EDESTADDRREQ),
        (lambda: other.sendmsg(b"x"), EDESTADDRREQ),
        (lambda: other.sendto(bytes(70000), there), EMSGSIZE),
        (stream.recv, ENOTCONN),
        (lambda: unix.send(b"x"), ENOTCONN),
        (lambda: left.sendto(b"x", path), EISCONN),
        (lambda: packets.sendmsg(bytes(400_000)), EMSGSIZE),
        (lambda: stream.connect(SockaddrUnknown(AF.TIPC, bytes(14))), EAFNOSUPPORT),
        (lambda: unix.recv(1, MSG.OOB), EINVAL),
        (lambda: task.net.socket(999, SOCK.STREAM), EAFNOSUPPORT),
        (lambda: task.net.socket(AF.UNIX, SOCK.STREAM, 99), EPROTONOSUPPORT),
        (lambda: task.net.socketpair(AF.INET), EOPNOTSUPP),
    ]
    with nothing_left(task):
        for use, number in uses:
            await refused(use, number)


async def test_the_path_of_a_name_is_in_its_error(task: Task, tmp_path: Path) -> None:
    socket = await task.net.socket(AF.UNIX, SOCK.DGRAM)
    path = tmp_path / "missing"
    address = SockaddrUn(os.fsencode(path))
    uses: list[Use] = [lambda: socket.connect(address), lambda: socket.sendto(b"x", address)]
    for use in uses:
        with pytest.raises(FileNotFoundError) as caught:
            await use()
        assert caught.value.filename == str(path)
    await socket.bind(address)
    with pytest.raises(OSError, match="in use") as used:
        await (await task.net.socket(AF.UNIX, SOCK.DGRAM)).bind(address)
    assert used.value.filename == str(path)


async def test_what_came_of_all_that_was_waited_for_is_not_lost_by_a_close(local: Task) -> None:
    ours, theirs = await local.net.socketpair()
    got: list[bytes] = []

    async def receive() -> None:
        got.append(await ours.recv(10, MSG.WAITALL))

    async with theirs, trio.open_nursery() as nursery:
        await theirs.send(b"abc")
        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        await ours.close()
    assert got == [b"abc"]
