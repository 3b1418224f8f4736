"""Segment and Port: a bridge or a wire that is there, and where containers are plugged in."""

from __future__ import annotations

from typing import Final, final

from .addresses import HostAddress, HostLike, Pool, hardware_address, interface_name
from .errors import NetworkArgumentError, NetworkStateError
from .plugs import Plugs
from .segments import Bridge, SegmentDescription

__all__ = ["Port", "Segment"]

ENDS: Final = 2  # of a wire


@final
class Port:
    """A place on a bridge or a wire, with addresses; for one container at a time.

    ``addresses``: with their subnets; ``name``: of the interface in the container, if one was
    asked for; ``peer``: the name of its other end, in the hub.
    """

    __slots__ = ("addresses", "mac", "name", "peer", "released", "segment")

    def __init__(
        self,
        segment: Segment,
        addresses: tuple[HostAddress, ...],
        peer: str,
        name: str | None,
        mac: str | None,
    ) -> None:
        """``Segment.port`` makes them."""
        self.segment = segment
        self.addresses = addresses
        self.peer = peer
        self.name = name
        self.mac = mac
        self.released = False

    def __repr__(self) -> str:
        addresses = ", ".join(map(str, self.addresses)) or "no address"
        return f"<port of {self.segment.name}: {addresses}>"

    @property
    def mtu(self) -> int | None:
        """The largest packet, as the segment has it."""
        return self.segment.description.mtu

    @property
    def address(self) -> str:
        """The first address, without its subnet."""
        if not self.addresses:
            raise NetworkStateError(self, "has no address", "give its bridge a subnet")
        return str(self.addresses[0].ip)

    def check_released(self) -> None:
        """Refuse one that was."""
        if self.released:
            raise NetworkStateError(self, "was released", "make another one")

    def release(self) -> None:
        """Give its addresses back to the subnets. It can't be used any more. Idempotent."""
        self.segment.plugs.check_free(self, self.peer)
        if not self.released:
            self.released = True
            self.segment.forget(self)


@final
class Segment:
    """A bridge, or a wire, of an open network."""

    __slots__ = ("_pool", "_ports", "description", "plugs")

    def __init__(self, description: SegmentDescription, plugs: Plugs) -> None:
        own = description.own if isinstance(description, Bridge) else ()
        self.description = description
        self.plugs = plugs
        self._pool = Pool(own, description.subnets)
        self._ports = 0

    def __repr__(self) -> str:
        return f"<{type(self.description).__name__} {self.name}>"

    @property
    def name(self) -> str:
        """Its name."""
        return self.description.name

    def port(self, *addresses: HostLike, name: str | None = None, mac: str | None = None) -> Port:
        """Take a port; without addresses it has the first free one of each subnet.

        ``name``: of the interface in the container; without one, ``eth0`` and so on. ``mac``: its
        hardware address. Nothing is made before a container is started with it.
        """
        self.plugs.hub.check_open(self)
        if self.plugs.index is None and self._ports == ENDS:
            raise NetworkArgumentError(self, "a wire has two ends; take a bridge for more")
        named = None if name is None else interface_name(name)
        hardware = hardware_address(mac)
        found = self._pool.take(addresses)
        self._ports += 1
        return Port(self, found, self.plugs.hub.new_name(), named, hardware)

    def forget(self, port: Port) -> None:
        """Make the addresses of a port free, which was released."""
        self._pool.give_back(port.addresses)
        self._ports -= 1
