"""``<asm/socket.h>``: options and control messages of level ``SOL.SOCKET``."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .layout import CStruct, c_struct, u8, u16, u32, u64

__all__ = ["SCM", "SO", "SOF_TIMESTAMPING", "SoEeOrigin", "SockExtendedErr", "SockFprog"]


class SO(IntEnum):
    """``SO_*``: options of level ``SOL.SOCKET``."""

    DEBUG = 1
    REUSEADDR = 2
    TYPE = 3
    ERROR = 4
    DONTROUTE = 5
    BROADCAST = 6
    SNDBUF = 7
    RCVBUF = 8
    KEEPALIVE = 9
    OOBINLINE = 10
    NO_CHECK = 11
    PRIORITY = 12
    LINGER = 13
    BSDCOMPAT = 14
    REUSEPORT = 15
    PASSCRED = 16
    PEERCRED = 17
    RCVLOWAT = 18
    SNDLOWAT = 19
    RCVTIMEO = 20
    RCVTIMEO_OLD = 20
    SNDTIMEO = 21
    SNDTIMEO_OLD = 21
    SECURITY_AUTHENTICATION = 22
    SECURITY_ENCRYPTION_TRANSPORT = 23
    SECURITY_ENCRYPTION_NETWORK = 24
    BINDTODEVICE = 25
    ATTACH_FILTER = 26
    GET_FILTER = 26
    DETACH_FILTER = 27
    DETACH_BPF = 27
    PEERNAME = 28
    TIMESTAMP = 29
    TIMESTAMP_OLD = 29
    ACCEPTCONN = 30
    PEERSEC = 31
    SNDBUFFORCE = 32
    RCVBUFFORCE = 33
    PASSSEC = 34
    TIMESTAMPNS = 35
    TIMESTAMPNS_OLD = 35
    MARK = 36
    TIMESTAMPING = 37
    TIMESTAMPING_OLD = 37
    PROTOCOL = 38
    DOMAIN = 39
    RXQ_OVFL = 40
    WIFI_STATUS = 41
    PEEK_OFF = 42
    NOFCS = 43
    LOCK_FILTER = 44
    SELECT_ERR_QUEUE = 45
    BUSY_POLL = 46
    MAX_PACING_RATE = 47
    BPF_EXTENSIONS = 48
    INCOMING_CPU = 49
    ATTACH_BPF = 50
    ATTACH_REUSEPORT_CBPF = 51
    ATTACH_REUSEPORT_EBPF = 52
    CNX_ADVICE = 53
    MEMINFO = 55
    INCOMING_NAPI_ID = 56
    COOKIE = 57
    PEERGROUPS = 59
    ZEROCOPY = 60
    TXTIME = 61
    BINDTOIFINDEX = 62
    TIMESTAMP_NEW = 63
    TIMESTAMPNS_NEW = 64
    TIMESTAMPING_NEW = 65
    RCVTIMEO_NEW = 66
    SNDTIMEO_NEW = 67
    DETACH_REUSEPORT_BPF = 68
    PREFER_BUSY_POLL = 69
    BUSY_POLL_BUDGET = 70
    NETNS_COOKIE = 71
    BUF_LOCK = 72
    RESERVE_MEM = 73
    TXREHASH = 74
    RCVMARK = 75
    PASSPIDFD = 76
    PEERPIDFD = 77
    DEVMEM_LINEAR = 78
    DEVMEM_DMABUF = 79
    DEVMEM_DONTNEED = 80
    RCVPRIORITY = 82
    PASSRIGHTS = 83
    INQ = 84


class SCM(IntEnum):
    """``SCM_*``: control messages of level ``SOL.SOCKET``."""

    RIGHTS = 1
    CREDENTIALS = 2
    SECURITY = 3
    PIDFD = 4
    TIMESTAMP = 29
    TIMESTAMPNS = 35
    TIMESTAMPING = 37
    WIFI_STATUS = 41
    TIMESTAMPING_OPT_STATS = 54
    TIMESTAMPING_PKTINFO = 58
    TXTIME = 61
    DEVMEM_LINEAR = 78
    DEVMEM_DMABUF = 79
    TS_OPT_ID = 81
    INQ = 84


class SOF_TIMESTAMPING(IntFlag):  # noqa: N801 - the C prefix
    """``SOF_TIMESTAMPING_*``: of what ``SO.TIMESTAMPING`` tells the time."""

    TX_HARDWARE = 1
    TX_SOFTWARE = 2
    RX_HARDWARE = 4
    RX_SOFTWARE = 8
    SOFTWARE = 0x10
    SYS_HARDWARE = 0x20
    RAW_HARDWARE = 0x40
    OPT_ID = 0x80
    TX_SCHED = 0x100
    TX_ACK = 0x200
    OPT_CMSG = 0x400
    OPT_TSONLY = 0x800
    OPT_STATS = 0x1000
    OPT_PKTINFO = 0x2000
    OPT_TX_SWHW = 0x4000
    BIND_PHC = 0x8000
    OPT_RX_FILTER = 0x20000
    TX_COMPLETION = 0x40000
    OPT_ID_TCP = 0x10000


class SoEeOrigin(IntEnum):
    """``SO_EE_ORIGIN_*``: where an error of the error queue comes from."""

    NONE = 0
    LOCAL = 1
    ICMP = 2
    ICMP6 = 3
    TXSTATUS = 4
    ZEROCOPY = 5
    TXTIME = 6


@c_struct
class SockExtendedErr(CStruct):
    """``struct sock_extended_err``: an error that ``MSG.ERRQUEUE`` receives."""

    C_NAME: ClassVar = "struct sock_extended_err"
    C_HEADER: ClassVar = "time.h linux/errqueue.h"
    errno: int = u32(c_name="ee_errno")
    origin: SoEeOrigin = u8(SoEeOrigin, c_name="ee_origin")
    type: int = u8(c_name="ee_type")
    code: int = u8(c_name="ee_code", then=1)
    info: int = u32(c_name="ee_info")
    data: int = u32(c_name="ee_data")


@c_struct
class SockFprog(CStruct):
    """``struct sock_fprog``: how many ``struct sock_filter`` there are, and the address of them."""

    C_NAME: ClassVar = "struct sock_fprog"
    C_HEADER: ClassVar = "linux/filter.h"
    len: int = u16(then=6)
    filter: int = u64()
