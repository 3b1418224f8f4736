"""Errors that the manual pages of sockets name: each is provoked, and keeps its errno."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from rsyscall_ns import (
    AF,
    CLONE,
    MSG,
    SO,
    SOCK,
    SOL,
    SockaddrIn,
    SockaddrUn,
    SocketFD,
    Task,
)
from tests.support.children import IS_ROOT
from tests.support.limits import fd_table_full
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

ANY = SockaddrIn("127.0.0.1", 0)
BROADCAST = SockaddrIn("127.255.255.255", 9)
NOBODYS = SockaddrIn("192.0.2.1", 9)  # kept free for examples
FAR = 9999
UNKNOWN = 1 << 20
OnSocket = Callable[[SocketFD], Awaitable[object]]


@final
@frozen
class Sockets(Scene):
    """Places for names of sockets: a file, a link to itself, and what is not there."""

    def name(self, path: str) -> SockaddrUn:
        return SockaddrUn(os.fsencode(self.folder / path))

    async def on(self, use: OnSocket, domain: AF = AF.UNIX, kind: SOCK | int = SOCK.STREAM) -> None:
        """Use a new socket."""
        async with await self.task.net.socket(domain, kind) as socket:
            await use(socket)

    async def inet(self, use: OnSocket, kind: SOCK | int = SOCK.STREAM) -> None:
        """Use a new socket of the internet."""
        await self.on(use, AF.INET, kind)

    async def pair(self, use: OnSocket, kind: SOCK = SOCK.STREAM) -> None:
        """Use one end of a pair."""
        left, right = await self.task.net.socketpair(kind=kind)
        async with left, right:
            await use(left)

    @asynccontextmanager
    async def full(self, address: SockaddrUn | SockaddrIn) -> AsyncGenerator[SocketFD, None]:
        """Give a socket that listens and has as many connections waiting as it may."""
        net = self.task.net
        domain = AF.UNIX if isinstance(address, SockaddrUn) else AF.INET
        async with (
            await net.socket(domain, SOCK.STREAM) as server,
            await net.socket(domain, SOCK.STREAM) as client,
        ):
            await server.bind(address)
            await server.listen(0)
            name = await server.getsockname()
            assert name is not None
            await client.connect(name)
            yield server


async def bound_twice(socket: SocketFD) -> None:
    await socket.bind(ANY)
    await socket.bind(ANY)


async def listened_twice(p: Sockets) -> None:
    """Listen on a port that another socket, bound to it too, listens on."""
    net = p.task.net
    async with (
        await net.socket(AF.INET, SOCK.STREAM) as first,
        await net.socket(AF.INET, SOCK.STREAM) as second,
    ):
        for socket in (first, second):
            await socket.setsockopt(SOL.SOCKET, SO.REUSEADDR, 1)
        await first.bind(ANY)
        name = await first.getsockname()
        assert name is not None
        await second.bind(name)
        await first.listen()
        await second.listen()


async def left_alone(p: Sockets) -> None:
    """Connect to a name whose socket is closed."""
    await p.on(lambda s: s.bind(p.name("left")))
    try:
        await p.on(lambda s: s.connect(p.name("left")))
    finally:
        (p.folder / "left").unlink()


async def other_kind(p: Sockets) -> None:
    """Connect a datagram socket to one of streams."""
    async with p.full(p.name("here")):
        await p.on(lambda s: s.connect(p.name("here")), kind=SOCK.DGRAM)


async def connected_twice(p: Sockets, address: SockaddrUn | SockaddrIn) -> None:
    """Connect what is connected."""
    net, domain = p.task.net, AF.UNIX if isinstance(address, SockaddrUn) else AF.INET
    async with (
        await net.socket(domain, SOCK.STREAM) as server,
        await net.socket(domain, SOCK.STREAM) as client,
    ):
        await server.bind(address)
        await server.listen()
        name = await server.getsockname()
        assert name is not None
        await client.connect(name)
        await client.connect(name)


async def unreachable(p: Sockets) -> None:
    """Connect in a network that has no interface that is up."""
    async with p.task.spawn(CLONE.NEWUSER | CLONE.NEWNET) as child:
        await Sockets(child, p.folder).inet(lambda s: s.connect(NOBODYS))


async def unanswered(p: Sockets) -> None:
    """Receive where a datagram was sent to a port that nobody has."""
    async with await p.task.net.socket(AF.INET, SOCK.DGRAM) as gone:
        await gone.bind(ANY)
        name = await gone.getsockname()
    assert name is not None
    async with await p.task.net.socket(AF.INET, SOCK.DGRAM) as socket:
        await socket.connect(name)
        await socket.send(b"to nobody")
        await socket.recv()


async def filled(socket: SocketFD) -> None:
    """Send more than anybody takes, without waiting."""
    while await socket.send(bytes(65536), MSG.DONTWAIT):
        pass


async def peer_gone(p: Sockets) -> None:
    """Send a datagram to the other end of a pair, which is closed with something unread."""
    left, right = await p.task.net.socketpair(kind=SOCK.SEQPACKET)
    async with left, right:
        await left.send(b"unread")
        await right.close()
        await left.recv()


async def no_room(p: Sockets, use: Callable[[Sockets], Awaitable[object]]) -> None:
    """Make an fd in a process that may have no more."""
    with fd_table_full(p.task.process.near.id):
        await use(p)


async def accepted_without_room(p: Sockets) -> None:
    """Accept a connection in a process that may have no more fds."""
    async with p.full(p.name("waiting")) as server:
        await no_room(p, lambda _: server.accept())


# root may do all of it
REFUSED: Provoked[Sockets] = {
    "bind": [("EACCES", lambda p: p.on(lambda s: s.bind(p.name("shut/new"))))],
    "connect": [("EACCES", lambda p: p.on(lambda s: s.connect(p.name("shut/name"))))],
    "send": [
        (
            "EACCES",
            lambda p: p.on(lambda s: s.sendto(b"a", p.name("shut/name")), kind=SOCK.DGRAM),
        )
    ],
}
PROVOKED: Provoked[Sockets] = {
    "socket": [
        ("EAFNOSUPPORT", lambda p: p.task.net.socket(FAR, SOCK.STREAM)),
        ("EINVAL", lambda p: p.task.net.socket(AF.UNIX, SOCK.STREAM | UNKNOWN)),
        ("EPROTONOSUPPORT", lambda p: p.task.net.socket(AF.UNIX, SOCK.STREAM, 77)),
        ("EMFILE", lambda p: no_room(p, lambda p: p.task.net.socket(AF.UNIX, SOCK.STREAM))),
    ],
    "socketpair": [
        ("EAFNOSUPPORT", lambda p: p.task.net.socketpair(FAR)),
        ("EOPNOTSUPP", lambda p: p.task.net.socketpair(AF.INET)),
        ("EPROTONOSUPPORT", lambda p: p.task.net.socketpair(protocol=77)),
        ("EMFILE", lambda p: no_room(p, lambda p: p.task.net.socketpair())),
    ],
    "bind": [
        ("EADDRINUSE", lambda p: p.on(lambda s: s.bind(p.name("file")))),
        ("EINVAL", lambda p: p.inet(bound_twice)),
        ("EINVAL", lambda p: p.on(lambda s: s.bind(ANY))),
        ("EADDRNOTAVAIL", lambda p: p.inet(lambda s: s.bind(NOBODYS))),
        ("ELOOP", lambda p: p.on(lambda s: s.bind(p.name("loop/name")))),
        ("ENOENT", lambda p: p.on(lambda s: s.bind(p.name("none/name")))),
        ("ENOTDIR", lambda p: p.on(lambda s: s.bind(p.name("file/name")))),
    ],
    "connect": [
        ("EACCES", lambda p: p.inet(lambda s: s.connect(BROADCAST), SOCK.DGRAM)),
        ("EAFNOSUPPORT", lambda p: p.inet(lambda s: s.connect(p.name("file")))),
        ("ECONNREFUSED", left_alone),
        ("EISCONN", lambda p: connected_twice(p, p.name("here"))),
        ("EISCONN", lambda p: connected_twice(p, ANY)),
        ("ENETUNREACH", unreachable),
        ("EPROTOTYPE", other_kind),
    ],
    "listen": [
        ("EADDRINUSE", listened_twice),
        ("EOPNOTSUPP", lambda p: p.on(lambda s: s.listen(), kind=SOCK.DGRAM)),
    ],
    "accept4": [
        ("EINVAL", lambda p: p.on(lambda s: s.accept(UNKNOWN))),
        ("EMFILE", accepted_without_room),
        ("EOPNOTSUPP", lambda p: p.on(lambda s: s.accept(), kind=SOCK.DGRAM)),
    ],
    "send": [
        ("EACCES", lambda p: p.inet(lambda s: s.sendto(b"a", BROADCAST), SOCK.DGRAM)),
        ("EAGAIN", lambda p: p.pair(filled)),
        ("EDESTADDRREQ", lambda p: p.inet(lambda s: s.send(b"a"), SOCK.DGRAM)),
        ("EISCONN", lambda p: p.pair(lambda s: s.sendto(b"a", p.name("file")))),
        ("EMSGSIZE", lambda p: p.inet(lambda s: s.sendto(bytes(1 << 16), ANY), SOCK.DGRAM)),
        ("ENOTCONN", lambda p: p.on(lambda s: s.send(b"a"))),
        ("ENOTCONN", lambda p: p.on(lambda s: s.sendmsg(b"a"))),
        ("EOPNOTSUPP", lambda p: p.pair(lambda s: s.send(b"a", MSG.OOB), SOCK.DGRAM)),
    ],
    "recv": [
        ("EAGAIN", lambda p: p.pair(lambda s: s.recv(1, MSG.DONTWAIT))),
        ("EAGAIN", lambda p: p.pair(lambda s: s.recvfrom(1, MSG.DONTWAIT))),
        ("EAGAIN", lambda p: p.pair(lambda s: s.recvmsg(1, MSG.DONTWAIT))),
        ("ECONNREFUSED", unanswered),
        ("ECONNRESET", peer_gone),
        ("EINVAL", lambda p: p.inet(lambda s: s.recv(1, MSG.OOB))),
        ("ENOTCONN", lambda p: p.inet(lambda s: s.recv(1))),
    ],
    "getsockopt": [
        ("ENOPROTOOPT", lambda p: p.inet(lambda s: s.getsockopt(SOL.SOCKET, FAR))),
        ("EOPNOTSUPP", lambda p: p.on(lambda s: s.getsockopt(SOL.TCP, 1))),
        ("EINVAL", lambda p: p.inet(lambda s: s.setsockopt(SOL.SOCKET, SO.SNDBUF, b""))),
        ("ENOPROTOOPT", lambda p: p.inet(lambda s: s.setsockopt(SOL.SOCKET, FAR, 1))),
    ],
    "getpeername": [("ENOTCONN", lambda p: p.on(lambda s: s.getpeername()))],
}


@pytest.fixture
def sockets(task: Task, tmp_path: Path) -> Sockets:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    return Sockets(task, tmp_path)


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    sockets: Sockets, case: Case[Sockets]
) -> None:
    await provoke(sockets.task, case, sockets)


@pytest.mark.skipif(IS_ROOT, reason="root may pass through every folder")
@cases(REFUSED)
async def test_what_lies_in_a_folder_of_others_is_out_of_reach(
    sockets: Sockets, case: Case[Sockets]
) -> None:
    shut = sockets.folder / "shut"
    shut.mkdir(0)

    await provoke(sockets.task, case, sockets)

    shut.chmod(0o700)
