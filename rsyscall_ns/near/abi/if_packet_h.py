"""``<linux/if_packet.h>``: options and structs of packet sockets."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from .layout import CStruct, c_struct, chars, i32, u16, u32

__all__ = [
    "PACKET",
    "PACKET_FANOUT",
    "PACKET_MR",
    "PacketMreq",
    "PacketType",
    "TpacketAuxdata",
    "TpacketStats",
]


class PACKET(IntEnum):
    """``PACKET_*``: options of level ``SOL.PACKET``."""

    ADD_MEMBERSHIP = 1
    DROP_MEMBERSHIP = 2
    RECV_OUTPUT = 3
    RX_RING = 5
    STATISTICS = 6
    COPY_THRESH = 7
    AUXDATA = 8
    ORIGDEV = 9
    VERSION = 10
    HDRLEN = 11
    RESERVE = 12
    TX_RING = 13
    LOSS = 14
    VNET_HDR = 15
    TX_TIMESTAMP = 16
    TIMESTAMP = 17
    FANOUT = 18
    TX_HAS_OFF = 19
    QDISC_BYPASS = 20
    ROLLOVER_STATS = 21
    FANOUT_DATA = 22
    IGNORE_OUTGOING = 23
    VNET_HDR_SZ = 24


class PacketType(IntEnum):
    """``PACKET_*``: where a packet was going."""

    HOST = 0
    BROADCAST = 1
    MULTICAST = 2
    OTHERHOST = 3
    OUTGOING = 4
    LOOPBACK = 5
    USER = 6
    KERNEL = 7
    FASTROUTE = 6


class PACKET_FANOUT(IntEnum):  # noqa: N801 - the C prefix
    """``PACKET_FANOUT_*``: how packets are spread over several sockets."""

    HASH = 0
    LB = 1
    CPU = 2
    ROLLOVER = 3
    RND = 4
    QM = 5
    CBPF = 6
    EBPF = 7
    FLAG_ROLLOVER = 4096
    FLAG_UNIQUEID = 8192
    FLAG_DEFRAG = 32768


class PACKET_MR(IntEnum):  # noqa: N801 - the C prefix
    """``PACKET_MR_*``: types of a membership."""

    MULTICAST = 0
    PROMISC = 1
    ALLMULTI = 2
    UNICAST = 3


@c_struct
class PacketMreq(CStruct):
    """``struct packet_mreq``: what else is to be received from an interface."""

    C_NAME: ClassVar = "struct packet_mreq"
    C_HEADER: ClassVar = "linux/if_packet.h"
    ifindex: int = i32(c_name="mr_ifindex")
    type: PACKET_MR = u16(PACKET_MR, c_name="mr_type")
    alen: int = u16(c_name="mr_alen")
    address: bytes = chars(8, c_name="mr_address")


@c_struct
class TpacketAuxdata(CStruct):
    """``struct tpacket_auxdata``: what the control message ``PACKET.AUXDATA`` tells."""

    C_NAME: ClassVar = "struct tpacket_auxdata"
    C_HEADER: ClassVar = "linux/if_packet.h"
    status: int = u32(c_name="tp_status")
    len: int = u32(c_name="tp_len")
    snaplen: int = u32(c_name="tp_snaplen")
    mac: int = u16(c_name="tp_mac")
    net: int = u16(c_name="tp_net")
    vlan_tci: int = u16(c_name="tp_vlan_tci")
    vlan_tpid: int = u16(c_name="tp_vlan_tpid")


@c_struct
class TpacketStats(CStruct):
    """``struct tpacket_stats``: how many packets came and were lost (``PACKET.STATISTICS``)."""

    C_NAME: ClassVar = "struct tpacket_stats"
    C_HEADER: ClassVar = "linux/if_packet.h"
    packets: int = u32(c_name="tp_packets")
    drops: int = u32(c_name="tp_drops")
