"""``<linux/io_uring.h>``: the constants of io_uring. Its structs are ``io_uring_structs``'s."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

__all__ = [
    "IORING_ACCEPT",
    "IORING_ASYNC_CANCEL",
    "IORING_CQE_F",
    "IORING_CQ_EVENTFD_DISABLED",
    "IORING_ENTER",
    "IORING_FEAT",
    "IORING_FILE_INDEX_ALLOC",
    "IORING_FIXED_FD_NO_CLOEXEC",
    "IORING_FSYNC_DATASYNC",
    "IORING_MSG_RING",
    "IORING_NOP",
    "IORING_OFF_CQ_RING",
    "IORING_OFF_SQES",
    "IORING_OFF_SQ_RING",
    "IORING_OP",
    "IORING_POLL",
    "IORING_RECVSEND",
    "IORING_REGISTER",
    "IORING_REGISTER_FILES_SKIP",
    "IORING_RESTRICTION",
    "IORING_SETUP",
    "IORING_SQ",
    "IORING_TIMEOUT",
    "IOSQE",
    "IO_URING_OP_SUPPORTED",
]

IORING_OFF_SQ_RING: Final = 0
IORING_OFF_CQ_RING: Final = 0x8000000
IORING_OFF_SQES: Final = 0x10000000
IORING_CQ_EVENTFD_DISABLED: Final = 1
IORING_FILE_INDEX_ALLOC: Final = 2**32 - 1
IORING_FIXED_FD_NO_CLOEXEC: Final = 1
IORING_FSYNC_DATASYNC: Final = 1
IORING_REGISTER_FILES_SKIP: Final = -2
IO_URING_OP_SUPPORTED: Final = 1


class IORING_SETUP(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_SETUP_*``: what kind of ring is made."""

    NONE = 0
    IOPOLL = 1
    SQPOLL = 2
    SQ_AFF = 4
    CQSIZE = 8
    CLAMP = 0x10
    ATTACH_WQ = 0x20
    R_DISABLED = 0x40
    SUBMIT_ALL = 0x80
    COOP_TASKRUN = 0x100
    TASKRUN_FLAG = 0x200
    SQE128 = 0x400
    CQE32 = 0x800
    SINGLE_ISSUER = 0x1000
    DEFER_TASKRUN = 0x2000
    NO_MMAP = 0x4000
    REGISTERED_FD_ONLY = 0x8000
    NO_SQARRAY = 0x10000
    HYBRID_IOPOLL = 0x20000
    CQE_MIXED = 0x40000


class IORING_FEAT(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_FEAT_*``: what the kernel's rings can do."""

    NONE = 0
    SINGLE_MMAP = 1
    NODROP = 2
    SUBMIT_STABLE = 4
    RW_CUR_POS = 8
    CUR_PERSONALITY = 0x10
    FAST_POLL = 0x20
    POLL_32BITS = 0x40
    SQPOLL_NONFIXED = 0x80
    EXT_ARG = 0x100
    NATIVE_WORKERS = 0x200
    RSRC_TAGS = 0x400
    CQE_SKIP = 0x800
    LINKED_FILE = 0x1000
    REG_REG_RING = 0x2000
    RECVSEND_BUNDLE = 0x4000
    MIN_TIMEOUT = 0x8000
    RW_ATTR = 0x10000
    NO_IOWAIT = 0x20000


class IORING_ENTER(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_ENTER_*``: how ``io_uring_enter(2)`` submits and waits."""

    NONE = 0
    GETEVENTS = 1
    SQ_WAKEUP = 2
    SQ_WAIT = 4
    EXT_ARG = 8
    REGISTERED_RING = 0x10
    ABS_TIMER = 0x20
    EXT_ARG_REG = 0x40
    NO_IOWAIT = 0x80


class IORING_SQ(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_SQ_*``: what the kernel says in the ring of submissions."""

    NONE = 0
    NEED_WAKEUP = 1
    CQ_OVERFLOW = 2
    TASKRUN = 4


class IORING_CQE_F(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_CQE_F_*``: what is said about a completion."""

    NONE = 0
    BUFFER = 1
    MORE = 2
    SOCK_NONEMPTY = 4
    NOTIF = 8
    BUF_MORE = 0x10
    SKIP = 0x20
    F_32 = 0x8000

    @property
    def buffer(self) -> int:
        """The id of the buffer that was taken, where ``BUFFER`` is set."""
        return self >> 16


class IOSQE(IntFlag):
    """``IOSQE_*``: how an operation is carried out."""

    NONE = 0
    FIXED_FILE = 1
    IO_DRAIN = 2
    IO_LINK = 4
    IO_HARDLINK = 8
    ASYNC = 0x10
    BUFFER_SELECT = 0x20
    CQE_SKIP_SUCCESS = 0x40


class IORING_TIMEOUT(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_TIMEOUT_*``: how a timeout is told and counted."""

    NONE = 0
    ABS = 1
    UPDATE = 2
    BOOTTIME = 4
    REALTIME = 8
    ETIME_SUCCESS = 0x20
    MULTISHOT = 0x40


class IORING_POLL(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_POLL_*``: how readiness is waited for."""

    NONE = 0
    ADD_MULTI = 1
    UPDATE_EVENTS = 2
    UPDATE_USER_DATA = 4
    ADD_LEVEL = 8


class IORING_ASYNC_CANCEL(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_ASYNC_CANCEL_*``: which operations are cancelled."""

    NONE = 0
    ALL = 1
    FD = 2
    ANY = 4
    FD_FIXED = 8
    USERDATA = 0x10
    OP = 0x20


class IORING_ACCEPT(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_ACCEPT_*``: how connections are accepted."""

    NONE = 0
    MULTISHOT = 1
    DONTWAIT = 2
    POLL_FIRST = 4


class IORING_RECVSEND(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_RECVSEND_*`` and what belongs to them, in ``ioprio``: how is sent and received."""

    NONE = 0
    POLL_FIRST = 1
    RECV_MULTISHOT = 2
    FIXED_BUF = 4
    SEND_ZC_REPORT_USAGE = 8
    BUNDLE = 0x10
    SEND_VECTORIZED = 0x20


class IORING_NOP(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_NOP_*``: what is done in place of nothing."""

    NONE = 0
    INJECT_RESULT = 1
    FILE = 2
    FIXED_FILE = 4
    FIXED_BUFFER = 8
    TW = 0x10
    CQE32 = 0x20


class IORING_MSG_RING(IntFlag):  # noqa: N801 - the header's own prefix
    """``IORING_MSG_RING_*``: how another ring is told something."""

    NONE = 0
    CQE_SKIP = 1
    FLAGS_PASS = 2


class IORING_RESTRICTION(IntEnum):  # noqa: N801 - the header's own prefix
    """``IORING_RESTRICTION_*``: what a ring may be restricted to."""

    REGISTER_OP = 0
    SQE_OP = 1
    SQE_FLAGS_ALLOWED = 2
    SQE_FLAGS_REQUIRED = 3


class IORING_OP(IntEnum):  # noqa: N801 - the header's own prefix
    """``IORING_OP_*``: the operations."""

    NOP = 0
    READV = 1
    WRITEV = 2
    FSYNC = 3
    READ_FIXED = 4
    WRITE_FIXED = 5
    POLL_ADD = 6
    POLL_REMOVE = 7
    SYNC_FILE_RANGE = 8
    SENDMSG = 9
    RECVMSG = 10
    TIMEOUT = 11
    TIMEOUT_REMOVE = 12
    ACCEPT = 13
    ASYNC_CANCEL = 14
    LINK_TIMEOUT = 15
    CONNECT = 16
    FALLOCATE = 17
    OPENAT = 18
    CLOSE = 19
    FILES_UPDATE = 20
    STATX = 21
    READ = 22
    WRITE = 23
    FADVISE = 24
    MADVISE = 25
    SEND = 26
    RECV = 27
    OPENAT2 = 28
    EPOLL_CTL = 29
    SPLICE = 30
    PROVIDE_BUFFERS = 31
    REMOVE_BUFFERS = 32
    TEE = 33
    SHUTDOWN = 34
    RENAMEAT = 35
    UNLINKAT = 36
    MKDIRAT = 37
    SYMLINKAT = 38
    LINKAT = 39
    MSG_RING = 40
    FSETXATTR = 41
    SETXATTR = 42
    FGETXATTR = 43
    GETXATTR = 44
    SOCKET = 45
    URING_CMD = 46
    SEND_ZC = 47
    SENDMSG_ZC = 48
    READ_MULTISHOT = 49
    WAITID = 50
    FUTEX_WAIT = 51
    FUTEX_WAKE = 52
    FUTEX_WAITV = 53
    FIXED_FD_INSTALL = 54
    FTRUNCATE = 55
    BIND = 56
    LISTEN = 57
    RECV_ZC = 58
    EPOLL_WAIT = 59
    READV_FIXED = 60
    WRITEV_FIXED = 61
    PIPE = 62


class IORING_REGISTER(IntEnum):  # noqa: N801 - the header's own prefix
    """``IORING_REGISTER_*``, ``IORING_UNREGISTER_*``: what ``io_uring_register(2)`` does."""

    BUFFERS = 0
    UNREGISTER_BUFFERS = 1
    FILES = 2
    UNREGISTER_FILES = 3
    EVENTFD = 4
    UNREGISTER_EVENTFD = 5
    FILES_UPDATE = 6
    EVENTFD_ASYNC = 7
    PROBE = 8
    PERSONALITY = 9
    UNREGISTER_PERSONALITY = 10
    RESTRICTIONS = 11
    ENABLE_RINGS = 12
    FILES2 = 13
    FILES_UPDATE2 = 14
    BUFFERS2 = 15
    BUFFERS_UPDATE = 16
    IOWQ_AFF = 17
    UNREGISTER_IOWQ_AFF = 18
    IOWQ_MAX_WORKERS = 19
    RING_FDS = 20
    UNREGISTER_RING_FDS = 21
    PBUF_RING = 22
    UNREGISTER_PBUF_RING = 23
    SYNC_CANCEL = 24
    FILE_ALLOC_RANGE = 25
    PBUF_STATUS = 26
    NAPI = 27
    UNREGISTER_NAPI = 28
    CLOCK = 29
    CLONE_BUFFERS = 30
    SEND_MSG_RING = 31
    ZCRX_IFQ = 32
    RESIZE_RINGS = 33
    MEM_REGION = 34
    QUERY = 35
