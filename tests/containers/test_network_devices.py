"""Tun and tap devices of containers; and networks of Python callables."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import AsyncGenerator

import pytest
import trio

from rsyscall_ns import (
    AF,
    CLONE,
    SOCK,
    TUN_IFF,
    Bridge,
    Container,
    HostVeth,
    Network,
    NetworkArgumentError,
    NetworkSetupError,
    OpenNetwork,
    SockaddrIn,
    SockaddrIn6,
    Task,
    TunDevice,
    TunFD,
    open_network,
)
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.networks import SLEEP, links, living, need_bridges, need_tuns, sleeper

UDP = 17
SIZE4, SIZE6 = 20, 40  # of the headers
ETHERNET = 14


@pytest.fixture(scope="module", autouse=True)
def bridges() -> None:
    need_bridges()


@pytest.fixture(scope="module")
def tuns() -> None:
    need_tuns()


async def next_udp(tun: TunFD, before: int = 0) -> tuple[str, bytes]:
    """Return where the next packet of that kind comes from, and what it says."""
    while True:
        packet = (await tun.read())[before:]
        if packet[0] >> 4 == 4 and packet[9] == UDP:
            return socket.inet_ntoa(packet[12:16]), packet[SIZE4 + 8 :]
        if packet[0] >> 4 == 6 and packet[6] == UDP:
            return socket.inet_ntop(socket.AF_INET6, packet[8:24]), packet[SIZE6 + 8 :]


@pytest.mark.usefixtures("tuns")
async def test_the_caller_reads_what_a_container_sends() -> None:
    network = Network(
        [TunDevice("tun0", ["10.9.0.1/24", "fd09::1/64"], mtu=1300)],
        gateway=["10.9.0.2", "fd09::2"],
    )
    box = sleeper(network)
    async with box:
        tun = box.tuns["tun0"]
        assert TUN_IFF.TUN in (await tun.get_iff()).flags
        async with living(box) as task:
            assert await task.net.device("tun0").mtu() == 1300
            async with await task.net.socket(AF.INET, SOCK.DGRAM) as udp:
                await udp.sendto(b"four", SockaddrIn("192.0.2.9", 7))
            assert await next_udp(tun) == ("10.9.0.1", b"four")
            async with await task.net.socket(AF.INET6, SOCK.DGRAM) as udp:
                await udp.sendto(b"six", SockaddrIn6("fd77::1", 7))
            assert await next_udp(tun) == ("fd09::1", b"six")
    assert not box.tuns


@pytest.mark.usefixtures("tuns")
async def test_a_tap_device_has_ethernet() -> None:
    network = Network([TunDevice("tap0", "10.9.0.1/24", tap=True, mac="02:00:00:00:00:07")])
    async with sleeper(network) as box, living(box) as task:
        tap = box.tuns["tap0"]
        async with await task.net.socket(AF.INET, SOCK.DGRAM) as udp:
            await udp.sendto(b"who has that?", SockaddrIn("10.9.0.2", 7))
        asked = b""
        while asked[12:14] != b"\x08\x06":  # ARP
            asked = await tap.read()
        assert asked[6:12] == bytes((2, 0, 0, 0, 0, 7))
        theirs = bytes((2, 0, 0, 0, 0, 8))
        answer = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2) + theirs + socket.inet_aton("10.9.0.2")
        await tap.write(asked[6:12] + theirs + b"\x08\x06" + answer + asked[22:32])
        assert await next_udp(tap, ETHERNET) == ("10.9.0.1", b"who has that?")


@pytest.mark.usefixtures("tuns")
async def test_a_device_ends_with_its_container() -> None:
    network = Network([TunDevice("tun0", "10.9.0.1/24")])
    with nothing_left():
        box = Container(["true"], user=True, net=True, network=network)
        await box.run()
        assert not box.tuns


@pytest.mark.skipif(IS_ROOT, reason="root can open the device")
async def test_without_the_device_file_the_error_names_it() -> None:
    if os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun is open to everybody here")
    with nothing_left(), pytest.raises(OSError, match="/dev/net/tun"):
        await sleeper(Network([TunDevice("tun0")])).start()


@pytest.fixture
async def net() -> AsyncGenerator[OpenNetwork, None]:
    async with open_network(Bridge("br0", ["10.1.0.1/24", "fd01::1/64"])) as made:
        yield made


def hear(address: str) -> tuple[list[str], bytes]:
    """Run in a container: say who is there, and hear what the one on the bridge says."""
    with socket.create_connection((address, 7000)) as heard:
        return [name for _, name in socket.if_nameindex()], heard.recv(100)


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user's callables are none of the hub's")
@pytest.mark.parametrize("user", [True, False])
@pytest.mark.parametrize("method", ["zygote", "spawn"])
async def test_a_callable_is_on_a_bridge(net: OpenNetwork, method: str, *, user: bool) -> None:
    async with await net.task.net.socket(AF.INET, SOCK.STREAM) as server:
        await server.bind(SockaddrIn("10.1.0.1", 7000))
        await server.listen()

        async def serve() -> None:
            client, name = await server.accept()
            assert isinstance(name, SockaddrIn)
            async with client:
                await client.send(name.address.encode())

        box = Container(
            target=hear,
            args=["10.1.0.1"],
            user=user,
            net=True,
            network=Network([net["br0"].port()]),
            start_method=method,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            names, heard = await box.run()
    assert names == ["lo", "eth0"]
    assert heard == b"10.1.0.2"
    assert set(await links(net.task)) == {"lo", "br0"}


@pytest.mark.skipif(IS_ROOT, reason="root has no such limit")
async def test_what_an_ordinary_user_can_not_have_is_refused(net: OpenNetwork, local: Task) -> None:
    network = Network([net["br0"].port()])
    async with (
        await local.fs.open("/dev/null") as file,
        open_network(Bridge("br0")) as other,
    ):
        both = Network([net["br0"].port(), other["br0"].port()])
        for box, why in (
            (Container(target=os.getpid, user=True, net=True, network=network), "callable"),
            (Container(SLEEP, net=True, network=network), "user=True"),
            (Container(SLEEP, user=True, net=True, network=network, pass_fds=[file]), "pass_fds"),
            (Container(SLEEP, user=True, net=True, network=network, task=local), "task"),
            (sleeper(both), "one open_network"),
        ):
            with nothing_left(local), pytest.raises(NetworkArgumentError, match=why):
                await box.start()


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user's ports are of one network")
async def test_root_joins_networks(net: OpenNetwork) -> None:
    async with open_network(Bridge("br0", "10.3.0.1/24")) as other:
        ports = [net["br0"].port(), other["br0"].port()]
        async with sleeper(Network(ports)) as box, living(box) as task:
            assert set(await links(task)) == {"lo", "eth0", "eth1"}
            assert await task.net.device("eth1").address() == "10.3.0.2"


async def test_what_the_kernel_refuses_leaves_nothing(net: OpenNetwork, local: Task) -> None:
    tiny = Bridge("br1", ["10.3.0.1/24", "fd03::1/64"], mtu=68)  # IPv6 takes 1280
    with nothing_left(), pytest.raises(NetworkSetupError, match="fd03::1"):
        async with open_network(tiny):
            pytest.fail("it has an address that it can't have")
    flags = CLONE.NEWNET if IS_ROOT else CLONE.NEWNET | CLONE.NEWUSER
    async with local.spawn(flags) as host:
        bad = HostVeth("eth0", "box0", "192.0.2.2/30", "fd01::9/64", mtu=68)
        with nothing_left(local), pytest.raises(NetworkSetupError, match="fd01::9"):
            await Container(SLEEP, user=True, net=True, network=Network([bad]), task=host).start()
        assert set(await links(host)) == {"lo"}
    assert set(await links(net.task)) == {"lo", "br0"}
