"""Sockets, network interfaces, netlink."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    AF,
    IFF,
    NETLINK,
    SHUT,
    SO,
    SOCK,
    SOL,
    Message,
    SockaddrIn,
    SocketFD,
)

from .world import Call

__all__ = ["TABLE"]

NOWHERE: Final = SockaddrIn("127.0.0.1", 1)
TABLE: Final[dict[str, Call]] = {
    "ByteSocket.inq": lambda w: w.socket.inq(),
    "ByteSocket.outq": lambda w: w.socket.outq(),
    "ByteSocket.recv": lambda w: w.socket.recv(1),
    "ByteSocket.recvfrom": lambda w: w.socket.recvfrom(1),
    "ByteSocket.send": lambda w: w.socket.send(b"a"),
    "ByteSocket.sendto": lambda w: w.socket.sendto(b"a", NOWHERE),
    "ByteSocket.sockatmark": lambda w: w.socket.sockatmark(),
    "Message.close": lambda w: Message(b"", [w.pidfd]).close(),
    "NamedSocket.accept": lambda w: w.socket.accept(),
    "NamedSocket.bind": lambda w: w.socket.bind(NOWHERE),
    "NamedSocket.connect": lambda w: w.socket.connect(NOWHERE),
    "NamedSocket.getpeername": lambda w: w.socket.getpeername(),
    "NamedSocket.getsockname": lambda w: w.socket.getsockname(),
    "NamedSocket.listen": lambda w: w.socket.listen(),
    "NamedSocket.shutdown": lambda w: w.socket.shutdown(SHUT.RDWR),
    "Net.if_indextoname": lambda w: w.task.net.if_indextoname(1),
    "Net.if_nametoindex": lambda w: w.task.net.if_nametoindex("lo"),
    "Net.netlink": lambda w: w.task.net.netlink(NETLINK.ROUTE, 18),
    "Net.set_up": lambda w: w.task.net.set_up(),
    "Net.socket": lambda w: w.task.net.socket(AF.INET, SOCK.STREAM),
    "Net.socketpair": lambda w: w.task.net.socketpair(),
    "NetDevice.address": lambda w: w.task.net.device("lo").address(),
    "NetDevice.flags": lambda w: w.task.net.device("lo").flags(),
    "NetDevice.hwaddr": lambda w: w.task.net.device("lo").hwaddr(),
    "NetDevice.index": lambda w: w.task.net.device("lo").index(),
    "NetDevice.mtu": lambda w: w.task.net.device("lo").mtu(),
    "NetDevice.netmask": lambda w: w.task.net.device("lo").netmask(),
    "NetDevice.rename": lambda w: w.task.net.device("none0").rename("other"),
    "NetDevice.set_address": lambda w: w.task.net.device("none0").set_address("127.0.0.1"),
    "NetDevice.set_down": lambda w: w.task.net.device("none0").set_down(),
    "NetDevice.set_flags": lambda w: w.task.net.device("none0").set_flags(IFF.UP),
    "NetDevice.set_hwaddr": lambda w: w.task.net.device("none0").set_hwaddr(bytes(6)),
    "NetDevice.set_mtu": lambda w: w.task.net.device("none0").set_mtu(1500),
    "NetDevice.set_netmask": lambda w: w.task.net.device("none0").set_netmask("255.0.0.0"),
    "NetDevice.set_txqueuelen": lambda w: w.task.net.device("none0").set_txqueuelen(1),
    "NetDevice.set_up": lambda w: w.task.net.device("none0").set_up(),
    "NetDevice.txqueuelen": lambda w: w.task.net.device("lo").txqueuelen(),
    "OptionSocket.attach_filter": lambda w: w.socket.attach_filter(bytes(8)),
    "OptionSocket.getsockopt": lambda w: w.socket.getsockopt(SOL.SOCKET, SO.TYPE),
    "OptionSocket.peer_groups": lambda w: w.socket.peer_groups(),
    "OptionSocket.setsockopt": lambda w: w.socket.setsockopt(SOL.SOCKET, SO.REUSEADDR, 1),
    "SocketFD.check_kind": lambda w: SocketFD.check_kind(w.file),
    "SocketFD.recvmmsg": lambda w: w.socket.recvmmsg(1),
    "SocketFD.recvmsg": lambda w: w.socket.recvmsg(),
    "SocketFD.sendmmsg": lambda w: w.socket.sendmmsg([Message(b"a")]),
    "SocketFD.sendmsg": lambda w: w.socket.sendmsg(b"a"),
}
