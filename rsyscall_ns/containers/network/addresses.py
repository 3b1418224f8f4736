"""Addresses, subnets and names of interfaces: how they are read, and which are refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Final, TypeAlias, final

from rsyscall_ns.near.abi.if_h import IFNAMSIZ
from rsyscall_ns.near.ids import fit

from .errors import NetworkArgumentError

__all__ = [
    "Host",
    "HostAddress",
    "HostLike",
    "Pool",
    "Subnet",
    "check_distinct",
    "each",
    "hardware_address",
    "interface_name",
    "mtu_size",
    "read_address",
    "read_addresses",
    "read_host",
    "read_target",
]

HostAddress: TypeAlias = IPv4Interface | IPv6Interface  # with its subnet
Host: TypeAlias = IPv4Address | IPv6Address
Subnet: TypeAlias = IPv4Network | IPv6Network
HostLike: TypeAlias = str | IPv4Address | IPv6Address | IPv4Interface | IPv6Interface

HARDWARE: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)
SMALLEST, LARGEST = 68, 65535  # bytes of a packet
DEFAULT: Final = ("0.0.0.0/0", "::/0")


def each(given: Iterable[HostLike] | HostLike) -> tuple[HostLike, ...]:
    """Return several addresses, of which one may have been given alone."""
    if isinstance(given, str | IPv4Address | IPv6Address):  # interfaces are addresses too
        return (given,)
    return tuple(given)


def interface_name(value: object) -> str:
    """Return a name that an interface can have. ``dev_valid_name`` in the kernel."""
    if not isinstance(value, str) or not value or value in {".", ".."}:
        raise NetworkArgumentError(repr(value), "no interface has such a name")
    if len(value.encode()) >= IFNAMSIZ:
        raise NetworkArgumentError(
            repr(value), f"an interface's name is {IFNAMSIZ - 1} bytes at the most"
        )
    if value == "lo":
        raise NetworkArgumentError(repr(value), "every network has a loopback interface already")
    for letter in value:
        if letter in "/:%\0" or letter.isspace():
            raise NetworkArgumentError(repr(value), f"an interface's name has no {letter!r}")
    return value


def mtu_size(value: int | None) -> int | None:
    """Return a size of packets that IPv4 allows."""
    return None if value is None else fit("mtu", value, SMALLEST, LARGEST)


def hardware_address(value: str | None) -> str | None:
    """Return a hardware address that one interface can have."""
    if value is None:
        return None
    if not HARDWARE.fullmatch(value) or int(value[:2], 16) & 1 or not value.strip("0:"):
        raise NetworkArgumentError(
            repr(value), "a hardware address is such as '02:00:00:00:00:07', of one interface"
        )
    return value.lower()


def read_address(value: HostLike) -> HostAddress:
    """Return a host's address with its subnet."""
    try:
        found = ip_interface(value)
    except ValueError as error:
        raise NetworkArgumentError(repr(value), str(error)) from None
    check_host(found)
    return found


def read_addresses(given: Iterable[HostLike] | HostLike) -> tuple[HostAddress, ...]:
    """Return the addresses of one interface."""
    return tuple(map(read_address, each(given)))


def check_host(found: HostAddress) -> None:
    """Refuse an address that no host can have."""
    subnet: Subnet = found.network
    if found.is_multicast or found.is_unspecified or found.is_loopback:
        raise NetworkArgumentError(found, "no host has this address on a network")
    if subnet.max_prefixlen - subnet.prefixlen > 1:
        if found.ip == subnet.network_address:
            raise NetworkArgumentError(found, "this is the subnet itself, no host of it")
        if isinstance(subnet, IPv4Network) and found.ip == subnet.broadcast_address:
            raise NetworkArgumentError(found, "this is all hosts of the subnet at once")


def read_host(value: HostLike) -> Host:
    """Return an address alone."""
    try:
        return ip_address(value) if isinstance(value, str) else ip_interface(value).ip
    except ValueError as error:
        raise NetworkArgumentError(repr(value), str(error)) from None


def read_target(value: str | Subnet, via: Host | None) -> Subnet:
    """Return where a route leads to; ``default`` is everything of the gateway's kind."""
    if value == "default":
        return ip_network(DEFAULT[via is not None and via.version == 6])  # noqa: PLR2004 - IPv6
    try:
        return ip_network(value)
    except ValueError as error:
        raise NetworkArgumentError(repr(value), str(error)) from None


def check_distinct(addresses: Iterable[HostAddress]) -> None:
    """Refuse an address that there is twice."""
    seen: set[Host] = set()
    for address in addresses:
        if address.ip in seen:
            raise NetworkArgumentError(address.ip, "there is this address twice")
        seen.add(address.ip)


@final
class Pool:
    """The hosts of some subnets, and which of them are taken."""

    __slots__ = ("_taken", "subnets")

    def __init__(self, own: Iterable[HostAddress], subnets: Iterable[Subnet]) -> None:
        """``own``: those that are taken from the start."""
        self.subnets = tuple(subnets)
        self._taken: set[Host] = {address.ip for address in own}

    def place(self, value: HostLike) -> HostAddress:
        """Return an address with the subnet that it is in."""
        try:
            given = ip_interface(value)
        except ValueError as error:
            raise NetworkArgumentError(repr(value), str(error)) from None
        for subnet in self.subnets:
            if given.ip in subnet:
                found = ip_interface(f"{given.ip}/{subnet.prefixlen}")
                if given.network not in {subnet, ip_interface(given.ip).network}:
                    raise NetworkArgumentError(given, f"the subnet is {subnet}")
                check_host(found)
                return found
        subnets = ", ".join(map(str, self.subnets)) or "none"
        raise NetworkArgumentError(given, f"it is in no subnet of the network, which has {subnets}")

    def take(self, wanted: Iterable[HostLike]) -> tuple[HostAddress, ...]:
        """Take those that are wanted; where none is, the first free one of each subnet."""
        found = tuple(self.place(value) for value in wanted)
        check_distinct(found)
        for address in found:
            if address.ip in self._taken:
                raise NetworkArgumentError(address.ip, "somebody has this address already")
        if not found:
            found = tuple(self._free(subnet) for subnet in self.subnets)
        self._taken |= {address.ip for address in found}
        return found

    def _free(self, subnet: Subnet) -> HostAddress:
        for host in subnet.hosts():
            if host not in self._taken:
                return ip_interface(f"{host}/{subnet.prefixlen}")
        raise NetworkArgumentError(subnet, "all addresses of this subnet are taken")

    def give_back(self, addresses: Iterable[HostAddress]) -> None:
        """Make them free."""
        self._taken -= {address.ip for address in addresses}
