"""Network and Route: what one container has, checked against itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import TypeAlias, final

from attrs import field, frozen

from .addresses import (
    Host,
    HostLike,
    Subnet,
    check_distinct,
    each,
    interface_name,
    read_host,
    read_target,
)
from .errors import NetworkArgumentError
from .interfaces import HostVeth, TunDevice
from .messages import check_extra
from .ports import Port

__all__ = ["Interface", "Network", "Route"]

Interface: TypeAlias = Port | HostVeth | TunDevice


def host_or_none(value: HostLike | None) -> Host | None:
    return None if value is None else read_host(value)


def name_or_none(value: str | None) -> str | None:
    return None if value is None else interface_name(value)


@final
@frozen
class Route:
    """Packets to ``target`` go to the gateway ``via``, or without one out of ``device``.

    ``target``: a subnet, or ``default``, which is everything.
    """

    target: str | Subnet
    via: Host | None = field(default=None, converter=host_or_none)
    device: str | None = field(default=None, converter=name_or_none)

    def __attrs_post_init__(self) -> None:
        if self.via is None and self.device is None:
            raise NetworkArgumentError(self, "a route needs a gateway (via) or a device")
        if self.via is not None and self.via.version != self.subnet.version:
            raise NetworkArgumentError(self, "the gateway is of another version of IP")

    @property
    def subnet(self) -> Subnet:
        """Where it leads to."""
        return read_target(self.target, self.via)


def hosts(given: Iterable[HostLike] | HostLike) -> tuple[Host, ...]:
    return tuple(map(read_host, each(given)))


def all_interfaces(given: Iterable[Interface]) -> tuple[Interface, ...]:
    return tuple(given)


def all_routes(given: Iterable[Route]) -> tuple[Route, ...]:
    return tuple(given)


@final
@frozen
class Network:
    """What a container has besides its loopback interface.

    ``interfaces``: ports, ``HostVeth``, ``TunDevice``. ``gateway``: where everything goes that
    no interface reaches, one for each version of IP. ``routes``: further ones.
    """

    interfaces: tuple[Interface, ...] = field(converter=all_interfaces)
    routes: tuple[Route, ...] = field(default=(), converter=all_routes)
    gateway: tuple[Host, ...] = field(default=(), converter=hosts, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for one in self.interfaces:
            # what a program without types has given
            if not isinstance(one, Port | HostVeth | TunDevice):  # pyright: ignore[reportUnnecessaryIsInstance] - as said
                raise NetworkArgumentError(repr(one), "a Port, a HostVeth or a TunDevice")
        self._check_names()
        if len(set(self.ports)) < len(self.ports):
            raise NetworkArgumentError("ports", "a container has one of them twice")
        check_distinct(address for one in self.interfaces for address in one.addresses)
        targets: set[Subnet] = set()
        for route in self.every_route:
            self._check_route(route)
            if route.subnet in targets:
                raise NetworkArgumentError(route.subnet, "there are two routes to it")
            targets.add(route.subnet)
        check_extra()

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports among the interfaces."""
        return tuple(one for one in self.interfaces if isinstance(one, Port))

    @property
    def every_route(self) -> tuple[Route, ...]:
        """All routes, the default ones last."""
        return (*self.routes, *(Route("default", host) for host in self.gateway))

    def named(self) -> Iterator[tuple[str, Interface]]:
        """Yield each interface by its name in the container."""
        taken = {one.name for one in self.interfaces}
        free = (name for name in map("eth{}".format, count()) if name not in taken)
        for one in self.interfaces:
            yield one.name or next(free), one

    def _check_names(self) -> None:
        inside = [one.name for one in self.interfaces if one.name is not None]
        outside = [one.host_name for one in self.interfaces if isinstance(one, HostVeth)]
        for names in (inside, outside):
            for name in names:
                if names.count(name) > 1:
                    raise NetworkArgumentError(repr(name), "two interfaces have this name")

    def _check_route(self, route: Route) -> None:
        if route.device is not None and route.device not in dict(self.named()):
            raise NetworkArgumentError(route, f"there is no interface {route.device!r}")
        via = route.via
        if via is None or (via.is_link_local and route.device is not None):
            return
        near = [
            address
            for name, one in self.named()
            for address in one.addresses
            if route.device in {None, name} and via in address.network
        ]
        if not near:
            raise NetworkArgumentError(via, "no interface reaches this gateway")
        if any(via == address.ip for address in near):
            raise NetworkArgumentError(via, "the container itself would be this gateway")
