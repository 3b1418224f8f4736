"""Descriptions of networks: what can't be is refused before anything is started."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from ipaddress import ip_address, ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    ArgumentRangeError,
    Bridge,
    Container,
    ContainerArgumentError,
    HostVeth,
    Network,
    NetworkArgumentError,
    OpenNetwork,
    Route,
    TunDevice,
    Wire,
    open_network,
)
from rsyscall_ns.containers.network.addresses import HostAddress, Pool
from tests.support.census import nothing_left
from tests.support.networks import need_bridges, sleeper


@pytest.fixture(scope="module", autouse=True)
def bridges() -> None:
    need_bridges()


@pytest.fixture
async def net() -> AsyncGenerator[OpenNetwork, None]:
    segments = Bridge("br0", ["10.1.0.1/29", "fd01::1/64"]), Wire("w0", "10.2.0.0/30")
    async with open_network(*segments) as made:
        yield made


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "a:b", "a%d", "a\0", "x" * 16, "lo"])
def test_a_name_that_no_interface_has_is_refused(name: str) -> None:
    makers: list[Callable[[], object]] = [
        lambda: Bridge(name),
        lambda: Wire(name),
        lambda: HostVeth(name, "box0"),
        lambda: HostVeth("eth0", name),
        lambda: TunDevice(name),
        lambda: Route("default", device=name),
    ]
    for make in makers:
        with pytest.raises(NetworkArgumentError, match="interface"):
            make()


def test_the_longest_name_is_one() -> None:
    assert Bridge("x" * 15).name == "x" * 15


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("10.1.0.300/24", "10.1.0.300"),
        ("nonsense", "nonsense"),
        ("10.1.0.1/33", "10.1.0.1/33"),
        ("10.1.0.0/24", "subnet itself"),
        ("10.1.0.255/24", "all hosts"),
        ("224.0.0.1/24", "no host"),
        ("0.0.0.0/0", "no host"),
        ("127.0.0.1/8", "no host"),
        ("::1/128", "no host"),
        ("ff02::1/64", "no host"),
        ("fd01::/64", "subnet itself"),
    ],
)
def test_an_address_that_no_host_has_is_refused(address: str, why: str) -> None:
    for make in (
        lambda: HostVeth("eth0", "box0", [address]),
        lambda: HostVeth("eth0", "box0", [], [address]),
        lambda: TunDevice("tun0", [address]),
    ):
        with pytest.raises(NetworkArgumentError, match=why):
            make()


def test_what_a_bridge_can_not_have_is_refused() -> None:
    for addresses, why in (
        (["10.1.0.1"], "room"),
        (["nonsense"], "nonsense"),
        (["10.1.0.255/24"], "all hosts"),
        (["10.1.0.1/24", "10.1.0.0/16"], "overlap"),
    ):
        with pytest.raises(NetworkArgumentError, match=why):
            Bridge("br0", addresses)
    with pytest.raises(NetworkArgumentError, match="no address of its own"):
        Wire("w0", ["10.1.0.1/24"])
    for mtu in (0, 67, 65536):
        with pytest.raises(ArgumentRangeError, match="mtu"):
            Bridge("br0", mtu=mtu)


@pytest.mark.parametrize("mac", ["", "02:00", "01:00:00:00:00:01", "00:00:00:00:00:00", "x"])
def test_a_hardware_address_that_is_none_is_refused(mac: str) -> None:
    with pytest.raises(NetworkArgumentError, match="hardware"):
        TunDevice("tap0", tap=True, mac=mac)


async def test_networks_that_contradict_themselves_are_refused() -> None:
    bridges = Bridge("br0", "10.1.0.1/24"), Bridge("br1", "10.1.0.2/16")
    for segments, why in (
        ((), "one bridge"),
        ((Bridge("br0"), Wire("br0")), "name"),
        (bridges, "overlap"),
    ):
        with nothing_left(), pytest.raises(NetworkArgumentError, match=why):
            async with open_network(*segments):
                pytest.fail("it was made")


async def test_ports_are_refused_that_the_subnets_have_no_room_for(net: OpenNetwork) -> None:
    bridge, wire = net["br0"], net["w0"]
    for address, why in (
        ("10.1.0.1", "already"),
        ("10.9.0.1", "no subnet"),
        ("10.1.0.3/24", "the subnet is 10.1.0.0/29"),
        ("10.1.0.7", "all hosts"),
        ("10.1.0.0", "subnet itself"),
        ("fd02::1", "no subnet"),
        ("nonsense", "nonsense"),
    ):
        with pytest.raises(NetworkArgumentError, match=why):
            bridge.port(address)
    with pytest.raises(NetworkArgumentError, match="twice"):
        bridge.port("10.1.0.3", "10.1.0.3")
    with pytest.raises(NetworkArgumentError, match="15 bytes"):
        bridge.port(name="x" * 16)
    assert bridge.port("10.1.0.3/29").address == "10.1.0.3"
    with pytest.raises(NetworkArgumentError, match="already"):
        bridge.port("10.1.0.3")
    ports = [bridge.port() for _ in range(4)]
    assert [port.address for port in ports] == ["10.1.0.2", "10.1.0.4", "10.1.0.5", "10.1.0.6"]
    with pytest.raises(NetworkArgumentError, match="taken"):
        bridge.port()
    ports[1].release()
    assert bridge.port().addresses[0] == ip_interface("10.1.0.4/29")
    assert {wire.port().address, wire.port().address} == {"10.2.0.1", "10.2.0.2"}
    with pytest.raises(NetworkArgumentError, match="two ends"):
        wire.port()
    with pytest.raises(NetworkArgumentError, match="br0, w0"):
        _ = net["br1"]


async def test_what_a_container_can_not_have_is_refused(net: OpenNetwork) -> None:
    port = net["br0"].port("10.1.0.2")
    host = HostVeth("eth0", "box0", "192.0.2.2/30", "192.0.2.1/30")
    same_name = HostVeth("eth0", "box1")
    same_host = HostVeth("eth1", "box0")
    for interfaces, routes, gateway, why in (
        ([host, same_name], [], (), "'eth0': two"),
        ([host, same_host], [], (), "'box0': two"),
        ([port, port], [], (), "twice"),
        ([port, TunDevice("tun0", "10.1.0.2/24")], [], (), "10.1.0.2: .*twice"),
        ([port], [], "10.9.0.1", "no interface reaches"),
        ([port], [], "fd01::1", "no interface reaches"),
        ([port], [], "10.1.0.2", "itself"),
        ([port], [], ["10.1.0.1", "10.1.0.3"], "two routes"),
        ([port], [Route("10.9.0.0/16", device="eth7")], (), "eth7"),
        ([port, host], [Route("10.9.0.0/16", "10.1.0.1", "eth0")], (), "no interface reaches"),
        ([port], [], "nonsense", "nonsense"),
        (["eth0"], [], (), "a Port"),
    ):
        with pytest.raises(NetworkArgumentError, match=why):
            Network(interfaces, routes, gateway=gateway)  # type: ignore[arg-type] # bad on purpose
    with pytest.raises(NetworkArgumentError, match="twice"):
        HostVeth("eth0", "box0", "192.0.2.2/30", "192.0.2.2/30")


@pytest.mark.parametrize(
    ("target", "via", "why"),
    [
        ("default", None, "gateway"),
        ("10.1.0.1/24", "10.2.0.1", "host bits"),
        ("10.1.0.0/24", "fd01::1", "version"),
        ("nonsense", "10.2.0.1", "nonsense"),
    ],
)
def test_routes_that_lead_nowhere_are_refused(target: str, via: str | None, why: str) -> None:
    with pytest.raises(NetworkArgumentError, match=why):
        Route(target, via)


def test_interfaces_without_a_name_are_numbered() -> None:
    network = Network([TunDevice("eth1", "10.1.0.1/24")], [Route("default", "10.1.0.2", "eth1")])
    assert [name for name, _ in network.named()] == ["eth1"]
    assert network.every_route[0].via == ip_address("10.1.0.2")


async def test_a_network_needs_a_namespace_and_a_caller() -> None:
    network = Network([TunDevice("tun0")])
    with pytest.raises(ContainerArgumentError, match="net=True"):
        Container(["true"], user=True, network=network)
    with pytest.raises(ContainerArgumentError, match="daemonize"):
        Container(["true"], user=True, net=True, network=network, daemonize=True)
    with pytest.raises(ContainerArgumentError, match="Network"):
        Container(["true"], user=True, net=True, network="br0")  # type: ignore[arg-type] # bad on purpose
    assert (await sleeper(Network([])).__class__(["true"], user=True, net=True).run()).exitcode == 0


def test_without_pyroute2_the_error_says_what_to_install() -> None:
    code = """
import sys
sys.modules["pyroute2"] = None
import trio
from rsyscall_ns import *

try:
    Network([TunDevice("tun0")])
except NetworkExtraMissingError as error:
    assert isinstance(error, ImportError)
    print(error)

async def main():
    async with open_network(Bridge("br0")):
        pass

try:
    trio.run(main)
except NetworkExtraMissingError as error:
    print(error.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "pip install 'rsyscall_ns[network]'" in done.stdout
    assert done.stdout.endswith("\npyroute2\n")


def test_the_extra_is_loaded_without_holding_the_loop() -> None:
    code = """
import sys, trio
from rsyscall_ns import *
from rsyscall_ns.containers.network.messages import load_extra

async def main():
    assert "pyroute2" not in sys.modules
    turns = 0
    async with trio.open_nursery() as nursery:
        async def load():
            await load_extra()
            nursery.cancel_scope.cancel()
        nursery.start_soon(load)
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1
            if "pyroute2" in sys.modules and turns > 10:
                print("turns")
                await trio.sleep_forever()

trio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "turns\n"


@given(
    st.lists(st.integers(min_value=-1, max_value=9), max_size=20),
)
def test_a_pool_never_gives_an_address_twice(ops: builtins.list[int]) -> None:
    pool = Pool([ip_interface("10.1.0.1/29")], [ip_interface("10.1.0.1/29").network])
    held: list[tuple[HostAddress, ...]] = []
    for op in ops:
        if op >= 0 and held:
            pool.give_back(held.pop(op % len(held)))
        elif len(held) < 5:
            taken = pool.take(())
            assert taken not in held
            assert str(taken[0].ip) != "10.1.0.1"
            held.append(taken)
        else:
            with pytest.raises(NetworkArgumentError, match="taken"):
                pool.take(())
