"""``<sys/socket.h>``: families, types, levels, flags of messages."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, i32, u32

__all__ = ["AF", "MSG", "SHUT", "SOCK", "SOL", "Linger", "Ucred"]


class AF(IntEnum):
    """``AF_*``: address families."""

    UNSPEC = 0
    UNIX = 1
    INET = 2
    AX25 = 3
    IPX = 4
    APPLETALK = 5
    NETROM = 6
    BRIDGE = 7
    ATMPVC = 8
    X25 = 9
    INET6 = 10
    ROSE = 11
    DECnet = 12
    NETBEUI = 13
    SECURITY = 14
    KEY = 15
    NETLINK = 16
    ROUTE = 16
    PACKET = 17
    ASH = 18
    ECONET = 19
    ATMSVC = 20
    RDS = 21
    SNA = 22
    IRDA = 23
    PPPOX = 24
    WANPIPE = 25
    LLC = 26
    IB = 27
    MPLS = 28
    CAN = 29
    TIPC = 30
    BLUETOOTH = 31
    IUCV = 32
    RXRPC = 33
    ISDN = 34
    PHONET = 35
    IEEE802154 = 36
    CAIF = 37
    ALG = 38
    NFC = 39
    VSOCK = 40
    KCM = 41
    QIPCRTR = 42
    SMC = 43
    XDP = 44
    MCTP = 45
    LOCAL = 1
    FILE = 1


class SOCK(IntFlag):
    """``SOCK_*``: socket types and creation flags."""

    STREAM = 1
    DGRAM = 2
    RAW = 3
    RDM = 4
    SEQPACKET = 5
    DCCP = 6
    PACKET = 10
    NONBLOCK = 0o4000
    CLOEXEC = 0o2000000


class SOL(IntEnum):
    """``SOL_*``: levels of socket options; those of a protocol are its ``IPPROTO`` too."""

    IP = 0
    SOCKET = 1
    TCP = 6
    UDP = 17
    IPV6 = 41
    ICMPV6 = 58
    RAW = 255
    DECNET = 261
    X25 = 262
    PACKET = 263
    ATM = 264
    AAL = 265
    IRDA = 266
    NETBEUI = 267
    LLC = 268
    DCCP = 269
    NETLINK = 270
    TIPC = 271
    RXRPC = 272
    PPPOL2TP = 273
    BLUETOOTH = 274
    PNPIPE = 275
    RDS = 276
    IUCV = 277
    CAIF = 278
    ALG = 279
    NFC = 280
    KCM = 281
    TLS = 282
    XDP = 283
    MPTCP = 284
    MCTP = 285
    SMC = 286
    VSOCK = 287


class SHUT(IntEnum):
    """``SHUT_*``: which direction shutdown ends."""

    RD = 0
    WR = 1
    RDWR = 2


class MSG(IntFlag):
    """``MSG_*``: flags of send and recv, and of what was received."""

    NONE = 0
    OOB = 1
    PEEK = 2
    DONTROUTE = 4
    TRYHARD = 4
    CTRUNC = 8
    PROXY = 0x10
    TRUNC = 0x20
    DONTWAIT = 0x40
    EOR = 0x80
    WAITALL = 0x100
    FIN = 0x200
    SYN = 0x400
    CONFIRM = 0x800
    RST = 0x1000
    ERRQUEUE = 0x2000
    NOSIGNAL = 0x4000
    MORE = 0x8000
    WAITFORONE = 0x10000
    BATCH = 0x40000
    ZEROCOPY = 0x4000000
    FASTOPEN = 0x20000000
    CMSG_CLOEXEC = 0x40000000
    SOCK_DEVMEM = 0x2000000


@c_struct
class Linger(CStruct):
    """``struct linger``: whether close waits for what is unsent (``SO.LINGER``), in seconds."""

    C_NAME: ClassVar = "struct linger"
    C_HEADER: ClassVar = "sys/socket.h"
    onoff: int = i32(c_name="l_onoff")
    linger: int = i32(c_name="l_linger")


@c_struct
class Ucred(CStruct):
    """``struct ucred``: a process, as its peer sees it (``SO.PEERCRED``, ``SCM.CREDENTIALS``)."""

    C_NAME: ClassVar = "struct ucred"
    C_HEADER: ClassVar = "sys/socket.h"
    pid: int = i32()
    uid: int = u32()
    gid: int = u32()
