"""Containers on a network: what each of them has, and who can talk to whom."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    AF,
    CLONE,
    NS_NET,
    NS_USER,
    PIPE,
    SHUT,
    SOCK,
    Bridge,
    ChildTask,
    Container,
    HostVeth,
    NamespaceSet,
    Network,
    NetworkNotAllowedError,
    NetworkSetupError,
    NetworkStateError,
    OpenNetwork,
    Port,
    Route,
    SockaddrIn,
    SockaddrIn6,
    SocketFD,
    Task,
    Wire,
    open_network,
)
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.networks import SLEEP, flags_of, links, living, need_bridges, sleeper, snapshot

CARRIER = 1 << 16  # IFF_LOWER_UP


@pytest.fixture(scope="module", autouse=True)
def bridges() -> None:
    need_bridges()


@pytest.fixture
async def net() -> AsyncGenerator[OpenNetwork, None]:
    async with open_network(
        Bridge("br0", ["10.1.0.1/24", "fd01::1/64"]), Wire("w0", ["10.2.0.0/30", "fd02::/64"])
    ) as made:
        yield made


async def said(to: Task, by: Task, address: str) -> bytes:
    """Connect two tasks by TCP; returns what one has heard."""
    v6 = ":" in address
    name = SockaddrIn6(address, 0) if v6 else SockaddrIn(address, 0)
    async with await to.net.socket(AF.INET6 if v6 else AF.INET, SOCK.STREAM) as server:
        await server.bind(name)
        await server.listen()
        bound = await server.getsockname()
        async with await by.net.socket(AF.INET6 if v6 else AF.INET, SOCK.STREAM) as client:
            assert isinstance(bound, SockaddrIn | SockaddrIn6)
            await client.connect(bound)
            await client.send(b"x" * 100_000)
            await client.shutdown(SHUT.WR)
            served, _ = await server.accept()
            async with served:
                return await everything(served)


async def everything(socket: SocketFD) -> bytes:
    found = b""
    while part := await socket.recv(65536):
        found += part
    return found


async def test_without_a_description_the_loopback_is_up() -> None:
    async with Container(SLEEP, user=True, net=True) as box, living(box) as a, living(box) as b:
        assert await links(a) == {"lo": True}
        assert await said(a, b, "127.0.0.1") == b"x" * 100_000
        assert await said(a, b, "::1") == b"x" * 100_000


async def test_two_containers_talk_over_a_bridge(net: OpenNetwork) -> None:
    one, other = net["br0"].port(), net["br0"].port()
    assert (one.address, other.address) == ("10.1.0.2", "10.1.0.3")
    async with (
        sleeper(Network([one])) as first,
        sleeper(Network([other])) as second,
        living(first) as a,
        living(second) as b,
    ):
        assert set(await links(a)) == {"lo", "eth0"}
        assert await said(a, b, "10.1.0.2") == b"x" * 100_000
        assert await said(b, a, "10.1.0.3") == b"x" * 100_000
        assert await said(a, b, "fd01::2") == b"x" * 100_000


async def test_three_containers_and_the_caller_are_on_one_bridge(net: OpenNetwork) -> None:
    ports = [net["br0"].port() for _ in range(3)]
    async with trio.open_nursery() as nursery:
        boxes = [await nursery.start(sleeper(Network([port])).run_in_nursery) for port in ports]
        for box, port in zip(boxes, ports, strict=True):
            async with living(box) as task:
                for address in port.addresses:
                    assert await said(task, net.task, str(address.ip)) == b"x" * 100_000
                    assert await said(net.task, task, "10.1.0.1") == b"x" * 100_000
        nursery.cancel_scope.cancel()


async def test_two_containers_talk_over_a_veth_pair(net: OpenNetwork) -> None:
    wire = net["w0"]
    one, other = wire.port(name="left"), wire.port("10.2.0.2", "fd02::2", name="right")
    async with sleeper(Network([one])) as first:
        assert set(await links(net.task)) == {"lo", "br0", "w0"}
        async with sleeper(Network([other])) as second:
            assert set(await links(net.task)) == {"lo", "br0"}
            async with living(first) as a, living(second) as b:
                assert await links(a) == {"lo": True, "left": True}
                assert await links(b) == {"lo": True, "right": True}
                assert await said(a, b, "10.2.0.1") == b"x" * 100_000
                assert await said(a, b, "fd02::1") == b"x" * 100_000
        lonely = sleeper(Network([other]))
        with pytest.raises(NetworkStateError, match="end the other container"):
            await lonely.start()
    async with (
        sleeper(Network([other])) as second,
        sleeper(Network([one])) as first,
        living(first) as a,
        living(second) as b,
    ):
        assert await said(a, b, "10.2.0.1") == b"x" * 100_000


async def test_a_container_is_on_several_networks() -> None:
    bridges = Bridge("br0", "10.1.0.1/24", mtu=1400), Bridge("br1", "10.2.0.1/24")
    async with open_network(*bridges) as net:
        ports = [net["br0"].port(mac="02:00:00:00:00:07"), net["br1"].port(name="other0")]
        async with sleeper(Network(ports)) as box, living(box) as task:
            assert set(await links(task)) == {"lo", "eth0", "other0"}
            eth0, other = task.net.device("eth0"), task.net.device("other0")
            assert await eth0.hwaddr() == bytes((2, 0, 0, 0, 0, 7))
            assert (await eth0.mtu(), await other.mtu()) == (1400, 1500)
            assert await net.task.net.device("br0").mtu() == 1400
            assert (await eth0.address(), await eth0.netmask()) == ("10.1.0.2", "255.255.255.0")
            assert await said(net.task, task, "10.2.0.1") == b"x" * 100_000


async def test_a_router_passes_packets_on() -> None:
    bridges = (
        Bridge("br0", ["10.1.0.1/24", "fd01::1/64"]),
        Bridge("br1", ["10.2.0.1/24", "fd02::1/64"]),
    )
    async with open_network(*bridges, forward=True) as net:
        one, other = net["br0"].port(), net["br1"].port()
        near = Network([one], gateway=["10.1.0.1", "fd01::1"])
        routes = [Route("10.1.0.0/16", "10.2.0.1"), Route("fd01::/64", "fd02::1", "eth0")]
        async with (
            sleeper(near) as first,
            sleeper(Network([other], routes)) as second,
            living(first) as a,
            living(second) as b,
        ):
            assert await said(b, a, "10.2.0.2") == b"x" * 100_000
            assert await said(b, a, "fd02::2") == b"x" * 100_000


async def test_without_forwarding_nothing_is_passed_on() -> None:
    async with open_network(Bridge("br0", "10.1.0.1/24"), Bridge("br1", "10.2.0.1/24")) as net:
        for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            assert await net.task.fs.read_bytes(f"/proc/sys/net/{name}") == b"0\n"


async def test_a_route_out_of_a_device_needs_no_gateway(net: OpenNetwork) -> None:
    network = Network([net["br0"].port()], [Route("192.0.2.0/24", device="eth0")])
    async with sleeper(network) as box, living(box) as task:
        table = (await task.fs.read_bytes("/proc/thread-self/net/route")).decode().split()
        assert table[table.index("000200C0") - 1] == "eth0"


async def test_pulling_a_cable_is_seen(net: OpenNetwork) -> None:
    port = net["br0"].port()
    async with sleeper(Network([port])) as box, living(box) as task:
        peer = net.task.net.device(port.peer)
        assert (await flags_of(task))["eth0"] & CARRIER
        await peer.set_down()
        assert not (await flags_of(task))["eth0"] & CARRIER
        await peer.set_up()
        assert await said(task, net.task, port.address) == b"x" * 100_000


async def test_a_port_is_used_again_under_its_address(net: OpenNetwork) -> None:
    port = net["br0"].port("10.1.0.77")
    for _ in range(2):
        async with sleeper(Network([port])) as box:
            with nothing_left(), pytest.raises(NetworkStateError, match="in use"):
                await sleeper(Network([port])).start()
            with pytest.raises(NetworkStateError, match="in use"):
                port.release()
            async with living(box) as task:
                assert await said(task, net.task, "10.1.0.77") == b"x" * 100_000
        assert set(await links(net.task)) == {"lo", "br0"}
    port.release()
    port.release()
    with pytest.raises(NetworkStateError, match="released"):
        await sleeper(Network([port])).start()
    assert net["br0"].port("10.1.0.77").address == "10.1.0.77"


class Looks(Container):
    """Its hook sees the network."""

    seen: dict[str, bool]

    async def preup(self, task: ChildTask) -> None:
        self.seen = await links(task)


async def test_a_hook_finds_the_network_there(net: OpenNetwork) -> None:
    box = Looks(["true"], user=True, net=True, network=Network([net["br0"].port()]))
    await box.run()
    assert box.seen["eth0"]


async def test_streams_come_through(net: OpenNetwork) -> None:
    network = Network([net["br0"].port()])
    script = "read x; echo $x; echo bad >&2"
    box = Container(
        ["sh", "-c", script], user=True, net=True, network=network, stdin=PIPE, stdout=PIPE
    )
    assert (await box.run(b"hello\n")).stdout == b"hello\n"


async def test_it_is_where_the_caller_is_by_now(
    net: OpenNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network = Network([net["br0"].port()])
    box = Container(["/bin/pwd"], user=True, net=True, network=network, stdout=PIPE)
    assert (await box.run()).stdout == f"{tmp_path}\n".encode()


async def test_it_has_no_fds_but_its_streams(net: OpenNetwork) -> None:
    network = Network([net["br0"].port()])
    box = Container(["ls", "/proc/self/fd"], user=True, net=True, network=network, stdout=PIPE)
    assert (await box.run()).stdout == b"0\n1\n2\n3\n"  # 3 is the listing itself


async def test_all_namespaces_and_a_network(net: OpenNetwork) -> None:
    network = Network([net["br0"].port()])
    box = Container(["cat", "/proc/net/dev"], all=True, network=network, stdout=PIPE)
    assert b"eth0:" in (await box.run()).stdout


async def test_a_container_that_nobody_waits_for_ends_with_its_network() -> None:
    with nothing_left():
        async with open_network(Bridge("br0", "10.1.0.1/24")) as net:
            box = sleeper(Network([net["br0"].port()]))
            await box.start()
            if IS_ROOT:
                await box.kill()
            assert repr(net) == "<network of br0>"
        await box.join()
        assert box.exitcode == -9
    with pytest.raises(NetworkStateError, match="closed"):
        net["br0"].port()


async def test_a_port_of_a_closed_network_is_refused() -> None:
    async with open_network(Bridge("br0", "10.1.0.1/24")) as net:
        port = net["br0"].port()
    with nothing_left(), pytest.raises(NetworkStateError, match="closed"):
        await sleeper(Network([port])).start()


async def test_the_callers_own_network_does_not_change() -> None:
    before = snapshot()
    async with (
        open_network(Bridge("br0", ["10.1.0.1/24", "fd01::1/64"]), forward=True) as net,
        sleeper(Network([net["br0"].port()], gateway="10.1.0.1")) as box,
    ):
        assert box.is_alive()
        assert snapshot() == before
    assert snapshot() == before


@pytest.fixture
async def host(local: Task) -> AsyncGenerator[Task, None]:
    """Make a network that stands for the host's."""
    flags = CLONE.NEWNET if IS_ROOT else CLONE.NEWNET | CLONE.NEWUSER
    async with local.spawn(flags) as task:
        yield task


VETH = HostVeth(
    "eth0", "box0", ["192.0.2.2/30", "fd03::2/64"], ["192.0.2.1/30", "fd03::1/64"], mtu=1400
)


async def test_a_veth_pair_leads_to_the_host(host: Task) -> None:
    network = Network([VETH], gateway="192.0.2.1")
    box = Container(SLEEP, user=True, net=True, network=network, task=host)
    async with box:
        assert set(await links(host)) == {"lo", "box0"}
        assert await host.net.device("box0").mtu() == 1400
        async with living(box) as task:
            assert await task.net.device("eth0").mtu() == 1400
            assert await said(host, task, "192.0.2.1") == b"x" * 100_000
            assert await said(task, host, "fd03::2") == b"x" * 100_000
    assert set(await links(host)) == {"lo"}


async def test_a_name_that_the_host_has_already_is_an_error_and_stays(host: Task) -> None:
    one = Container(SLEEP, user=True, net=True, network=Network([VETH]), task=host)
    async with one:
        other = Container(SLEEP, user=True, net=True, network=Network([VETH]), task=host)
        with pytest.raises(NetworkSetupError, match=r"box0.*exists"):
            await other.start()
        assert set(await links(host)) == {"lo", "box0"}


@pytest.mark.skipif(IS_ROOT, reason="root may do what an ordinary user is refused")
async def test_an_ordinary_user_changes_no_network_of_the_host() -> None:
    with nothing_left(), pytest.raises(NetworkNotAllowedError, match="open_network"):
        await sleeper(Network([VETH])).start()


async def test_a_network_is_of_the_containers_own_user_namespace(net: OpenNetwork) -> None:
    async with (
        sleeper(Network([net["br0"].port()])) as box,
        NamespaceSet(box.pid or 0, NS_USER | NS_NET) as there,
        await there[NS_NET].owner() as owner,
    ):
        assert owner == there[NS_USER]


async def test_ports_are_told_apart(net: OpenNetwork) -> None:
    port = net["br0"].port()
    assert isinstance(port, Port)
    assert repr(port) == "<port of br0: 10.1.0.2/24, fd01::2/64>"
    assert [segment.name for segment in net] == ["br0", "w0"]
    assert len(net) == 2
    async with open_network(Bridge("bare")) as other:
        with pytest.raises(NetworkStateError, match="subnet"):
            _ = other["bare"].port().address
