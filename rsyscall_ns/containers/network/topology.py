"""open_network: bridges and wires in a network namespace of their own, for several containers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import combinations
from typing import Any, Final, final

import trio

from rsyscall_ns.tasks.local import open_local_task
from rsyscall_ns.tasks.task import Task

from .asking import make, trust_neighbours, write_setting
from .errors import NetworkArgumentError
from .hub import Hub, open_hub_task
from .messages import add_address, load_extra, make_bridge
from .plugs import Plugs
from .ports import Segment
from .segments import Bridge, SegmentDescription

__all__ = ["NET_ADMIN", "OpenNetwork", "open_network"]

NET_ADMIN, SYS_ADMIN = 1 << 12, 1 << 21  # capabilities
NEEDED: Final = NET_ADMIN | SYS_ADMIN
FORWARDING: Final = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")


@final
class OpenNetwork:
    """What ``open_network`` gives: its bridges and wires by name.

    ``task``: a child that lives where the bridges are; what it makes has their addresses, and can
    be passed to others.
    """

    __slots__ = ("_segments", "task")

    def __init__(self, task: Task[Any], segments: Mapping[str, Segment]) -> None:
        self.task = task
        self._segments = dict(segments)

    def __repr__(self) -> str:
        return f"<network of {', '.join(self._segments)}>"

    def __getitem__(self, name: str) -> Segment:
        try:
            return self._segments[name]
        except KeyError:
            known = ", ".join(self._segments)
            raise NetworkArgumentError(repr(name), f"the network has {known}") from None

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments.values())

    def __len__(self) -> int:
        return len(self._segments)


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def open_network(
    *segments: SegmentDescription, forward: bool = False
) -> AsyncGenerator[OpenNetwork]:
    """Make bridges and wires that containers can be plugged into; nobody else sees them.

    ``forward``: what a bridge gets for another one's subnet it is to pass on; containers need
    routes for that. Leaving the block removes all of it. ``veth(4)``, ``bridge(8)``.
    """
    check(segments)
    await load_extra()
    async with open_local_task() as local:
        above = await local.cred.effective_capabilities() & NEEDED == NEEDED
        # what the caller has his task wait for must not hold up a container
        async with open_hub_task(local, above=above) as task, task.spawn() as theirs:
            names = frozenset(one.name for one in segments)
            hub = Hub(task, names, above=above)
            await task.net.set_up()
            await trust_neighbours(task)
            if forward:
                for name in FORWARDING:
                    await write_setting(task, name, b"1")
            made = [Segment(one, Plugs(hub, one, await build(task, one))) for one in segments]
            try:
                yield OpenNetwork(theirs, {one.name: one for one in made})
            finally:
                hub.closed = True


def check(segments: tuple[SegmentDescription, ...]) -> None:
    """Refuse what can't be together."""
    if not segments:
        raise NetworkArgumentError("open_network", "a network has one bridge or wire at least")
    for one, other in combinations(segments, 2):
        if one.name == other.name:
            raise NetworkArgumentError(repr(one.name), "two have this name")
        if not (isinstance(one, Bridge) and isinstance(other, Bridge)):
            continue
        for address in one.own:
            for second in other.own:
                if address.version == second.version and address.network.overlaps(second.network):
                    raise NetworkArgumentError(f"{address}, {second}", "these subnets overlap")


async def build(task: Task[Any], segment: SegmentDescription) -> int | None:
    """Make a bridge; returns its number. A wire is made with its first container."""
    if not isinstance(segment, Bridge):
        return None
    await make(task, make_bridge(segment.name, segment.mtu))
    index = await task.net.if_nametoindex(segment.name)
    for address in segment.own:
        await make(task, add_address(index, segment.name, address))
    return index
