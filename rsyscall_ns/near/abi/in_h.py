"""``<netinet/in.h>``, ``<netinet/udp.h>``: protocols, options of IPv4, IPv6 and UDP."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from .layout import CStruct, c_struct, chars, i32, u32

__all__ = [
    "IP",
    "IPPROTO",
    "IPV6",
    "IP_PMTUDISC",
    "MCAST",
    "UDP",
    "In6Pktinfo",
    "InPktinfo",
    "IpMreqn",
    "Ipv6Mreq",
]


class IPPROTO(IntEnum):
    """``IPPROTO_*``: protocols; also levels of options."""

    IP = 0
    HOPOPTS = 0
    ICMP = 1
    IGMP = 2
    IPIP = 4
    TCP = 6
    EGP = 8
    PUP = 12
    UDP = 17
    IDP = 22
    TP = 29
    DCCP = 33
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    RSVP = 46
    GRE = 47
    ESP = 50
    AH = 51
    ICMPV6 = 58
    NONE = 59
    DSTOPTS = 60
    MTP = 92
    BEETPH = 94
    ENCAP = 98
    PIM = 103
    COMP = 108
    L2TP = 115
    SCTP = 132
    MH = 135
    UDPLITE = 136
    MPLS = 137
    ETHERNET = 143
    RAW = 255
    MPTCP = 262
    SMC = 256


class IP(IntEnum):
    """``IP_*``: options of level ``SOL.IP``."""

    TOS = 1
    TTL = 2
    HDRINCL = 3
    OPTIONS = 4
    ROUTER_ALERT = 5
    RECVOPTS = 6
    RETOPTS = 7
    PKTINFO = 8
    PKTOPTIONS = 9
    MTU_DISCOVER = 10
    RECVERR = 11
    RECVTTL = 12
    RECVTOS = 13
    MTU = 14
    FREEBIND = 15
    IPSEC_POLICY = 16
    XFRM_POLICY = 17
    PASSSEC = 18
    TRANSPARENT = 19
    RECVRETOPTS = 7
    ORIGDSTADDR = 20
    RECVORIGDSTADDR = 20
    MINTTL = 21
    NODEFRAG = 22
    CHECKSUM = 23
    BIND_ADDRESS_NO_PORT = 24
    RECVFRAGSIZE = 25
    RECVERR_RFC4884 = 26
    MULTICAST_IF = 32
    MULTICAST_TTL = 33
    MULTICAST_LOOP = 34
    ADD_MEMBERSHIP = 35
    DROP_MEMBERSHIP = 36
    UNBLOCK_SOURCE = 37
    BLOCK_SOURCE = 38
    ADD_SOURCE_MEMBERSHIP = 39
    DROP_SOURCE_MEMBERSHIP = 40
    MSFILTER = 41
    MULTICAST_ALL = 49
    UNICAST_IF = 50
    LOCAL_PORT_RANGE = 51
    PROTOCOL = 52


class IP_PMTUDISC(IntEnum):  # noqa: N801 - the C prefix
    """``IP_PMTUDISC_*``, ``IPV6_PMTUDISC_*``: values of the options ``MTU_DISCOVER``."""

    DONT = 0
    WANT = 1
    DO = 2
    PROBE = 3
    INTERFACE = 4
    OMIT = 5


class MCAST(IntEnum):
    """``MCAST_*``: multicast options of the levels ``SOL.IP`` and ``SOL.IPV6``."""

    JOIN_GROUP = 42
    BLOCK_SOURCE = 43
    UNBLOCK_SOURCE = 44
    LEAVE_GROUP = 45
    JOIN_SOURCE_GROUP = 46
    LEAVE_SOURCE_GROUP = 47
    MSFILTER = 48


class IPV6(IntEnum):
    """``IPV6_*``: options of level ``SOL.IPV6``."""

    ADDRFORM = 1
    CHECKSUM = 7
    NEXTHOP = 9
    AUTHHDR = 10
    FLOWINFO = 11
    UNICAST_HOPS = 16
    MULTICAST_IF = 17
    MULTICAST_HOPS = 18
    MULTICAST_LOOP = 19
    ADD_MEMBERSHIP = 20
    DROP_MEMBERSHIP = 21
    ROUTER_ALERT = 22
    MTU_DISCOVER = 23
    MTU = 24
    RECVERR = 25
    V6ONLY = 26
    JOIN_ANYCAST = 27
    LEAVE_ANYCAST = 28
    MULTICAST_ALL = 29
    ROUTER_ALERT_ISOLATE = 30
    RECVERR_RFC4884 = 31
    FLOWLABEL_MGR = 32
    FLOWINFO_SEND = 33
    IPSEC_POLICY = 34
    XFRM_POLICY = 35
    HDRINCL = 36
    RECVPKTINFO = 49
    PKTINFO = 50
    RECVHOPLIMIT = 51
    HOPLIMIT = 52
    RECVHOPOPTS = 53
    HOPOPTS = 54
    RTHDRDSTOPTS = 55
    RECVRTHDR = 56
    RTHDR = 57
    RECVDSTOPTS = 58
    DSTOPTS = 59
    RECVPATHMTU = 60
    PATHMTU = 61
    DONTFRAG = 62
    RECVTCLASS = 66
    TCLASS = 67
    AUTOFLOWLABEL = 70
    ADDR_PREFERENCES = 72
    MINHOPCOUNT = 73
    ORIGDSTADDR = 74
    RECVORIGDSTADDR = 74
    TRANSPARENT = 75
    UNICAST_IF = 76
    RECVFRAGSIZE = 77
    FREEBIND = 78


class UDP(IntEnum):
    """``UDP_*``: options of level ``SOL.UDP``."""

    CORK = 1
    ENCAP = 100
    NO_CHECK6_TX = 101
    NO_CHECK6_RX = 102
    SEGMENT = 103
    GRO = 104


@c_struct
class IpMreqn(CStruct):
    """``struct ip_mreqn``: a multicast group, and the interface by address or index."""

    C_NAME: ClassVar = "struct ip_mreqn"
    C_HEADER: ClassVar = "netinet/in.h"
    multiaddr: bytes = chars(4, c_name="imr_multiaddr", alignment=4)
    address: bytes = chars(4, c_name="imr_address", alignment=4)
    ifindex: int = i32(c_name="imr_ifindex")


@c_struct
class InPktinfo(CStruct):
    """``struct in_pktinfo``: by which interface, and to which address, a packet came or goes."""

    C_NAME: ClassVar = "struct in_pktinfo"
    C_HEADER: ClassVar = "netinet/in.h"
    ifindex: int = i32(c_name="ipi_ifindex")
    spec_dst: bytes = chars(4, c_name="ipi_spec_dst", alignment=4)
    addr: bytes = chars(4, c_name="ipi_addr", alignment=4)


@c_struct
class Ipv6Mreq(CStruct):
    """``struct ipv6_mreq``: an IPv6 multicast group, and the index of the interface."""

    C_NAME: ClassVar = "struct ipv6_mreq"
    C_HEADER: ClassVar = "netinet/in.h"
    multiaddr: bytes = chars(16, c_name="ipv6mr_multiaddr", alignment=4)
    interface: int = u32(c_name="ipv6mr_interface")


@c_struct
class In6Pktinfo(CStruct):
    """``struct in6_pktinfo``: which address a packet was sent to, or is sent from."""

    C_NAME: ClassVar = "struct in6_pktinfo"
    C_HEADER: ClassVar = "netinet/in.h"
    addr: bytes = chars(16, c_name="ipi6_addr", alignment=4)
    ifindex: int = u32(c_name="ipi6_ifindex")
