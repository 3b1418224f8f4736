"""``<linux/tcp.h>``: options of TCP, and what there is to know of a connection."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from .layout import CStruct, c_struct, u8, u16, u32, u64

__all__ = ["TCP", "TcpInfo", "TcpState"]


class TCP(IntEnum):
    """``TCP_*``: options of level ``SOL.TCP``."""

    NODELAY = 1
    MAXSEG = 2
    CORK = 3
    KEEPIDLE = 4
    KEEPINTVL = 5
    KEEPCNT = 6
    SYNCNT = 7
    LINGER2 = 8
    DEFER_ACCEPT = 9
    WINDOW_CLAMP = 10
    INFO = 11
    QUICKACK = 12
    CONGESTION = 13
    MD5SIG = 14
    THIN_LINEAR_TIMEOUTS = 16
    THIN_DUPACK = 17
    USER_TIMEOUT = 18
    REPAIR = 19
    REPAIR_QUEUE = 20
    QUEUE_SEQ = 21
    REPAIR_OPTIONS = 22
    FASTOPEN = 23
    TIMESTAMP = 24
    NOTSENT_LOWAT = 25
    CC_INFO = 26
    SAVE_SYN = 27
    SAVED_SYN = 28
    REPAIR_WINDOW = 29
    FASTOPEN_CONNECT = 30
    ULP = 31
    MD5SIG_EXT = 32
    FASTOPEN_KEY = 33
    FASTOPEN_NO_COOKIE = 34
    ZEROCOPY_RECEIVE = 35
    INQ = 36
    TX_DELAY = 37
    AO_ADD_KEY = 38
    AO_DEL_KEY = 39
    AO_INFO = 40
    AO_GET_KEYS = 41
    AO_REPAIR = 42
    IS_MPTCP = 43
    RTO_MAX_MS = 44
    RTO_MIN_US = 45
    DELACK_MAX_US = 46


class TcpState(IntEnum):
    """``TCP_*``: states of a connection."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11


@c_struct
class TcpInfo(CStruct):
    """``struct tcp_info``: what ``TCP.INFO`` tells; what the kernel does not know is 0."""

    C_NAME: ClassVar = "struct tcp_info"
    C_HEADER: ClassVar = "linux/tcp.h"
    NEWER: ClassVar = frozenset(
        {
            "tcpi_rcv_wnd",
            "tcpi_rehash",
            "tcpi_total_rto",
            "tcpi_total_rto_recoveries",
            "tcpi_total_rto_time",
        }
    )
    state: TcpState = u8(TcpState, c_name="tcpi_state")
    ca_state: int = u8(c_name="tcpi_ca_state")
    retransmits: int = u8(c_name="tcpi_retransmits")
    probes: int = u8(c_name="tcpi_probes")
    backoff: int = u8(c_name="tcpi_backoff")
    options: int = u8(c_name="tcpi_options", then=2)
    rto: int = u32(c_name="tcpi_rto")
    ato: int = u32(c_name="tcpi_ato")
    snd_mss: int = u32(c_name="tcpi_snd_mss")
    rcv_mss: int = u32(c_name="tcpi_rcv_mss")
    unacked: int = u32(c_name="tcpi_unacked")
    sacked: int = u32(c_name="tcpi_sacked")
    lost: int = u32(c_name="tcpi_lost")
    retrans: int = u32(c_name="tcpi_retrans")
    fackets: int = u32(c_name="tcpi_fackets")
    last_data_sent: int = u32(c_name="tcpi_last_data_sent")
    last_ack_sent: int = u32(c_name="tcpi_last_ack_sent")
    last_data_recv: int = u32(c_name="tcpi_last_data_recv")
    last_ack_recv: int = u32(c_name="tcpi_last_ack_recv")
    pmtu: int = u32(c_name="tcpi_pmtu")
    rcv_ssthresh: int = u32(c_name="tcpi_rcv_ssthresh")
    rtt: int = u32(c_name="tcpi_rtt")
    rttvar: int = u32(c_name="tcpi_rttvar")
    snd_ssthresh: int = u32(c_name="tcpi_snd_ssthresh")
    snd_cwnd: int = u32(c_name="tcpi_snd_cwnd")
    advmss: int = u32(c_name="tcpi_advmss")
    reordering: int = u32(c_name="tcpi_reordering")
    rcv_rtt: int = u32(c_name="tcpi_rcv_rtt")
    rcv_space: int = u32(c_name="tcpi_rcv_space")
    total_retrans: int = u32(c_name="tcpi_total_retrans")
    pacing_rate: int = u64(c_name="tcpi_pacing_rate")
    max_pacing_rate: int = u64(c_name="tcpi_max_pacing_rate")
    bytes_acked: int = u64(c_name="tcpi_bytes_acked")
    bytes_received: int = u64(c_name="tcpi_bytes_received")
    segs_out: int = u32(c_name="tcpi_segs_out")
    segs_in: int = u32(c_name="tcpi_segs_in")
    notsent_bytes: int = u32(c_name="tcpi_notsent_bytes")
    min_rtt: int = u32(c_name="tcpi_min_rtt")
    data_segs_in: int = u32(c_name="tcpi_data_segs_in")
    data_segs_out: int = u32(c_name="tcpi_data_segs_out")
    delivery_rate: int = u64(c_name="tcpi_delivery_rate")
    busy_time: int = u64(c_name="tcpi_busy_time")
    rwnd_limited: int = u64(c_name="tcpi_rwnd_limited")
    sndbuf_limited: int = u64(c_name="tcpi_sndbuf_limited")
    delivered: int = u32(c_name="tcpi_delivered")
    delivered_ce: int = u32(c_name="tcpi_delivered_ce")
    bytes_sent: int = u64(c_name="tcpi_bytes_sent")
    bytes_retrans: int = u64(c_name="tcpi_bytes_retrans")
    dsack_dups: int = u32(c_name="tcpi_dsack_dups")
    reord_seen: int = u32(c_name="tcpi_reord_seen")
    rcv_ooopack: int = u32(c_name="tcpi_rcv_ooopack")
    snd_wnd: int = u32(c_name="tcpi_snd_wnd")
    rcv_wnd: int = u32(c_name="tcpi_rcv_wnd")
    rehash: int = u32(c_name="tcpi_rehash")
    total_rto: int = u16(c_name="tcpi_total_rto")
    total_rto_recoveries: int = u16(c_name="tcpi_total_rto_recoveries")
    total_rto_time: int = u32(c_name="tcpi_total_rto_time")
