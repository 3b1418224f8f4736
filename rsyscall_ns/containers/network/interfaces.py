"""HostVeth and TunDevice: interfaces that need no bridge. Values; making one does nothing."""

from __future__ import annotations

from typing import final

from attrs import field, frozen

from .addresses import (
    HostAddress,
    check_distinct,
    hardware_address,
    interface_name,
    mtu_size,
    read_addresses,
)

__all__ = ["HostVeth", "TunDevice"]


@final
@frozen
class HostVeth:
    """A veth pair: ``name`` in the container, ``host_name`` with whoever makes the container.

    That is the network of the caller, or of the container's ``task``; it takes CAP_NET_ADMIN
    there. Addresses have their subnets with them, ``192.0.2.1/30``. ``mtu``: of both ends; ``mac``:
    of the container's.
    """

    name: str = field(converter=interface_name)
    host_name: str = field(converter=interface_name)
    addresses: tuple[HostAddress, ...] = field(default=(), converter=read_addresses)
    host_addresses: tuple[HostAddress, ...] = field(default=(), converter=read_addresses)
    mtu: int | None = field(default=None, converter=mtu_size, kw_only=True)
    mac: str | None = field(default=None, converter=hardware_address, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_distinct((*self.addresses, *self.host_addresses))


@final
@frozen
class TunDevice:
    """A tun device, or with ``tap`` one of Ethernet; ``container.tuns[name]`` is its ``TunFD``.

    What the container sends there is read from that fd, without any protocol information before
    it, and what is written there it receives. ``/dev/net/tun`` is opened as the caller sees it.
    """

    name: str = field(converter=interface_name)
    addresses: tuple[HostAddress, ...] = field(default=(), converter=read_addresses)
    tap: bool = field(default=False, kw_only=True)
    mtu: int | None = field(default=None, converter=mtu_size, kw_only=True)
    mac: str | None = field(default=None, converter=hardware_address, kw_only=True)
