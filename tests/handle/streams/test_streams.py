"""Fds of any task as trio's own streams and listeners."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

import pytest
import trio
import trustme
from trio.testing import (
    check_half_closeable_stream,
    check_two_way_stream,
    wait_all_tasks_blocked,
)

from rsyscall_ns import (
    AF,
    CLONE,
    SOCK,
    FDKindError,
    FDStream,
    NoInterpreterTaskError,
    O,
    SockaddrIn,
    SockaddrUn,
    SocketFD,
    SocketListener,
    SocketStream,
    Task,
)
from tests.support.census import nothing_left
from tests.support.steps import Steps

F_GETFL, F_SETFL = 3, 4
LARGE = 3_000_000  # more than any socket takes at once
HOST = "server.example"
ANYWHERE = SockaddrIn("127.0.0.1", 0)


async def sockets(task: Task) -> tuple[SocketFD, SocketFD]:
    one, two = await task.net.socketpair()
    return await one.as_kind(SocketFD), await two.as_kind(SocketFD)


async def listening(task: Task) -> tuple[SocketFD, SockaddrIn]:
    """Return a socket that listens on a port of the task's network."""
    socket = await task.net.socket(AF.INET, SOCK.STREAM)
    await socket.bind(ANYWHERE)
    await socket.listen()
    address = await socket.getsockname()
    assert isinstance(address, SockaddrIn)
    return socket, address


async def connected(task: Task, address: SockaddrIn) -> SocketStream:
    return await SocketStream.connect(await task.net.socket(AF.INET, SOCK.STREAM), address)


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make the contexts of a server and of a client that trusts it; keys take their time."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # OpenSSL's contexts, which it knows too, have no types
    authority.issue_cert(HOST).configure_cert(server)  # pyright: ignore[reportUnknownMemberType] - no stubs
    client = ssl.create_default_context()
    authority.configure_trust(client)  # pyright: ignore[reportUnknownMemberType] - as above
    return server, client


@pytest.fixture
async def island(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child in a network of its own."""
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET) as child:
        await child.net.set_up()
        yield child


async def test_a_pair_of_sockets_is_a_pair_of_streams_as_trio_wants_them(
    local: Task, task: Task
) -> None:
    async def pair() -> tuple[SocketStream, SocketStream]:
        one, two = await sockets(task)
        for end in (one, two):
            await end.fcntl(F_SETFL, O.NONBLOCK)
        return await SocketStream.of(one), await SocketStream.of(two)

    async def clogged() -> tuple[SocketStream, SocketStream]:
        ends = await pair()
        for end in ends:
            with end.socket.borrow() as near_id, suppress(BlockingIOError):
                while True:
                    os.write(near_id.number, bytes(65536))
        return ends

    with nothing_left(local), nothing_left(task):
        await check_half_closeable_stream(pair, clogged)


async def test_any_fd_is_a_stream_as_trio_wants_it(local: Task, task: Task) -> None:
    async def pair() -> tuple[FDStream, FDStream]:
        one, two = await task.net.socketpair()
        return await FDStream.of(one), await FDStream.of(two)

    with nothing_left(local), nothing_left(task):
        await check_two_way_stream(pair, None)


async def test_both_ends_of_a_pipe_are_streams(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    source, sink = await FDStream.of(reader), await FDStream.of(writer)
    assert not reader.valid
    data = bytes(range(256)) * (LARGE // 256)
    parts: list[bytes | bytearray] = []

    async def send() -> None:
        async with sink:
            await sink.wait_send_all_might_not_block()
            await sink.send_all(data)

    async with trio.open_nursery() as nursery, source:
        nursery.start_soon(send)
        await source.wait_readable()
        parts.extend([part async for part in source])
    assert b"".join(parts) == data
    with pytest.raises(trio.ClosedResourceError):
        await source.wait_readable()


async def test_the_flags_of_the_open_file_stay_as_they_are(task: Task) -> None:
    one, two = await sockets(task)
    copy = await one.dup()
    async with await SocketStream.of(one) as mine, await SocketStream.of(two) as theirs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mine.receive_some)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert not await copy.fcntl(F_GETFL) & O.NONBLOCK
        await theirs.send_all(b"a")
        assert await mine.receive_some(1) == b"a"
    await copy.close()


async def test_the_end_is_seen_when_the_last_copy_is_closed(task: Task) -> None:
    one, two = await sockets(task)
    kept = await one.dup()
    async with await SocketStream.of(two) as theirs:
        await (await SocketStream.of(one)).aclose()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(theirs.receive_some)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await kept.close()
        assert await theirs.receive_some() == b""


async def test_encrypted_echo_between_both_ends_in_a_network_of_its_own(
    island: Task, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    for_server, for_client = contexts
    text = bytes(range(256)) * 2000

    async def echo(stream: SocketStream) -> None:
        async with trio.SSLStream(stream, for_server, server_side=True) as secure:
            async for part in secure:
                await secure.send_all(part)

    socket, address = await listening(island)
    with nothing_left():
        async with trio.open_nursery() as nursery:
            listener = await SocketListener.of(await socket.dup())
            nursery.start_soon(trio.serve_listeners, echo, [listener])
            plain = await connected(island, address)
            async with trio.SSLStream(plain, for_client, server_hostname=HOST) as secure:
                nursery.start_soon(secure.send_all, text)
                got = b""
                while len(got) < len(text):
                    got += await secure.receive_some()
            nursery.cancel_scope.cancel()
        assert got == text


async def test_a_connection_to_nobody_is_refused_in_the_socket_s_network(
    local: Task, island: Task
) -> None:
    outside, address = await listening(local)
    async with outside:
        with nothing_left(), pytest.raises(ConnectionRefusedError, match="connect"):
            await connected(island, address)
        inside = await connected(local, address)
        await inside.aclose()


async def test_a_unix_socket_is_connected_from_where_its_task_is(
    child: Task, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await child.fs.chdir(tmp_path_factory.mktemp("unix"))
    server = await child.net.socket(AF.UNIX, SOCK.STREAM)
    await server.bind(SockaddrUn(b"here"))
    await server.listen()
    async with await SocketListener.of(server) as listener:
        client = await child.net.socket(AF.UNIX, SOCK.STREAM)
        async with (
            await SocketStream.connect(client, SockaddrUn(b"here")) as stream,
            await listener.accept() as accepted,
        ):
            await stream.send_all(b"a")
            await stream.send_eof()
            assert [part async for part in accepted] == [b"a"]
        lost = await child.net.socket(AF.UNIX, SOCK.STREAM)
        with pytest.raises(FileNotFoundError):
            await SocketStream.connect(lost, SockaddrUn(b"nowhere"))
        assert not lost.valid


async def test_a_peer_that_resets_breaks_the_stream(task: Task) -> None:
    socket, address = await listening(task)
    async with await SocketListener.of(socket) as listener, await connected(task, address) as one:
        two = await listener.accept()
        await one.send_all(b"never read")
        await two.aclose()
        with pytest.raises(trio.BrokenResourceError, match="reset"):
            await one.receive_some()


async def test_who_waits_is_told_that_it_was_closed(task: Task) -> None:
    one, peer = await sockets(task)
    socket, _ = await listening(task)
    stream, listener = await SocketStream.of(one), await SocketListener.of(socket)

    async def wait(call: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await call()

    async with trio.open_nursery() as nursery:
        for call in (stream.receive_some, listener.accept, listener.accept):
            nursery.start_soon(wait, call)
        await wait_all_tasks_blocked()
        await stream.aclose()
        await listener.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await listener.accept()
    await peer.close()


async def test_two_tasks_do_not_use_one_direction_at_once(task: Task) -> None:
    one, peer = await sockets(task)
    async with peer, await SocketStream.of(one) as stream, trio.open_nursery() as nursery:
        nursery.start_soon(stream.receive_some)
        await wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await stream.receive_some()
        nursery.cancel_scope.cancel()


async def test_what_is_no_stream_and_what_does_not_listen_is_refused(
    local: Task, task: Task
) -> None:
    with nothing_left(local), nothing_left(task):
        datagrams = await task.net.socket(AF.INET, SOCK.DGRAM)
        with pytest.raises(FDKindError, match="STREAM"):
            await SocketStream.of(datagrams)
        idle = await task.net.socket(AF.INET, SOCK.STREAM)
        with pytest.raises(FDKindError, match="listen"):
            await SocketListener.of(idle)
        assert not datagrams.valid
        assert not idle.valid


async def test_an_fd_of_a_task_without_an_ancestor_here_is_refused(child: Task) -> None:
    reader, _ = await child.fs.pipe2()
    parent, child.parent_task = child.parent_task, None
    try:
        with pytest.raises(NoInterpreterTaskError):
            await FDStream.of(reader)
    finally:
        child.parent_task = parent
    assert not reader.valid


async def talk(task: Task) -> None:
    """Listen, connect, accept, send and close."""
    socket, address = await listening(task)
    async with (
        await SocketListener.of(socket) as listener,
        await connected(task, address) as one,
        await listener.accept() as two,
    ):
        await one.send_all(b"a")
        await one.send_eof()
        assert [part async for part in two] == [b"a"]


async def test_a_cancel_at_any_step_leaves_nothing(
    local: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(monkeypatch)
    for at in steps.moments(15):
        with nothing_left(local):
            with trio.CancelScope() as scope:
                async with local.spawn() as child:
                    steps.arm(at, scope.cancel)
                    await talk(child)
            steps.disarm()
            await local.sweep()
