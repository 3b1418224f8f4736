"""Networks of containers go with their processes: they outlive no block, and no interpreter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest

from rsyscall_ns import (
    AF,
    CLONE,
    NETLINK,
    SOCK,
    Bridge,
    Command,
    Network,
    SockaddrNl,
    Task,
    Wire,
    open_network,
)
from tests.support.census import nothing_left
from tests.support.children import KILLED
from tests.support.networks import links, living, need_bridges, sleeper

LINK_NEWS: Final = 1  # RTMGRP_LINK
CODE: Final = """
import trio
from rsyscall_ns import Bridge, Container, HostVeth, Network, open_network

async def main():
    async with open_network(Bridge("br0", "10.1.0.1/24")) as net:
        veth = HostVeth("up0", "box0", "192.0.2.2/30", "192.0.2.1/30")
        network = Network([net["br0"].port(), veth])
        async with Container(["sleep", "1000"], user=True, net=True, network=network):
            print("ready", flush=True)
            await trio.sleep_forever()

trio.run(main)
"""


@pytest.fixture(scope="module", autouse=True)
def bridges() -> None:
    need_bridges()


def namespaces() -> set[int]:
    """Return the inodes of all network namespaces that a process is in, or that we hold."""
    found: set[int] = set()
    for path in [*Path("/proc").glob("[0-9]*/ns/net"), *Path("/proc/self/fd").iterdir()]:
        try:
            found.add(path.stat().st_ino)
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


async def test_a_namespace_goes_with_its_block() -> None:
    need: set[int] = set()
    with nothing_left():
        async with (
            open_network(Bridge("br0", "10.1.0.1/24"), Wire("w0")) as net,
            sleeper(Network([net["br0"].port()])) as box,
            living(box) as task,
        ):
            for one in (net.task, task):
                async with await one.ns.open("net") as namespace:
                    need.add((await namespace.identity())[1])
            assert len(need & namespaces()) == 2
    assert not need & namespaces()


async def test_when_the_interpreter_is_killed_nothing_stays_on_the_host(local: Task) -> None:
    # the host is a network of this test's own, and the interpreter is root there
    flags = CLONE.NEWUSER | CLONE.NEWNET
    async with local.spawn(flags, uid_map=True, gid_map=True) as host:
        news = await host.net.socket(AF.NETLINK, SOCK.RAW, NETLINK.ROUTE)
        await news.bind(SockaddrNl(groups=LINK_NEWS))
        reading, writing = await local.fs.pipe2()
        out = await writing.pass_to(host)
        command = Command(sys.executable, [sys.executable, "-c", CODE])
        async with host.launch(command, stdout=out) as interpreter:
            await out.close()
            await writing.close()
            assert (await reading.read()).startswith(b"ready")
            assert set(await links(host)) == {"lo", "box0"}
            await interpreter.kill(KILLED)
            while "box0" in await links(host):
                await news.recv(65536)  # something has changed
        await reading.close()
