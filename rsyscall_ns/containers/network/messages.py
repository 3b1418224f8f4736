"""Messages of ``rtnetlink(7)``, written by pyroute2, which is loaded when it is first needed.

Knows no sockets. Each function returns a message's type and what follows its header.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from ipaddress import IPv4Interface
from typing import Final, Protocol

import trio
from attrs import frozen

from rsyscall_ns.near.abi.if_h import IFF
from rsyscall_ns.near.abi.netlink_h import Nlmsghdr
from rsyscall_ns.near.abi.socket_h import AF

from .addresses import Host, HostAddress, Subnet
from .errors import NetworkExtraMissingError

__all__ = ["Message", "add_address", "add_route", "check_extra", "delete_link", "load_extra"]
__all__ += ["make_bridge", "make_veth", "move_link", "set_link"]

NEWLINK, DELLINK, SETLINK, NEWADDR, NEWROUTE = 16, 17, 19, 20, 24  # RTM_
NODAD: Final = 0x02  # IFA_F_NODAD
MAIN_TABLE, STATIC, UNICAST, UNIVERSE, LINK_SCOPE = 254, 4, 1, 0, 253  # RT_TABLE_, RTPROT_ ...
HOME: Final = "pyroute2.netlink.rtnl."
MODULES: Final = ("ifinfmsg", "ifaddrmsg", "rtmsg")
HEADER: Final = Nlmsghdr.sizeof()
UP: Final = {"flags": int(IFF.UP), "change": int(IFF.UP)}


class Written(Protocol):
    """What pyroute2 makes of fields and attributes."""

    data: bytearray

    def encode(self) -> None:
        """Write ``data``, with a header."""

    def __setitem__(self, key: str, value: object) -> None: ...


Attribute = tuple[str, object]


@frozen
class Message:
    """A request. ``what``: its error begins with that."""

    kind: int
    body: bytes
    what: str


def check_extra() -> None:
    """Refuse where pyroute2 is not installed."""
    if find_spec("pyroute2") is None:
        raise NetworkExtraMissingError


async def load_extra() -> None:
    """Import what is used of it: in a thread, since that takes most of a second."""
    check_extra()
    if all(HOME + name in sys.modules for name in MODULES):
        await trio.lowlevel.checkpoint()
        return
    await trio.to_thread.run_sync(load)


def load() -> None:
    """Import it."""
    for name in MODULES:
        import_module(HOME + name)


def write(module: str, kind: int, what: str, attributes: list[Attribute], **fields: int) -> Message:
    make: Callable[[], Written] = getattr(import_module(HOME + module), module)
    written = make()
    for name, value in fields.items():
        written[name] = value
    written["attrs"] = attributes
    written.encode()
    return Message(kind, bytes(written.data)[HEADER:], what)


def present(**values: object) -> list[Attribute]:
    """Return the attributes that have a value."""
    return [(f"IFLA_{name.upper()}", value) for name, value in values.items() if value is not None]


def nested(*attributes: Attribute) -> dict[str, list[Attribute]]:
    return {"attrs": list(attributes)}


def make_bridge(name: str, mtu: int | None) -> Message:
    """Return what makes a bridge, which is up."""
    kind = nested(("IFLA_INFO_KIND", "bridge"))
    attributes = present(ifname=name, mtu=mtu, linkinfo=kind)
    return write("ifinfmsg", NEWLINK, f"bridge {name!r}", attributes, **UP)


def make_veth(name: str, peer: str, netns: int, *, master: int | None, mtu: int | None) -> Message:
    """Return what makes a veth pair; ``peer`` is born in the namespace of an fd of the sender's.

    ``master``: the bridge that the other end is in. That end is up.
    """
    data = nested(("VETH_INFO_PEER", nested(*present(ifname=peer, net_ns_fd=netns))))
    kind = nested(("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", data))
    attributes = present(ifname=name, mtu=mtu, master=master, linkinfo=kind)
    what = f"veth pair of {peer!r} and {name!r}"
    return write("ifinfmsg", NEWLINK, what, attributes, **UP)


def move_link(index: int, name: str, new: str, netns: int) -> Message:
    """Return what moves an interface to the namespace of an fd of the sender's, and renames it.

    What has moved is down.
    """
    attributes = present(ifname=new, net_ns_fd=netns)
    return write("ifinfmsg", SETLINK, f"moving of {name!r}", attributes, index=index)


def set_link(index: int, name: str, *, mtu: int | None = None, mac: str | None = None) -> Message:
    """Return what brings an interface up, with a size of packets, and an address, where given."""
    attributes = present(mtu=mtu, address=mac)
    return write("ifinfmsg", SETLINK, f"interface {name!r}", attributes, index=index, **UP)


def delete_link(name: str) -> Message:
    """Return what removes an interface; of a veth pair both ends."""
    return write("ifinfmsg", DELLINK, f"removal of {name!r}", present(ifname=name))


def add_address(index: int, name: str, address: HostAddress) -> Message:
    """Return what gives an address to an interface; nobody looks whether others have it."""
    own = str(address.ip)
    attributes: list[Attribute] = [("IFA_LOCAL", own), ("IFA_ADDRESS", own)]
    if isinstance(address, IPv4Interface):
        family = AF.INET
        if address.network.num_addresses > 2:  # noqa: PLR2004 - the subnet, a host, and all hosts
            attributes.append(("IFA_BROADCAST", str(address.network.broadcast_address)))
    else:
        family = AF.INET6
    return write(
        "ifaddrmsg",
        NEWADDR,
        f"address {address} of {name!r}",
        attributes,
        index=index,
        family=family,
        prefixlen=address.network.prefixlen,
        flags=NODAD,
    )


def add_route(target: Subnet, via: Host | None, index: int | None) -> Message:
    """Return what adds a route."""
    attributes: list[Attribute] = []
    if target.prefixlen:
        attributes.append(("RTA_DST", str(target.network_address)))
    if via is not None:
        attributes.append(("RTA_GATEWAY", str(via)))
    if index is not None:
        attributes.append(("RTA_OIF", index))
    return write(
        "rtmsg",
        NEWROUTE,
        f"route to {target}",
        attributes,
        family=AF.INET if target.version == 4 else AF.INET6,  # noqa: PLR2004 - IPv4
        dst_len=target.prefixlen,
        table=MAIN_TABLE,
        proto=STATIC,
        type=UNICAST,
        scope=UNIVERSE if via is not None else LINK_SCOPE,
    )
