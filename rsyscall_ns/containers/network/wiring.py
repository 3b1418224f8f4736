"""Wiring: what the network of one container has outside of it, and who makes the container."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, final

import trio
from attrs import frozen

from rsyscall_ns.containers.joining import joined_stub
from rsyscall_ns.containers.members import open_source
from rsyscall_ns.containers.ns_types import NS_NET, NS_USER
from rsyscall_ns.handle.kinds.namespace import NamespaceFD
from rsyscall_ns.handle.kinds.tun import TunFD
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.near.abi.if_tun_h import TUN_IFF
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.tasks.task import Task
from rsyscall_ns.transport.apart import to_the_end

from .asking import ask, make, remove, trust_neighbours
from .description import Network
from .errors import NetworkArgumentError, NetworkNotAllowedError
from .hub import Hub
from .interfaces import HostVeth, TunDevice
from .messages import add_address, add_route, load_extra, make_veth, set_link
from .ports import Port
from .topology import NET_ADMIN

__all__ = ["Wanted", "Wiring", "open_wiring"]


@frozen
class Wanted:
    """What else the container is to have. ``given``: the task that is to make it."""

    flags: CLONE
    pass_fds: Collection[object]
    given: Task[Any] | None
    callable_: bool


def hub_of(network: Network, wanted: Wanted) -> Hub | None:
    """Return the hub whose task must make the container; None: anybody may."""
    hubs = list(dict.fromkeys(port.segment.plugs.hub for port in network.ports))
    below = [hub for hub in hubs if not hub.above]
    if not below:
        return None
    who = "an ordinary user's container on a network"
    if len(hubs) > 1:
        raise NetworkArgumentError(who, "its ports are of one open_network")
    if CLONE.NEWUSER not in wanted.flags:
        raise NetworkArgumentError(who, "it needs a user namespace: add user=True")
    if wanted.callable_:
        raise NetworkArgumentError(who, "it has no callable: start a command")
    if wanted.pass_fds:
        raise NetworkArgumentError(who, "it has no fds but its streams: leave pass_fds out")
    if wanted.given is not None:
        raise NetworkArgumentError(who, "the network's task makes it: leave task out")
    return below[0]


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def open_wiring(network: Network, task: Task[Any], wanted: Wanted) -> AsyncGenerator[Wiring]:
    """Take the ports; leaving the block gives them back, and removes what was made."""
    hub = hub_of(network, wanted)
    for one in network.interfaces:
        if isinstance(one, HostVeth):
            if not await task.cred.effective_capabilities() & NET_ADMIN:
                raise NetworkNotAllowedError(
                    one, "an ordinary user's containers can talk on a bridge (open_network)"
                )
            break
    await load_extra()
    wiring = Wiring(network, task, task if hub is None else hub.task)
    try:
        for port in network.ports:
            port.check_released()
            port.segment.plugs.claim(port, port.peer, wiring)
        yield wiring
    finally:
        await to_the_end(wiring.close)


@final
class Wiring:
    """The ends of a container's interfaces that are not in it. ``maker`` makes the container."""

    __slots__ = ("_network", "_scope", "_task", "maker", "tuns")

    def __init__(self, network: Network, task: Task[Any], maker: Task[Any]) -> None:
        self._network = network
        self._task = task
        self.maker = maker
        self.tuns: dict[str, TunFD] = {}
        self._scope = AsyncExitStack()  # of what a connection takes

    async def close(self) -> None:
        """Remove all that was made, and give the ports back."""
        try:
            await self.disconnect()
        finally:
            for port in self._network.ports:
                port.segment.plugs.let_go(port.peer, self)

    async def disconnect(self) -> None:
        """Remove what ``connect`` has made. Not cancellable. Idempotent."""
        scope, self._scope = self._scope, AsyncExitStack()
        self.tuns.clear()
        with trio.CancelScope(shield=True):
            await scope.aclose()

    async def connect_process(self, process: ChildProcess) -> None:
        """Make all interfaces of a process that waits in its namespaces."""
        opened = await open_source(self._task, process, NS_USER | NS_NET)
        try:
            for error in opened.errors.values():
                raise error
            foreign = {k: m for k, m in opened.members.items() if k not in opened.own}
            async with joined_stub(self._task, foreign) as joined:
                for error in joined.errors.values():
                    raise error
                await self.connect(joined.stub)
        finally:
            await opened.close()

    async def connect(self, inside: Task[Any]) -> None:
        """Make all interfaces, as seen by a task that has rights over the container's network."""
        await self.disconnect()
        await trust_neighbours(inside)
        async with await inside.ns.open("net") as netns:
            await self._plug(netns)
            await self._join_host(netns)
        for name, one in self._network.named():
            if isinstance(one, TunDevice):
                await self._open_tun(inside, name, one)
        await self._configure(inside)

    async def _plug(self, netns: NamespaceFD) -> None:
        for name, one in self._network.named():
            if isinstance(one, Port):
                plugs = one.segment.plugs
                async with await netns.pass_to(plugs.hub.task) as theirs:
                    self._scope.push_async_callback(plugs.unplug, one.peer)
                    await plugs.plug(one.peer, name, theirs.near.number)

    async def _join_host(self, netns: NamespaceFD) -> None:
        wanted = [one for one in self._network.interfaces if isinstance(one, HostVeth)]
        if not wanted:
            return
        # of the interpreter's own task a request could hold the loop
        helper = await self._scope.enter_async_context(self.maker.spawn(stub=True))
        async with await netns.pass_to(helper) as theirs:
            number = theirs.near.number
            for one in wanted:
                name = one.host_name
                await make(helper, make_veth(name, one.name, number, master=None, mtu=one.mtu))
                self._scope.push_async_callback(remove, helper, name)
                index = await helper.net.if_nametoindex(name)
                for address in one.host_addresses:
                    await make(helper, add_address(index, name, address))

    async def _open_tun(self, inside: Task[Any], name: str, one: TunDevice) -> None:
        kind = TUN_IFF.TAP if one.tap else TUN_IFF.TUN
        async with await inside.dev.open_tun(name, kind | TUN_IFF.NO_PI) as made:
            ours = await made.pass_to(self._task)
        self._scope.push_async_exit(ours)
        self.tuns[name] = ours

    async def _configure(self, inside: Task[Any]) -> None:
        numbers: dict[str, int] = {}
        for name, one in self._network.named():
            index = numbers[name] = await inside.net.if_nametoindex(name)
            await ask(inside, set_link(index, name, mtu=one.mtu, mac=one.mac))
            for address in one.addresses:
                await make(inside, add_address(index, name, address))
        for route in self._network.every_route:
            out = None if route.device is None else numbers[route.device]
            await make(inside, add_route(route.subnet, route.via, out))
