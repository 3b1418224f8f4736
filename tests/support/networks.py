"""Networks of containers for tests: tasks that live in them, and what there is in a network."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    IFF,
    NETLINK,
    NLM_F,
    NS_NET,
    NS_USER,
    Bridge,
    Container,
    NamespaceSet,
    Network,
    NetworkSetupError,
    Task,
    open_local_task,
    open_network,
    unpack_nlattrs,
    unpack_nlmsgs,
)
from rsyscall_ns.containers.network.messages import load
from rsyscall_ns.tasks.groups import GROUPS, HOME

__all__ = [
    "SLEEP",
    "bridge_error",
    "flags_of",
    "links",
    "living",
    "need_bridges",
    "need_tuns",
    "sleeper",
    "snapshot",
]

SLEEP: Final = ["sleep", "1000000"]
GETLINK, IFNAME = 18, 3
LINK: Final = struct.Struct("<BxHiII")
FILES: Final = ("fib_trie", "route", "if_inet6", "igmp", "dev_mcast")

# in a test it would hold the event loop for too long
load()
for group in ("cred", "dev", "fs", "net", "ns"):
    import_module(HOME + GROUPS[group][0])


def sleeper(network: Network) -> Container:
    """Return a container that does nothing, as any user may make it."""
    return Container(SLEEP, user=True, net=True, map_zero=True, network=network)


@asynccontextmanager
async def living(container: Container) -> AsyncGenerator[Task, None]:
    """Give a task that lives in the network of a container that runs."""
    assert container.pid is not None
    async with (
        NamespaceSet(container.pid, NS_USER | NS_NET) as there,
        there.open_task() as task,
    ):
        yield task


async def flags_of(task: Task) -> dict[str, int]:
    """Return the flags of each interface by its name, those that no ioctl tells too."""
    answer = await task.net.netlink(NETLINK.ROUTE, GETLINK, bytes(LINK.size), NLM_F.DUMP)
    found: dict[str, int] = {}
    for message in unpack_nlmsgs(answer):
        flags: int = LINK.unpack_from(message.body)[3]
        names = dict(unpack_nlattrs(message.body[LINK.size :]))
        found[names[IFNAME].rstrip(b"\0").decode()] = flags
    return found


async def links(task: Task) -> dict[str, bool]:
    """Return whether each interface is up, by its name."""
    return {name: bool(flags & IFF.UP) for name, flags in (await flags_of(task)).items()}


def snapshot() -> dict[str, bytes]:
    """Return what the caller's own network is: interfaces, addresses, routes, groups."""
    found = {name: Path("/proc/self/net", name).read_bytes() for name in FILES}
    for device in sorted(Path("/sys/class/net").iterdir()):
        for name in ("address", "flags", "ifindex", "iflink", "mtu", "operstate"):
            found[f"{device.name}/{name}"] = (device / name).read_bytes()
    return found


async def bridge_error() -> OSError | None:
    """Return why no bridge can be made here, if none can."""
    try:
        async with open_network(Bridge("br0")):
            return None
    except NetworkSetupError as error:
        return error


async def tun_error() -> OSError | None:
    flags = CLONE.NEWUSER | CLONE.NEWNET
    async with open_local_task() as local, local.spawn(flags) as child:
        try:
            await (await child.dev.open_tun()).close()
        except OSError as error:
            return error
    return None


def need_bridges() -> None:
    """Skip where this kernel has none."""
    error = trio.run(bridge_error)
    if error is not None:
        pytest.skip(f"this kernel makes no bridge: {error}")


def need_tuns() -> None:
    """Skip where no tun device can be made."""
    error = trio.run(tun_error)
    if error is not None:
        pytest.skip(f"no tun devices can be made here: {error}")
