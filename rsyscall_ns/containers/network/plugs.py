"""Plugs: who is plugged into a bridge or a wire, and the veth pairs that are made for that."""

from __future__ import annotations

from typing import final

import trio

from .asking import ask, make, remove
from .errors import NetworkStateError
from .hub import Hub
from .messages import make_veth, move_link
from .segments import SegmentDescription

__all__ = ["Plugs"]


@final
class Plugs:
    """The ports that are in use, each under the name of its end in the hub.

    ``index``: the number of the bridge in the hub; a wire has none.
    """

    __slots__ = ("_ends", "_lock", "_made", "_spare", "_users", "description", "hub", "index")

    def __init__(self, hub: Hub, description: SegmentDescription, index: int | None) -> None:
        self.hub = hub
        self.description = description
        self.index = index
        self._users: dict[str, object] = {}
        self._made: set[str] = set()
        # of a wire: who has an end, and whether the other one waits in the hub
        self._ends: set[str] = set()
        self._spare = False
        self._lock = trio.Lock()

    def check_free(self, what: object, port: str) -> None:
        """Refuse a port that a container has."""
        if port in self._users:
            raise NetworkStateError(what, "is in use", "a container has it; end that first")

    def claim(self, what: object, port: str, user: object) -> None:
        """Take a port for a container."""
        self.hub.check_open(what)
        self.check_free(what, port)
        self._check_whole()
        self._users[port] = user

    def let_go(self, port: str, user: object) -> None:
        """Give it back, if it was taken."""
        if self._users.get(port) is user:
            del self._users[port]

    def _check_whole(self) -> None:
        """Refuse a wire of which one end has gone."""
        if self._ends and not self._spare:
            raise NetworkStateError(
                f"wire {self.description.name!r}",
                "has lost an end with its container",
                "end the other container too",
            )

    async def plug(self, port: str, name: str, netns: int) -> None:
        """Make a port's end in a network namespace, an fd of the hub's."""
        hub, mtu = self.hub.task, self.description.mtu
        if self.index is not None:
            await make(hub, make_veth(port, name, netns, master=self.index, mtu=mtu))
            self._made.add(port)
            return
        wire = self.description.name
        async with self._lock:
            self._check_whole()
            if not self._ends:
                await make(hub, make_veth(wire, name, netns, master=None, mtu=mtu))
                self._spare = True
            else:
                index = await hub.net.if_nametoindex(wire)
                with trio.CancelScope(shield=True):
                    await ask(hub, move_link(index, wire, name, netns))
                self._spare = False
            self._ends.add(port)
            self._made.add(port)

    async def unplug(self, port: str) -> None:
        """Remove what ``plug`` has made, but for what goes with the container. Not cancellable."""
        if port not in self._made:
            return
        self._made.discard(port)
        with trio.CancelScope(shield=True):
            if self.index is not None:
                await self._remove(port)
                return
            async with self._lock:
                self._ends.discard(port)
                if self._spare:
                    self._spare = False
                    await self._remove(self.description.name)

    async def _remove(self, name: str) -> None:
        if not self.hub.closed:
            await remove(self.hub.task, name)
