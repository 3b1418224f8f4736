"""Networks of containers: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import cast

import pytest

from rsyscall_ns import (
    CLONE,
    PIPE,
    Bridge,
    Completed,
    Container,
    HostVeth,
    Network,
    OpenNetwork,
    Task,
    Wire,
    open_local_task,
    open_network,
)
from tests.support.children import IS_ROOT
from tests.support.hurt import CANCEL, HURTS, KILL, Hurt, at_each_step
from tests.support.networks import links, need_bridges, snapshot
from tests.support.steps import Steps

Use = Callable[[OpenNetwork], Awaitable[int]]


@pytest.fixture(scope="module", autouse=True)
def bridges() -> None:
    need_bridges()


async def whole() -> int:
    """Make a network of each kind, and a container in it."""
    async with open_network(Bridge("br0", ["10.1.0.1/24", "fd01::1/64"])) as net:
        return await plugged(net)


async def plugged(net: OpenNetwork) -> int:
    """Plug a container into a bridge, and release the port."""
    port = net["br0"].port()
    try:
        network = Network([port], gateway="10.1.0.1")
        box = Container(["sh", "-c", "exit 7"], user=True, net=True, network=network, stdout=PIPE)
        done: Completed = await box.run()
        return done.exitcode
    finally:
        port.release()


@pytest.mark.parametrize("hurt", HURTS, ids=str)
async def test_a_network_hurt_at_any_step(steps: Steps, hurt: Hurt) -> None:
    before = snapshot()
    await at_each_step(steps, hurt, whole, expected=7, least=20)
    assert snapshot() == before


@pytest.fixture
async def net() -> AsyncGenerator[OpenNetwork, None]:
    async with open_network(Bridge("br0", ["10.1.0.1/24", "fd01::1/64"]), Wire("w0")) as made:
        yield made


async def wired(net: OpenNetwork) -> int:
    """Two containers with a wire between them."""
    one, other = net["w0"].port(), net["w0"].port()
    try:
        first = Container(["sleep", "1000"], user=True, net=True, network=Network([one]))
        second = Container(["sh", "-c", "exit 7"], user=True, net=True, network=Network([other]))
        async with first:
            return int((await second.run()).exitcode)
    finally:
        one.release()
        other.release()


def same_links(task: Task, before: object) -> Callable[[], Awaitable[None]]:
    """Return what asserts that a network has the links that it had."""

    async def look() -> None:
        assert await links(task) == before

    return look


@pytest.mark.parametrize("use", [plugged, wired], ids=lambda use: use.__name__)
async def test_nothing_stays_in_the_hub(steps: Steps, net: OpenNetwork, use: Use) -> None:
    """A wire can be used again too."""
    assert await use(net) == 7
    hub = cast("Task", net.task)
    flat = same_links(hub, await links(hub))
    await at_each_step(steps, CANCEL, lambda: use(net), expected=7, least=20, after=flat)


async def test_nothing_stays_on_the_host(steps: Steps) -> None:
    veth = HostVeth("eth0", "box0", ["192.0.2.2/30"], ["192.0.2.1/30"])
    async with open_local_task() as local:
        # the host is a network that this test has made
        flags = CLONE.NEWNET if IS_ROOT else CLONE.NEWNET | CLONE.NEWUSER
        async with local.spawn(flags) as host:

            async def use() -> int:
                box = Container(
                    ["sh", "-c", "exit 7"],
                    user=True,
                    net=True,
                    network=Network([veth]),
                    task=host,
                )
                return int((await box.run()).exitcode)

            assert await use() == 7
            before = await links(host)
            assert set(before) == {"lo"}
            flat = same_links(host, before)
            await at_each_step(steps, CANCEL, use, expected=7, least=20, after=flat)


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user's callables are none of the hub's")
@pytest.mark.parametrize("hurt", [CANCEL, KILL], ids=str)
async def test_a_callable_at_any_step(steps: Steps, net: OpenNetwork, hurt: Hurt) -> None:
    hub = cast("Task", net.task)

    async def use() -> None:
        port = net["br0"].port()
        try:
            network = Network([port])
            made = Container(target=abs, args=(-7,), user=True, net=True, network=network)
            assert await made.run() == 7
        finally:
            port.release()

    await use()
    await at_each_step(steps, hurt, use, least=20, after=same_links(hub, await links(hub)))
