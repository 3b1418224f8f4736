"""Several tasks accept on one listening socket: each gets one connection, and none is lost."""

from __future__ import annotations

import fcntl
import os
import socket

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import AF, SOCK, SYS, Sockaddr, SockaddrIn, SocketFD, Task
from tests.support.blocking import current_call, until_blocked

ANY = SockaddrIn("127.0.0.1", 0)


async def listener(task: Task) -> tuple[SocketFD, Sockaddr]:
    server = await task.net.socket(AF.INET, SOCK.STREAM)
    await server.bind(ANY)
    await server.listen()
    name = await server.getsockname()
    assert name is not None
    return server, name


async def until_waiting(task: Task) -> None:
    """Return once all other tasks wait, and a child does so in its call."""
    if task.parent_task is not None:
        await until_blocked(task, SYS.accept4)
    await wait_all_tasks_blocked()


def until_done(task: Task) -> None:
    """Return, without giving trio a turn, once a child has carried out what it was in."""
    if task.parent_task is not None:
        while current_call(task.process.near.id) == SYS.accept4:
            os.sched_yield()


class Door:
    """A listening socket, and what was accepted on it."""

    def __init__(self, server: SocketFD, name: Sockaddr) -> None:
        self.server = server
        self.name = name
        self.accepted: list[tuple[SocketFD, Sockaddr | None]] = []

    async def accept(self) -> None:
        self.accepted.append(await self.server.accept())

    async def connect(self, task: Task, count: int) -> list[SocketFD]:
        """Return clients, all connected before anybody could take notice of the first."""
        clients = [await task.net.socket(AF.INET, SOCK.STREAM) for _ in range(count)]
        async with trio.open_nursery() as nursery:
            for client in clients:
                nursery.start_soon(client.connect, self.name)
        return clients

    async def check(self, clients: list[SocketFD]) -> None:
        """Assert that each client was accepted once, and talks with whoever has accepted it."""
        names = {await client.getsockname(): client for client in clients}
        assert sorted(str(peer) for _, peer in self.accepted) == sorted(map(str, names))
        for served, peer in self.accepted:
            await served.send(str(peer).encode())
        for name, client in names.items():
            assert await client.recv() == str(name).encode()


@pytest.fixture
async def door(task: Task) -> Door:
    return Door(*await listener(task))


async def test_two_accept_two_clients_that_come_at_once(
    task: Task, local: Task, door: Door
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.accept)
        nursery.start_soon(door.accept)
        await until_waiting(task)
        clients = await door.connect(local, 2)
    await door.check(clients)


async def test_two_accept_two_clients_that_are_there_already(local: Task, door: Door) -> None:
    clients = await door.connect(local, 2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.accept)
        nursery.start_soon(door.accept)
    await door.check(clients)


async def test_one_client_is_accepted_by_one_and_the_other_waits_on(
    task: Task, local: Task, door: Door
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.accept)
        nursery.start_soon(door.accept)
        await until_waiting(task)
        first = await door.connect(local, 1)
        while not door.accepted:
            await trio.lowlevel.checkpoint()
        await until_waiting(task)
        assert len(door.accepted) == 1
        second = await door.connect(local, 1)
    await door.check(first + second)


async def test_more_accept_than_a_ring_holds(task: Task, local: Task, door: Door) -> None:
    count = 20
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(door.accept)
        await until_waiting(task)
        clients = await door.connect(local, count)
    await door.check(clients)


@pytest.mark.parametrize("which", [0, 1], ids=["the first", "the second"])
async def test_a_cancelled_one_takes_no_connection_with_it(
    task: Task, local: Task, door: Door, which: int
) -> None:
    scopes = [trio.CancelScope(), trio.CancelScope()]
    ended = trio.Event()

    async def accept(scope: trio.CancelScope) -> None:
        with scope:
            await door.accept()
        ended.set()

    async with trio.open_nursery() as nursery:
        for scope in scopes:
            nursery.start_soon(accept, scope)
            await until_waiting(task)
        scopes[which].cancel()
        await ended.wait()
        assert door.accepted == []
        nursery.start_soon(door.accept)
        clients = await door.connect(local, 2)
    await door.check(clients)


async def test_a_cancel_that_comes_with_a_client_does_not_lose_it(task: Task, door: Door) -> None:
    with socket.socket() as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(door.accept)
            await until_waiting(task)
            assert isinstance(door.name, SockaddrIn)
            client.connect((door.name.address, door.name.port))  # the backlog takes it at once
            until_done(task)
            nursery.cancel_scope.cancel()
        if not door.accepted:
            await door.accept()
        ((served, _),) = door.accepted
        await served.send(b"welcome")
        assert client.recv(100) == b"welcome"


async def test_accepting_leaves_the_sockets_flags_alone(local: Task) -> None:
    server, name = await listener(local)
    other = os.dup(server.near.number)  # the flags are those of the open file, for all its fds
    door = Door(server, name)
    seen: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.accept)
        nursery.start_soon(door.accept)
        await wait_all_tasks_blocked()
        seen.append(fcntl.fcntl(other, fcntl.F_GETFL) & os.O_NONBLOCK)
        clients = await door.connect(local, 2)
    seen.append(fcntl.fcntl(other, fcntl.F_GETFL) & os.O_NONBLOCK)
    os.close(other)
    await door.check(clients)
    assert seen == [0, 0]
    for served, _ in door.accepted:
        assert not await served.fcntl(fcntl.F_GETFL) & os.O_NONBLOCK
