"""Clocks, timers, futexes, random bytes and the old asynchronous I/O."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    ADJ,
    CLOCK,
    FUTEX,
    FUTEX2,
    FUTEX_CMD,
    FUTEX_OP,
    FUTEX_OP_CMP,
    GRND,
    IOCB_CMD,
    IOCB_FLAG,
    SIGEV,
    STA,
    TIME,
    TIMER,
)
from rsyscall_ns.near.abi import futex_h

HEADERS: Final = (
    "linux/aio_abi.h",
    "linux/futex.h",
    "signal.h",
    "sys/random.h",
    "sys/timex.h",
    "time.h",
)
ENUMS: Final = {
    "ADJ_": ADJ,
    "CLOCK_": CLOCK,
    "FUTEX_": FUTEX_CMD,
    "FUTEX2_": FUTEX2,
    "FUTEX_OP_": FUTEX_OP,
    "FUTEX_OP_CMP_": FUTEX_OP_CMP,
    "GRND_": GRND,
    "IOCB_CMD_": IOCB_CMD,
    "IOCB_FLAG_": IOCB_FLAG,
    "SIGEV_": SIGEV,
    "STA_": STA,
    "TIMER_": TIMER,
    "TIME_": TIME,
}
NAMES: Final = {
    "FUTEX_BITSET_MATCH_ANY": futex_h.FUTEX_BITSET_MATCH_ANY,
    "FUTEX_CLOCK_REALTIME": FUTEX.CLOCK_REALTIME,
    "FUTEX_OWNER_DIED": futex_h.FUTEX_OWNER_DIED,
    "FUTEX_PRIVATE_FLAG": FUTEX.PRIVATE_FLAG,
    "FUTEX_TID_MASK": futex_h.FUTEX_TID_MASK,
    "FUTEX_WAITERS": futex_h.FUTEX_WAITERS,
    "FUTEX_WAITV_MAX": futex_h.FUTEX_WAITV_MAX,
}
