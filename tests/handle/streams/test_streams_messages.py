"""Messages and fds through streams, and connects that have to wait."""

from __future__ import annotations

from array import array

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    AF,
    SOCK,
    FDStream,
    Rights,
    SockaddrIn,
    SockaddrUn,
    SocketFD,
    SocketStream,
    Task,
)
from tests.support.census import nothing_left


async def streams(task: Task) -> tuple[SocketStream, SocketStream]:
    one, two = await task.net.socketpair()
    return await SocketStream.of(one), await SocketStream.of(two)


async def test_fds_of_any_task_go_through_a_stream(local: Task, task: Task) -> None:
    with nothing_left(local), nothing_left(task):
        one, two = await streams(task)
        async with one, two, await task.fs.open("/proc/version") as file:
            assert await one.sendmsg(b"take this", [Rights([file])]) == 9
            message = await two.recvmsg()
            assert message.data == b"take this"
            (copy,) = message.fds
            assert await copy.is_cloexec()
            assert (await copy.read(5)) == b"Linux"
            await message.close()


async def test_a_message_that_nobody_receives_is_not_lost(local: Task, task: Task) -> None:
    with nothing_left(local), nothing_left(task):
        one, two = await streams(task)
        async with one, two, await task.fs.open("/") as file:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(two.recvmsg)
                await wait_all_tasks_blocked()
                with pytest.raises(trio.BusyResourceError):
                    await two.receive_some()
                nursery.cancel_scope.cancel()
            await one.sendmsg([b"a", b"b"], [Rights([file, file])])
            await two.wait_readable()
            message = await two.recvmsg(2)
            assert (message.data, len(message.fds)) == (b"ab", 2)
            await message.close()


async def test_a_stream_of_messages_has_an_end_and_is_closed(task: Task) -> None:
    one, two = await streams(task)
    async with one, two:
        await one.send_eof()
        with pytest.raises(trio.ClosedResourceError):
            await one.sendmsg(b"more")
        assert not (await two.recvmsg(2**40)).data
        assert not await two.receive_some(2**40)
        await one.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await two.sendmsg(b"nobody")
        await two.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await two.recvmsg()


async def test_memory_of_any_items_is_sent_as_its_bytes(task: Task) -> None:
    numbers = array("i", range(200_000))
    reader, writer = await task.fs.pipe2()
    source, sink = await FDStream.of(reader), await FDStream.of(writer)
    got = bytearray()

    async def send() -> None:
        async with sink:
            await sink.send_all(memoryview(numbers))

    async with source, trio.open_nursery() as nursery:
        nursery.start_soon(send)
        async for part in source:
            got += part
    assert got == numbers.tobytes()


async def full(local: Task, path: str) -> tuple[SocketFD, SocketFD]:
    """Return a listener whose queue is full, and whom it is full of."""
    listener = await local.net.socket(AF.UNIX, SOCK.STREAM)
    await listener.bind(SockaddrUn(path))
    await listener.listen(0)
    first = await local.net.socket(AF.UNIX, SOCK.STREAM)
    await first.connect(SockaddrUn(path))
    return listener, first


@pytest.mark.parametrize("kind", [SocketFD, SocketStream])
async def test_a_connect_waits_while_the_queue_of_the_listener_is_full(
    local: Task, task: Task, kind: type
) -> None:
    async def connect(address: SockaddrUn) -> None:
        socket = await task.net.socket(AF.UNIX, SOCK.STREAM)
        if kind is SocketStream:
            async with await SocketStream.connect(socket, address) as stream:
                await stream.send_all(b"second")
        else:
            async with socket:
                await socket.connect(address)
                await socket.send(b"second")

    with nothing_left(local), nothing_left(task):
        async with local.fs.mkdtemp() as folder:
            path = f"{folder.path}/socket"
            listener, first = await full(local, path)
            async with listener, first, trio.open_nursery() as nursery:
                nursery.start_soon(connect, SockaddrUn(path))
                await wait_all_tasks_blocked()
                if kind is SocketStream:  # nothing is under way in its task
                    assert await task.fs.getcwd()
                one, _ = await listener.accept()
                two, _ = await listener.accept()
                async with one, two:
                    assert await two.recv() == b"second"


@pytest.mark.parametrize("kind", [SocketFD, SocketStream])
async def test_a_connect_that_waits_for_the_queue_can_be_cancelled(
    local: Task, task: Task, kind: type
) -> None:
    with nothing_left(local), nothing_left(task):
        async with local.fs.mkdtemp() as folder:
            path = f"{folder.path}/socket"
            listener, first = await full(local, path)
            async with listener, first, await task.net.socket(AF.UNIX, SOCK.STREAM) as second:
                async with trio.open_nursery() as nursery:
                    if kind is SocketStream:
                        nursery.start_soon(SocketStream.connect, second, SockaddrUn(path))
                    else:
                        nursery.start_soon(second.connect, SockaddrUn(path))
                    await wait_all_tasks_blocked()
                    nursery.cancel_scope.cancel()
                assert second.valid == (kind is SocketFD)  # a stream consumes it
                one, _ = await listener.accept()
                await one.close()


async def test_a_refused_connect_says_where_to(task: Task) -> None:
    socket = await task.net.socket(AF.UNIX, SOCK.STREAM)
    with pytest.raises(FileNotFoundError) as caught:
        await SocketStream.connect(socket, SockaddrUn("/nowhere"))
    assert caught.value.filename == "/nowhere"


async def test_a_connect_that_was_cancelled_is_waited_for_by_the_next_one(local: Task) -> None:
    async with await local.net.socket(AF.INET, SOCK.STREAM) as listener:
        await listener.bind(SockaddrIn("127.0.0.1", 0))
        await listener.listen(0)
        address = await listener.getsockname()
        assert address is not None

        async def connect(socket: SocketFD, cancelled: trio.CancelScope) -> None:
            with cancelled:
                await socket.connect(address)

        async with (
            await local.net.socket(AF.INET, SOCK.STREAM) as first,
            await local.net.socket(AF.INET, SOCK.STREAM) as second,
        ):
            await first.connect(address)  # its queue is full now
            for _ in range(2):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(connect, second, scope := trio.CancelScope())
                    await wait_all_tasks_blocked()
                    scope.cancel()
                assert scope.cancelled_caught
