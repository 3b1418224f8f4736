"""Bridge and Wire: what containers are plugged into. Values; making one does nothing."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_interface
from itertools import combinations
from typing import TypeAlias, final

from attrs import field, frozen

from .addresses import (
    HostAddress,
    HostLike,
    Subnet,
    check_host,
    each,
    interface_name,
    mtu_size,
)
from .errors import NetworkArgumentError

__all__ = ["Bridge", "SegmentDescription", "Wire"]


def with_subnets(given: Iterable[HostLike] | HostLike) -> tuple[HostAddress, ...]:
    """Return subnets, each with the address that somebody has in it, or with that of none."""
    found: list[HostAddress] = []
    for value in each(given):
        try:
            one = ip_interface(value)
        except ValueError as error:
            raise NetworkArgumentError(repr(value), str(error)) from None
        if one.network.num_addresses == 1:
            raise NetworkArgumentError(
                one, "a subnet has room for two hosts at least: add its size, such as /24"
            )
        if one.ip != one.network.network_address:
            check_host(one)
        found.append(one)
    for one, other in combinations(found, 2):
        if one.version == other.version and one.network.overlaps(other.network):
            raise NetworkArgumentError(f"{one}, {other}", "these subnets overlap")
    return tuple(found)


@final
@frozen
class Bridge:
    """A switch that any number of containers are plugged into.

    ``addresses``: its subnets, each with the bridge's own address in it, ``10.77.0.1/24``, or
    without one, ``10.77.0.0/24``. ``mtu``: the largest packet, in bytes.
    """

    name: str = field(converter=interface_name)
    addresses: tuple[HostAddress, ...] = field(default=(), converter=with_subnets)
    mtu: int | None = field(default=None, converter=mtu_size, kw_only=True)

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """What the addresses of its ports are in."""
        return tuple(one.network for one in self.addresses)

    @property
    def own(self) -> tuple[HostAddress, ...]:
        """The addresses that the bridge has itself."""
        return tuple(one for one in self.addresses if one.ip != one.network.network_address)


@final
@frozen
class Wire:
    """A veth pair between two containers. ``subnets``: what their addresses are in.

    It goes with the first of both that ends; then the other one must end too, before a port of it
    can be used again.
    """

    name: str = field(converter=interface_name)
    addresses: tuple[HostAddress, ...] = field(default=(), converter=with_subnets, alias="subnets")
    mtu: int | None = field(default=None, converter=mtu_size, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for one in self.addresses:
            if one.ip != one.network.network_address:
                raise NetworkArgumentError(
                    one, f"a wire has no address of its own: write the subnet, {one.network}"
                )

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """What the addresses of its ports are in."""
        return tuple(one.network for one in self.addresses)


SegmentDescription: TypeAlias = Bridge | Wire
