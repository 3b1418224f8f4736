"""Packets go through a tun device, in a network namespace of the test's own."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncGenerator
from errno import EBADFD, EINVAL

import pytest
import trio.testing

from rsyscall_ns import (
    AF,
    CLONE,
    SOCK,
    TUN_F,
    TUN_IFF,
    ArgumentRangeError,
    FDKindError,
    FileDescriptor,
    PathError,
    SockaddrIn,
    Task,
    TunFD,
    TunIfreq,
    TunPi,
    struct_of,
)
from tests.support.census import nothing_left

OURS, THEIRS = "10.77.0.1", "10.77.0.2"
SIOCSIFADDR, SIOCSIFNETMASK = 0x8916, 0x891C
IP_HEADER, UDP_HEADER = struct.Struct(">BBHHHBBH4s4s"), struct.Struct(">HHHH")
UDP = 17


@pytest.fixture
async def inside(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root of its own network, where there are tun devices."""
    flags = CLONE.NEWUSER | CLONE.NEWNET
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        try:
            await (await child.dev.open_tun()).close()
        except OSError as error:
            pytest.skip(f"no tun devices can be made here: {error}")
        yield child


async def set_address(task: Task, name: str, address: str) -> None:
    async with await task.net.socket(AF.INET, SOCK.DGRAM) as control:
        for op, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.0")):
            request = struct.pack("<16s16s8x", name.encode(), SockaddrIn(value, 0).pack())
            await control.ioctl_bytes(op, request)
    await task.net.set_up(name)


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_packet(source: SockaddrIn, target: SockaddrIn, content: bytes) -> bytes:
    size = UDP_HEADER.size + len(content)
    ends = socket.inet_aton(source.address), socket.inet_aton(target.address)
    parts = (0x45, 0, IP_HEADER.size + size, 0, 0, 64, UDP)
    header = IP_HEADER.pack(*parts, checksum(IP_HEADER.pack(*parts, 0, *ends)), *ends)
    return header + UDP_HEADER.pack(source.port, target.port, size, 0) + content


async def next_udp(tun: TunFD) -> tuple[SockaddrIn, SockaddrIn, bytes]:
    """Return the next packet of that kind: the kernel has some to send of its own."""
    while True:
        packet = await tun.read()
        if packet[0] >> 4 == 4 and packet[9] == UDP:
            *_, source, target = IP_HEADER.unpack_from(packet)
            source_port, target_port, *_ = UDP_HEADER.unpack_from(packet, IP_HEADER.size)
            return (
                SockaddrIn(socket.inet_ntoa(source), source_port),
                SockaddrIn(socket.inet_ntoa(target), target_port),
                packet[IP_HEADER.size + UDP_HEADER.size :],
            )


async def test_a_packet_goes_out_and_its_answer_comes_in(inside: Task) -> None:
    async with (
        await inside.dev.open_tun("test%d") as tun,
        await inside.net.socket(AF.INET, SOCK.DGRAM) as udp,
    ):
        assert await tun.is_cloexec()
        made = await tun.get_iff()
        assert made.name == "test0"
        assert TUN_IFF.TUN | TUN_IFF.NO_PI in made.flags
        await set_address(inside, made.name, OURS)

        await udp.connect(SockaddrIn(THEIRS, 7))
        await udp.send(b"is anybody there?")
        source, target, content = await next_udp(tun)
        assert content == b"is anybody there?"
        assert target == SockaddrIn(THEIRS, 7)
        assert source.address == OURS

        answer = udp_packet(target, source, b"yes")
        assert await tun.write(answer) == len(answer)
        assert await udp.recv() == b"yes"


async def test_the_interpreter_reads_packets_without_blocking(local: Task, inside: Task) -> None:
    theirs = await inside.dev.open_tun("test0")
    async with (
        await theirs.pass_to(local) as tun,
        await inside.net.socket(AF.INET, SOCK.DGRAM) as udp,
    ):
        await set_address(inside, "test0", OURS)
        await udp.connect(SockaddrIn(THEIRS, 7))
        found: list[bytes] = []

        async def read() -> None:
            found.append((await next_udp(tun))[2])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            await udp.send(b"packet")
        assert found == [b"packet"]
    await theirs.close()


async def test_with_protocol_information_it_stands_before_a_packet(inside: Task) -> None:
    async with await inside.dev.open_tun(flags=TUN_IFF.TUN) as tun:
        await set_address(inside, (await tun.get_iff()).name, OURS)
        async with await inside.net.socket(AF.INET, SOCK.DGRAM) as udp:
            await udp.connect(SockaddrIn(THEIRS, 7))
            await udp.send(b"x")
            packet = b""
            while TunPi.unpack(packet[:4] or bytes(4)).proto != 0x0800:
                packet = await tun.read()
        assert packet[4] >> 4 == 4


async def test_its_settings_are_taken(inside: Task) -> None:
    async with await inside.dev.open_tun(flags=TUN_IFF.TAP | TUN_IFF.VNET_HDR) as tun:
        assert TUN_IFF.TUN | TUN_IFF.TAP | TUN_IFF.MULTI_QUEUE in await tun.features()
        await tun.set_offload(TUN_F.CSUM | TUN_F.TSO4)
        await tun.set_owner(0)
        await tun.set_group(0)
        await tun.set_link(1)
        await tun.set_sndbuf(65536)
        assert await tun.get_sndbuf() == 65536
        await tun.set_vnet_hdr_sz(12)
        assert await tun.get_vnet_hdr_sz() == 12
        await tun.set_carrier(on=False)
        await tun.set_carrier(on=True)
        with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
            await tun.set_offload(TUN_F(1 << 20))
        assert caught.value.errno == EINVAL
        with pytest.raises(ArgumentRangeError, match="uid"):
            await tun.set_owner(-1)


async def test_a_persistent_device_stays_until_it_is_not(inside: Task) -> None:
    async with await inside.dev.open_tun("stays") as tun:
        await tun.set_persist()
    async with await inside.dev.open_tun("stays") as tun:
        assert TUN_IFF.PERSIST in (await tun.get_iff()).flags
        await tun.set_persist(on=False)
    with pytest.raises(OSError, match=r"ioctl\(2\)"):
        await inside.net.set_up("stays")


async def test_a_device_has_several_queues(inside: Task) -> None:
    flags = TUN_IFF.TUN | TUN_IFF.NO_PI | TUN_IFF.MULTI_QUEUE
    async with (
        await inside.dev.open_tun("many", flags) as one,
        await inside.dev.open_tun("many", flags) as other,
    ):
        await one.set_queue(attach=False)
        await one.set_queue(attach=True)
        assert (await one.get_iff()).name == (await other.get_iff()).name
        with nothing_left(inside), pytest.raises(OSError, match=r"ioctl\(2\)"):
            await inside.dev.open_tun("many", flags | TUN_IFF.TUN_EXCL)


async def test_it_is_told_in_the_callers_memory(inside: Task) -> None:
    async with await inside.dev.open_tun() as first:
        plain = await first.dup()
        there = await plain.get_iff(into=await inside.malloc(struct_of(TunIfreq)))
        assert (await there.read()).name == (await first.get_iff()).name
        with pytest.raises(OSError, match=r"ioctl\(2\)"):
            await plain.set_iff(there)  # it has a device already
        there.free()
        await plain.close()


async def test_a_queue_without_a_device(inside: Task) -> None:
    async with await (await inside.fs.open("/dev/net/tun", 2)).as_kind(TunFD) as tun:
        with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
            await tun.get_iff()
        assert caught.value.errno == EBADFD
        await tun.set_ifindex(77)
        name = await tun.set_iff(await inside.ptr(TunIfreq("given", TUN_IFF.TUN)))
        assert (await name.read()).name == "given"
        async with await tun.dev_netns() as found, await inside.ns.open("net") as own:
            assert await found.is_cloexec()
            assert await found.identity() == await own.identity()
        with pytest.raises(ArgumentRangeError, match="index"):
            await tun.set_ifindex(0)


async def test_names_that_can_be_no_devices_are_refused(inside: Task) -> None:
    with nothing_left(inside):
        with pytest.raises(ArgumentRangeError, match="name"):
            await inside.dev.open_tun("x" * 16)
        with pytest.raises(PathError, match="NUL"):
            await inside.dev.open_tun("a\0b")


async def test_the_kind_is_checked(task: Task) -> None:
    for path in ("/dev/null", "/dev/ptmx", "/"):
        async with await task.fs.open(path) as file:
            plain = await (await file.dup()).as_kind(FileDescriptor)
            with pytest.raises(FDKindError, match="tun"):
                await plain.as_kind(TunFD)
            await plain.close()
