"""``<linux/netlink.h>``: netlink messages, how they are made and taken apart."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, i32, nested, u16, u32

__all__ = ["NETLINK", "NLMSG", "NLM_F", "NetlinkOption", "NlPktinfo", "Nlmsgerr", "Nlmsghdr"]


class NETLINK(IntEnum):
    """``NETLINK_*``: protocols of netlink sockets."""

    ROUTE = 0
    UNUSED = 1
    USERSOCK = 2
    FIREWALL = 3
    SOCK_DIAG = 4
    NFLOG = 5
    XFRM = 6
    SELINUX = 7
    ISCSI = 8
    AUDIT = 9
    FIB_LOOKUP = 10
    CONNECTOR = 11
    NETFILTER = 12
    IP6_FW = 13
    DNRTMSG = 14
    KOBJECT_UEVENT = 15
    GENERIC = 16
    SCSITRANSPORT = 18
    ECRYPTFS = 19
    RDMA = 20
    CRYPTO = 21
    SMC = 22
    INET_DIAG = 4


class NetlinkOption(IntEnum):
    """``NETLINK_*``: options of level ``SOL.NETLINK``."""

    ADD_MEMBERSHIP = 1
    DROP_MEMBERSHIP = 2
    PKTINFO = 3
    BROADCAST_ERROR = 4
    NO_ENOBUFS = 5
    RX_RING = 6
    TX_RING = 7
    LISTEN_ALL_NSID = 8
    LIST_MEMBERSHIPS = 9
    CAP_ACK = 10
    EXT_ACK = 11
    GET_STRICT_CHK = 12


class NLM_F(IntFlag):  # noqa: N801 - the C prefix
    """``NLM_F_*``: flags of a message; several names depend on its type."""

    REQUEST = 1
    MULTI = 2
    ACK = 4
    ECHO = 8
    DUMP_INTR = 0x10
    DUMP_FILTERED = 0x20
    ROOT = 0x100
    MATCH = 0x200
    ATOMIC = 0x400
    DUMP = 0x300
    REPLACE = 0x100
    EXCL = 0x200
    CREATE = 0x400
    APPEND = 0x800
    NONREC = 0x100
    BULK = 0x200
    CAPPED = 0x100
    ACK_TLVS = 0x200


class NLMSG(IntEnum):
    """``NLMSG_*``: types of messages that all protocols have."""

    NOOP = 1
    ERROR = 2
    DONE = 3
    OVERRUN = 4


@c_struct
class Nlmsghdr(CStruct):
    """``struct nlmsghdr``: what a message begins with. ``len`` counts it too."""

    C_NAME: ClassVar = "struct nlmsghdr"
    C_HEADER: ClassVar = "linux/netlink.h"
    len: int = u32(c_name="nlmsg_len")
    type: int = u16(c_name="nlmsg_type")
    flags: NLM_F = u16(NLM_F, c_name="nlmsg_flags")
    seq: int = u32(c_name="nlmsg_seq")
    pid: int = u32(c_name="nlmsg_pid")


@c_struct
class Nlmsgerr(CStruct):
    """``struct nlmsgerr``: what a message of type ``NLMSG.ERROR`` begins with; 0 is success."""

    C_NAME: ClassVar = "struct nlmsgerr"
    C_HEADER: ClassVar = "linux/netlink.h"
    error: int = i32()
    msg: Nlmsghdr = nested(Nlmsghdr)


@c_struct
class NlPktinfo(CStruct):
    """``struct nl_pktinfo``: the multicast group that a message came by."""

    C_NAME: ClassVar = "struct nl_pktinfo"
    C_HEADER: ClassVar = "linux/netlink.h"
    group: int = u32()
