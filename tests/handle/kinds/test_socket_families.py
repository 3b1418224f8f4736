"""Sockets of the less common families."""

from __future__ import annotations

from errno import EAFNOSUPPORT, EPERM, EPROTONOSUPPORT

import pytest

from rsyscall_ns import (
    AF,
    CLONE,
    ETH_P,
    PACKET,
    SOCK,
    SOL,
    VMADDR_CID,
    VMADDR_PORT_ANY,
    Cmsg,
    PacketType,
    SockaddrAlg,
    SockaddrIn,
    SockaddrLl,
    SockaddrVm,
    SocketFD,
    Task,
    TpacketAuxdata,
    TpacketStats,
)

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
DATAGRAM = 20 + 8 + 5  # bytes of the heads of IPv4 and UDP, and of the data


async def socket_or_skip(task: Task, family: AF, kind: SOCK) -> SocketFD:
    try:
        return await task.net.socket(family, kind)
    except OSError as error:
        if error.errno not in {EAFNOSUPPORT, EPROTONOSUPPORT, EPERM}:
            raise
        pytest.skip(f"this kernel has no {family!r}: {error}")


async def test_packets_of_an_interface_are_seen(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET, uid_map=True, gid_map=True) as child:
        await child.net.set_up()
        index = await child.net.if_nametoindex("lo")
        eye = await socket_or_skip(child, AF.PACKET, SOCK.DGRAM)
        await eye.setsockopt(SOL.PACKET, PACKET.AUXDATA, 1)
        await eye.bind(SockaddrLl(ETH_P.IP, index))
        name = await eye.getsockname()
        assert isinstance(name, SockaddrLl)
        assert (name.protocol, name.ifindex, name.address) == (ETH_P.IP, index, bytes(6))
        sender = await child.net.socket(AF.INET, SOCK.DGRAM)
        await sender.sendto(b"hello", SockaddrIn("127.0.0.1", 9))
        message = await eye.recvmsg()
        assert message.data.endswith(b"hello")
        assert isinstance(message.address, SockaddrLl)
        assert message.address.pkttype in {PacketType.OUTGOING, PacketType.HOST}
        (extra,) = message.ancillary
        assert isinstance(extra, Cmsg)
        assert TpacketAuxdata.unpack(extra.data).len == DATAGRAM
        seen = await eye.getsockopt(SOL.PACKET, PACKET.STATISTICS, TpacketStats)
        assert seen.packets >= 1


async def test_a_port_of_a_virtual_machine_is_chosen(task: Task) -> None:
    socket = await socket_or_skip(task, AF.VSOCK, SOCK.STREAM)
    await socket.bind(SockaddrVm(VMADDR_CID.ANY, VMADDR_PORT_ANY))
    name = await socket.getsockname()
    assert isinstance(name, SockaddrVm)
    assert name.cid == VMADDR_CID.ANY
    assert name.port != VMADDR_PORT_ANY


async def test_the_kernel_hashes_what_is_sent_to_it(task: Task) -> None:
    socket = await socket_or_skip(task, AF.ALG, SOCK.SEQPACKET)
    await socket.bind(SockaddrAlg("hash", "sha256"))
    operation, _ = await socket.accept()
    await operation.send(b"abc")
    assert (await operation.recv(32)).hex() == SHA256_OF_ABC
    with pytest.raises(FileNotFoundError):
        await (await socket_or_skip(task, AF.ALG, SOCK.SEQPACKET)).bind(
            SockaddrAlg("hash", "nothing")
        )
