"""Sockets: families, types, levels, options, flags, netlink, packet sockets."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    AF,
    ALG,
    ALG_OP,
    ETH_P,
    MSG,
    NETLINK,
    NLM_F,
    NLMSG,
    PACKET,
    PACKET_FANOUT,
    PACKET_MR,
    SCM,
    SHUT,
    SO,
    SO_VM_SOCKETS,
    SOCK,
    SOF_TIMESTAMPING,
    SOL,
    VMADDR_CID,
    VMADDR_FLAG,
    VMADDR_PORT_ANY,
    NetlinkOption,
    PacketType,
    SoEeOrigin,
)

HEADERS: Final = (
    "sys/socket.h",
    "netinet/in.h",
    "netinet/tcp.h",
    "netinet/udp.h",
    "asm/socket.h",
    "linux/if_alg.h",
    "linux/if_ether.h",
    "linux/if_packet.h",
    "linux/net_tstamp.h",
    "linux/netlink.h",
    "linux/vm_sockets.h",
    "time.h",
    "linux/errqueue.h",
)
ENUMS: Final = {
    "AF_": AF,
    "ALG_": ALG,
    "ALG_OP_": ALG_OP,
    "ETH_P_": ETH_P,
    "MSG_": MSG,
    "NETLINK_": NETLINK,
    "NLM_F_": NLM_F,
    "NLMSG_": NLMSG,
    "PACKET_": PACKET,
    "PACKET_FANOUT_": PACKET_FANOUT,
    "PACKET_MR_": PACKET_MR,
    "SCM_": SCM,
    "SHUT_": SHUT,
    "SO_": SO,
    "SO_EE_ORIGIN_": SoEeOrigin,
    "SO_VM_SOCKETS_": SO_VM_SOCKETS,
    "SOCK_": SOCK,
    "SOF_TIMESTAMPING_": SOF_TIMESTAMPING,
    "SOL_": SOL,
    "VMADDR_CID_": VMADDR_CID,
    "VMADDR_FLAG_": VMADDR_FLAG,
}
NAMES: Final = {
    "VMADDR_PORT_ANY": VMADDR_PORT_ANY,
    **{f"NETLINK_{option.name}": int(option) for option in NetlinkOption},
    **{f"PACKET_{kind.name}": int(kind) for kind in PacketType},
}
