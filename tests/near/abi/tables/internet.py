"""Protocols of the internet and their options."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import IP, IP_PMTUDISC, IPPROTO, IPV6, MCAST, TCP, UDP

HEADERS: Final = ("linux/in.h", "linux/in6.h", "linux/tcp.h", "linux/udp.h")
ENUMS: Final = {
    "IP_": IP,
    "IP_PMTUDISC_": IP_PMTUDISC,
    "IPPROTO_": IPPROTO,
    "IPV6_": IPV6,
    "IPV6_PMTUDISC_": IP_PMTUDISC,
    "MCAST_": MCAST,
    "TCP_": TCP,
    "UDP_": UDP,
}
