"""What perf events count."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    PERF_COUNT_HW,
    PERF_COUNT_SW,
    PERF_FLAG,
    PERF_FORMAT,
    PERF_RECORD,
    PERF_SAMPLE,
    PERF_TYPE,
)
from rsyscall_ns.near.abi.perf_event_h import PERF_IOC

HEADERS: Final = ("linux/perf_event.h", "sys/ioctl.h")
ENUMS: Final = {
    "PERF_COUNT_HW_": PERF_COUNT_HW,
    "PERF_COUNT_SW_": PERF_COUNT_SW,
    "PERF_EVENT_IOC_": PERF_IOC,
    "PERF_FLAG_": PERF_FLAG,
    "PERF_FORMAT_": PERF_FORMAT,
    "PERF_RECORD_": PERF_RECORD,
    "PERF_SAMPLE_": PERF_SAMPLE,
    "PERF_TYPE_": PERF_TYPE,
}
