"""Options of sockets by the type of their values."""

from __future__ import annotations

import os
import struct
from errno import EDOM, EINVAL, ENOPROTOOPT

import pytest

from rsyscall_ns import (
    AF,
    BYTES,
    CLONE,
    INT32,
    IP,
    SO,
    SOCK,
    SOL,
    TCP,
    ArgumentRangeError,
    IpMreqn,
    Linger,
    PathError,
    PidFD,
    SerializerError,
    SockaddrIn,
    SocketOptionError,
    Task,
    TcpInfo,
    TcpState,
    Timeval,
    Ucred,
    struct_of,
)
from tests.support.census import nothing_left

ANY = SockaddrIn("127.0.0.1", 0)
ACCEPT_4 = struct.pack("<HBBI", 6, 0, 0, 4)  # BPF_RET, BPF_K: four bytes of each packet


async def test_structs_go_in_and_come_out(task: Task) -> None:
    socket = await task.net.socket(AF.INET, SOCK.STREAM)
    await socket.setsockopt(SOL.SOCKET, SO.LINGER, Linger(1, 5))
    assert await socket.getsockopt(SOL.SOCKET, SO.LINGER, Linger) == Linger(1, 5)
    await socket.setsockopt(SOL.SOCKET, SO.RCVTIMEO, Timeval(3, 0))
    assert await socket.getsockopt(SOL.SOCKET, SO.RCVTIMEO, Timeval) == Timeval(3, 0)
    with pytest.raises(OSError, match="setsockopt") as caught:
        await socket.setsockopt(SOL.SOCKET, SO.RCVTIMEO, Timeval(0, 10**6))
    assert caught.value.errno == EDOM


async def test_a_peer_is_known_by_its_credentials_groups_and_pidfd(task: Task) -> None:
    left, _ = await task.net.socketpair()
    me = Ucred(task.process.near.id, await task.cred.getuid(), await task.cred.getgid())
    assert await left.getsockopt(SOL.SOCKET, SO.PEERCRED, Ucred) == me
    assert sorted(await left.peer_groups()) == sorted(os.getgroups())
    with nothing_left(task):
        try:
            peer = await left.getsockopt(SOL.SOCKET, SO.PEERPIDFD, PidFD)
        except OSError as error:
            if error.errno != ENOPROTOOPT:
                raise
            pytest.skip("this kernel has no SO_PEERPIDFD (Linux 6.5)")
        await PidFD.check_kind(peer)
        assert await peer.is_cloexec()
        await peer.close()


async def test_an_fd_is_asked_for_as_what_it_is(task: Task) -> None:
    left, _ = await task.net.socketpair()
    into = await task.malloc(INT32)
    with nothing_left(task):
        with pytest.raises(SocketOptionError, match="PidFD"):
            await left.getsockopt(SOL.SOCKET, SO.PEERPIDFD)
        with pytest.raises(SocketOptionError, match="PidFD"):
            await left.getsockopt(SOL.SOCKET, SO.PEERPIDFD, into=into)
        with pytest.raises(SocketOptionError, match="no fd"):
            await left.getsockopt(SOL.SOCKET, SO.TYPE, PidFD)
        with pytest.raises(SocketOptionError, match="float"):
            await left.getsockopt(SOL.SOCKET, SO.TYPE, float)
    into.free()


async def test_strings_and_bytes_are_of_any_length(task: Task) -> None:
    socket = await task.net.socket(AF.INET, SOCK.STREAM)
    name = await socket.getsockopt(SOL.TCP, TCP.CONGESTION, str)
    assert name
    await socket.setsockopt(SOL.TCP, TCP.CONGESTION, name)
    assert (await socket.getsockopt(SOL.TCP, TCP.CONGESTION, bytes)).startswith(name.encode())
    with pytest.raises(FileNotFoundError):
        await socket.setsockopt(SOL.TCP, TCP.CONGESTION, "nothing")
    with pytest.raises(PathError):
        await socket.setsockopt(SOL.TCP, TCP.CONGESTION, "a\0b")
    cookie = await socket.getsockopt(SOL.SOCKET, SO.COOKIE, int, 8)
    assert cookie == int.from_bytes(
        await socket.getsockopt(SOL.SOCKET, SO.COOKIE, bytes, 8), "little"
    )
    for size in (-1, 2**31):
        with pytest.raises(ArgumentRangeError, match="size"):
            await socket.getsockopt(SOL.SOCKET, SO.TYPE, bytes, size)


async def test_a_connection_tells_of_itself(task: Task) -> None:
    server = await task.net.socket(AF.INET, SOCK.STREAM)
    assert (await server.getsockopt(SOL.TCP, TCP.INFO, TcpInfo)).state == TcpState.CLOSE
    await server.bind(ANY)
    await server.listen()
    name = await server.getsockname()
    assert name is not None
    client = await task.net.socket(AF.INET, SOCK.STREAM)
    await client.connect(name)
    await client.send(b"12345")
    info = await client.getsockopt(SOL.TCP, TCP.INFO, TcpInfo)
    assert info.state == TcpState.ESTABLISHED
    assert info.bytes_sent == 5
    assert info.snd_mss


async def test_a_group_is_joined_by_the_interfaces_index(task: Task) -> None:
    socket = await task.net.socket(AF.INET, SOCK.DGRAM)
    group = IpMreqn(bytes((224, 0, 0, 99)), ifindex=await task.net.if_nametoindex("lo"))
    await socket.setsockopt(SOL.IP, IP.ADD_MEMBERSHIP, group)
    with pytest.raises(OSError, match="in use"):
        await socket.setsockopt(SOL.IP, IP.ADD_MEMBERSHIP, group)
    await socket.setsockopt(SOL.IP, IP.DROP_MEMBERSHIP, group)


async def test_an_option_is_read_into_and_written_from_memory_of_the_caller(task: Task) -> None:
    socket = await task.net.socket(AF.INET, SOCK.STREAM)
    value = await task.ptr(Linger(1, 7))
    await socket.setsockopt(SOL.SOCKET, SO.LINGER, value)
    into = await task.malloc(struct_of(Linger))
    got = await socket.getsockopt(SOL.SOCKET, SO.LINGER, into=into)
    assert await got.read() == Linger(1, 7)
    assert not into.valid
    large = await socket.getsockopt(SOL.SOCKET, SO.TYPE, into=await task.malloc(BYTES, 64))
    assert await large.read() == struct.pack("<i", SOCK.STREAM)
    for pointer in (value, got, large):
        pointer.free()


async def test_a_filter_decides_what_is_received(task: Task) -> None:
    left, right = await task.net.socketpair(AF.UNIX, SOCK.DGRAM)
    await right.attach_filter(ACCEPT_4)
    await left.send(b"123456")
    assert await right.recv() == b"1234"
    await right.setsockopt(SOL.SOCKET, SO.DETACH_FILTER, 0)
    program = await task.ptr(ACCEPT_4, BYTES)
    await right.attach_filter(program)
    program.free()
    await left.send(b"123456")
    assert await right.recv() == b"1234"
    with pytest.raises(SerializerError, match="sock_filter"):
        await right.attach_filter(b"123456789")
    with pytest.raises(ArgumentRangeError, match="program"):
        await right.attach_filter(b"")
    with pytest.raises(OSError, match="setsockopt") as caught:
        await right.attach_filter(bytes(8))
    assert caught.value.errno == EINVAL


async def test_a_socket_is_bound_to_an_interface(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET, uid_map=True, gid_map=True) as child:
        socket = await child.net.socket(AF.INET, SOCK.DGRAM)
        assert await socket.getsockopt(SOL.SOCKET, SO.BINDTODEVICE, str) == ""
        await socket.setsockopt(SOL.SOCKET, SO.BINDTODEVICE, "lo")
        assert await socket.getsockopt(SOL.SOCKET, SO.BINDTODEVICE, str) == "lo"
        await socket.setsockopt(SOL.SOCKET, SO.BINDTODEVICE, "")
        assert await socket.getsockopt(SOL.SOCKET, SO.BINDTODEVICE, str) == ""
        with pytest.raises(OSError, match="No such device"):
            await socket.setsockopt(SOL.SOCKET, SO.BINDTODEVICE, "nothing0")


async def test_an_option_that_there_is_not_keeps_its_errno(task: Task) -> None:
    socket = await task.net.socket(AF.INET, SOCK.STREAM)
    for kind in (int, bytes, str):
        with pytest.raises(OSError, match=r"getsockopt\(2\)") as caught:
            await socket.getsockopt(SOL.SOCKET, 9999, kind)
        assert caught.value.errno == ENOPROTOOPT
