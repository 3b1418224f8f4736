"""Messages carry fds, credentials and times; no fd is ever left over."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    AF,
    BYTES,
    IP,
    MSG,
    SCM,
    SO,
    SOCK,
    SOL,
    SYS,
    AncillaryError,
    ArgumentRangeError,
    Cmsg,
    FileDescriptor,
    FileFD,
    InPktinfo,
    Message,
    PidFD,
    Rights,
    SockaddrIn,
    SockaddrUn,
    SocketFD,
    Task,
    Ucred,
)
from tests.support.blocking import current_call, until_blocked
from tests.support.census import nothing_left

ANY = SockaddrIn("127.0.0.1", 0)


async def pair(task: Task, kind: SOCK = SOCK.DGRAM) -> tuple[SocketFD, SocketFD]:
    return await task.net.socketpair(AF.UNIX, kind)


def own_fds(task: Task) -> list[str]:
    """Return what the task's process has open."""
    return sorted(one.name for one in Path(f"/proc/{task.process.near.id}/fd").iterdir())


async def test_bytes_from_several_places_arrive_as_one_message(task: Task) -> None:
    left, right = await pair(task)
    pointer = await task.ptr(b"two, ", BYTES)
    assert await left.sendmsg([b"one, ", pointer, b"three"]) == 15
    message = await right.recvmsg()
    assert message.data == b"one, two, three"
    assert message.length == 15
    assert message.ancillary == ()
    assert message.address is None
    pointer.free()


async def test_pointers_are_filled_one_after_the_other_and_consumed(task: Task) -> None:
    left, right = await pair(task)
    rooms = [await task.malloc(BYTES, size) for size in (4, 4, 4)]
    await left.send(b"abcdef")
    message = await right.recvmsg(rooms)
    assert [await part.read() for part in message.data] == [b"abcd", b"ef", b""]
    assert not any(room.valid for room in rooms)
    for part in message.data:
        part.free()


@pytest.mark.parametrize("kind", [SOCK.STREAM, SOCK.DGRAM, SOCK.SEQPACKET])
async def test_fds_arrive_as_handles_that_close_on_exec(task: Task, kind: SOCK) -> None:
    left, right = await pair(task, kind)
    async with await task.fs.open("/dev/null") as file, left, right:
        with nothing_left(task):
            assert await left.sendmsg(b"x", [Rights([file, left])]) == 1
            message = await right.recvmsg()
            assert message.data == b"x"
            assert len(message.fds) == 2
            for fd in message.fds:
                assert type(fd) is FileDescriptor
                assert await fd.is_cloexec()
            first, second = message.fds
            null = await first.as_kind(FileFD)
            assert (await null.statx()).ino == (await file.statx()).ino
            assert isinstance(await second.as_kind(SocketFD), SocketFD)
            await null.close()
            del second
            await message.close()
            await task.sweep()
        assert file.valid


async def test_fds_that_nobody_keeps_are_closed(task: Task) -> None:
    left, right = await pair(task)
    async with await task.fs.open("/dev/null") as file, left, right:
        before = own_fds(task)
        await left.sendmsg(b"x", [Rights([file] * 10)])
        message = await right.recvmsg()
        assert len(own_fds(task)) == len(before) + 10
        del message
        await task.sweep()
        assert own_fds(task) == before


async def test_fds_that_there_is_no_room_for_are_gone_and_the_flags_say_so(task: Task) -> None:
    left, right = await pair(task)
    async with await task.fs.open("/dev/null") as file, left, right:
        before = own_fds(task)
        for control, count in ((0, 0), (16, 0), (20, 1), (24, 2), (28, 3), (32, 3)):
            await left.sendmsg(b"x", [Rights([file] * 3)])
            message = await right.recvmsg(control=control)
            assert len(message.fds) == count
            assert bool(message.flags & MSG.CTRUNC) == (count < 3)
            await message.close()
            await task.sweep()
            assert own_fds(task) == before


async def test_a_message_that_is_not_received_whole_says_so(task: Task) -> None:
    left, right = await pair(task)
    await left.send(b"abcdef")
    message = await right.recvmsg(3)
    assert (message.data, message.length, message.flags) == (b"abc", 3, MSG.TRUNC)
    await left.send(b"abcdef")
    message = await right.recvmsg(3, MSG.TRUNC)
    assert (message.data, message.length) == (b"abc", 6)


async def test_a_cancelled_receiver_loses_no_fd(task: Task, local: Task) -> None:
    left, right = await pair(local)
    received = await right.pass_to(task)
    got: list[Message[bytes]] = []

    async def receive() -> None:
        got.append(await received.recvmsg())

    async with left, right, received:
        before = own_fds(task)
        with socket.socket(fileno=os.dup(left.near.number)) as sender:
            for count in range(3):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(receive)
                    if task is not local:
                        await until_blocked(task, SYS.recvmsg)
                    await wait_all_tasks_blocked()
                    if count:  # the message and the cancel at once
                        socket.send_fds(sender, [b"x"], [0])
                    if count == 2 and task is not local:
                        while current_call(task.process.near.id) == SYS.recvmsg:
                            os.sched_yield()
                    nursery.cancel_scope.cancel()
        while len(got) < 2:
            got.append(await received.recvmsg(1, MSG.DONTWAIT))
        for message in got:
            assert len(message.fds) == 1
            await message.close()
        assert own_fds(task) == before


async def test_credentials_are_those_of_the_sender(task: Task) -> None:
    left, right = await pair(task)
    await right.setsockopt(SOL.SOCKET, SO.PASSCRED, 1)
    me = Ucred(task.process.near.id, await task.cred.getuid(), await task.cred.getgid())
    await left.sendmsg(b"x", [me])
    message = await right.recvmsg()
    assert message.credentials == me
    assert message.fds == ()


async def test_a_sender_is_known_by_its_pidfd(task: Task) -> None:
    left, right = await pair(task)
    try:
        await right.setsockopt(SOL.SOCKET, SO.PASSPIDFD, 1)
    except OSError:
        pytest.skip("this kernel has no SO_PASSPIDFD (Linux 6.5)")
    with nothing_left(task):
        await left.send(b"x")
        message = await right.recvmsg()
        assert message.pidfd is not None
        await PidFD.check_kind(message.pidfd)
        assert await message.pidfd.is_cloexec()
        await message.close()
        await message.close()


@pytest.mark.parametrize("option", [SO.TIMESTAMP, SO.TIMESTAMPNS])
async def test_a_packet_tells_when_it_came(task: Task, option: SO) -> None:
    left, right = await pair(task)
    await right.setsockopt(SOL.SOCKET, option, 1)
    await left.send(b"x")
    message = await right.recvmsg()
    assert message.timestamp is not None
    assert message.timestamp.ns > 1_700_000_000 * 10**9  # of this century


async def test_other_control_messages_are_as_they_are(task: Task) -> None:
    receiver = await task.net.socket(AF.INET, SOCK.DGRAM)
    await receiver.bind(ANY)
    await receiver.setsockopt(SOL.IP, IP.PKTINFO, 1)
    name = await receiver.getsockname()
    assert isinstance(name, SockaddrIn)
    sender = await task.net.socket(AF.INET, SOCK.DGRAM)
    source = InPktinfo(spec_dst=bytes((127, 0, 0, 2)))
    await sender.sendmsg(b"x", [Cmsg(SOL.IP, IP.PKTINFO, source.pack())], name)
    message = await receiver.recvmsg()
    (info,) = message.ancillary
    assert isinstance(info, Cmsg)
    assert (info.level, info.type) == (SOL.IP, IP.PKTINFO)
    assert InPktinfo.unpack(info.data).addr == bytes((127, 0, 0, 1))
    assert isinstance(message.address, SockaddrIn)
    assert message.address.address == "127.0.0.2"


async def test_what_can_not_be_sent_is_refused_by_name(task: Task) -> None:
    left, _ = await pair(task)
    file = await task.fs.open("/dev/null")
    with nothing_left(task):
        with file.borrow() as near_id:
            pidfd = PidFD(task, near_id)
        for item in (
            Cmsg(SOL.SOCKET, SCM.RIGHTS, struct.pack("<i", 0)),
            Cmsg(SOL.SOCKET, SCM.PIDFD, struct.pack("<i", 0)),
            pidfd,
        ):
            with pytest.raises(AncillaryError):
                await left.sendmsg(b"x", [item])
        with pytest.raises(ArgumentRangeError, match="fds"):
            Rights([file] * 254)
        for count in (0, 1025):
            with pytest.raises(ArgumentRangeError, match="messages"):
                await left.recvmmsg(count)
        with pytest.raises(ArgumentRangeError, match="messages"):
            await left.sendmmsg([])


async def test_several_messages_go_and_come_in_one_call(task: Task, tmp_path: Path) -> None:
    receiver = await task.net.socket(AF.UNIX, SOCK.DGRAM)
    there = SockaddrUn(os.fsencode(tmp_path / "receiver"))
    await receiver.bind(there)
    sender = await task.net.socket(AF.UNIX, SOCK.DGRAM)
    mine = SockaddrUn(os.fsencode(tmp_path / "sender"))
    await sender.bind(mine)
    file = await task.fs.open("/dev/null")
    with nothing_left(task):
        sent = await sender.sendmmsg(
            [
                Message(b"one", address=there),
                Message([b"tw", b"o"], [Rights([file])], there),
                Message(b"three", address=there),
            ]
        )
        assert sent == 3
        messages = await receiver.recvmmsg(5)
        assert [one.data for one in messages] == [b"one", b"two", b"three"]
        assert {one.address for one in messages} == {mine}
        assert [len(one.fds) for one in messages] == [0, 1, 0]
        await messages[1].close()


async def test_pointers_of_messages_that_have_not_come_stay_as_they_are(task: Task) -> None:
    left, right = await pair(task)
    await left.send(b"one")
    rooms = [await task.malloc(BYTES, 8) for _ in range(2)]
    (message,) = await right.recvmmsg(rooms)
    assert await message.data.read() == b"one"
    assert [room.valid for room in rooms] == [False, True]
    message.data.free()
    rooms[1].free()


async def test_receivers_wait_and_others_go_on(local: Task) -> None:
    left, right = await pair(local)
    got: list[bytes] = []

    async def receive() -> None:
        got.extend(one.data for one in await right.recvmmsg(2))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        assert got == []
        await left.sendmsg(b"now")
    assert got == [b"now"]


async def test_a_message_that_would_have_to_wait_is_an_error_if_one_asks_for_it(task: Task) -> None:
    _, right = await pair(task)
    with pytest.raises(BlockingIOError):
        await right.recvmsg(1, MSG.DONTWAIT)
    with pytest.raises(BlockingIOError):
        await right.recvmmsg(1, 1, MSG.DONTWAIT)


async def test_a_message_that_there_is_no_room_for_can_be_an_error(task: Task) -> None:
    left, _ = await pair(task)

    async def fill() -> None:
        while True:
            await left.sendmsg(bytes(1000), flags=MSG.DONTWAIT)

    with pytest.raises(BlockingIOError):
        await fill()
