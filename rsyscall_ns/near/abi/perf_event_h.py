"""``<linux/perf_event.h>``: what is counted, and how the counts are read."""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import ClassVar, Final, Self

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, i32, u16, u32, u64

__all__ = ["PERF_ATTR", "PERF_COUNT_HW", "PERF_COUNT_SW", "PERF_FLAG", "PERF_FORMAT", "PERF_IOC"]
__all__ += ["PERF_TYPE", "PerfCount", "PerfCounts", "PerfEventAttr"]

WORD: Final = struct.Struct("<Q")
HIGHEST: Final = 2**64 - 1


class PERF_TYPE(IntEnum):  # noqa: N801 - the manual page's own prefix, as all below
    """``PERF_TYPE_*``: which kind of event."""

    HARDWARE = 0
    SOFTWARE = 1
    TRACEPOINT = 2
    HW_CACHE = 3
    RAW = 4
    BREAKPOINT = 5


class PERF_COUNT_HW(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``PERF_COUNT_HW_*``: events of the processor."""

    CPU_CYCLES = 0
    INSTRUCTIONS = 1
    CACHE_REFERENCES = 2
    CACHE_MISSES = 3
    BRANCH_INSTRUCTIONS = 4
    BRANCH_MISSES = 5
    BUS_CYCLES = 6
    STALLED_CYCLES_FRONTEND = 7
    STALLED_CYCLES_BACKEND = 8
    REF_CPU_CYCLES = 9


class PERF_COUNT_SW(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``PERF_COUNT_SW_*``: events of the kernel; clocks count nanoseconds."""

    CPU_CLOCK = 0
    TASK_CLOCK = 1
    PAGE_FAULTS = 2
    CONTEXT_SWITCHES = 3
    CPU_MIGRATIONS = 4
    PAGE_FAULTS_MIN = 5
    PAGE_FAULTS_MAJ = 6
    ALIGNMENT_FAULTS = 7
    EMULATION_FAULTS = 8
    DUMMY = 9
    BPF_OUTPUT = 10
    CGROUP_SWITCHES = 11


class PERF_FORMAT(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``PERF_FORMAT_*``: what is read besides the count."""

    TOTAL_TIME_ENABLED = 1
    TOTAL_TIME_RUNNING = 2
    ID = 4
    GROUP = 8
    LOST = 16


class PERF_FLAG(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``PERF_FLAG_*`` (``perf_event_open(2)``)."""

    FD_NO_GROUP = 1
    FD_OUTPUT = 2
    PID_CGROUP = 4
    FD_CLOEXEC = 8


class PERF_IOC(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``PERF_EVENT_IOC_*``: the ioctls that counting takes."""

    ENABLE = 0x2400
    DISABLE = 0x2401
    REFRESH = 0x2402
    RESET = 0x2403
    PERIOD = 0x40082404
    ID = 0x80082407


class PERF_ATTR(IntFlag):  # noqa: N801 - the manual page's own prefix
    """The bits of ``struct perf_event_attr``, by the names of its fields."""

    DISABLED = 1 << 0
    INHERIT = 1 << 1
    PINNED = 1 << 2
    EXCLUSIVE = 1 << 3
    EXCLUDE_USER = 1 << 4
    EXCLUDE_KERNEL = 1 << 5
    EXCLUDE_HV = 1 << 6
    EXCLUDE_IDLE = 1 << 7
    MMAP = 1 << 8
    COMM = 1 << 9
    FREQ = 1 << 10
    INHERIT_STAT = 1 << 11
    ENABLE_ON_EXEC = 1 << 12
    TASK = 1 << 13
    WATERMARK = 1 << 14
    CONSTANT_SKID = 1 << 15  # precise_ip 1
    REQUEST_ZERO_SKID = 2 << 15  # precise_ip 2
    MMAP_DATA = 1 << 17
    SAMPLE_ID_ALL = 1 << 18
    EXCLUDE_HOST = 1 << 19
    EXCLUDE_GUEST = 1 << 20
    EXCLUDE_CALLCHAIN_KERNEL = 1 << 21
    EXCLUDE_CALLCHAIN_USER = 1 << 22
    MMAP2 = 1 << 23
    COMM_EXEC = 1 << 24
    USE_CLOCKID = 1 << 25
    CONTEXT_SWITCH = 1 << 26
    WRITE_BACKWARD = 1 << 27
    NAMESPACES = 1 << 28
    KSYMBOL = 1 << 29
    BPF_EVENT = 1 << 30
    AUX_OUTPUT = 1 << 31
    CGROUP = 1 << 32
    TEXT_POKE = 1 << 33
    BUILD_ID = 1 << 34
    INHERIT_THREAD = 1 << 35
    REMOVE_ON_EXEC = 1 << 36
    SIGTRAP = 1 << 37


@c_struct
class PerfEventAttr(CStruct):
    """``struct perf_event_attr``: what is counted, of what. ``size`` is its own, and stays."""

    C_NAME: ClassVar = "struct perf_event_attr"
    C_HEADER: ClassVar = "linux/perf_event.h"
    NEWER: ClassVar = frozenset({"flags"})  # C has names for its bits only
    type: PERF_TYPE = u32(PERF_TYPE)
    size: int = u32(default=128)
    config: int = u64()
    sample_period: int = u64()
    sample_type: int = u64()
    read_format: PERF_FORMAT = u64(PERF_FORMAT)
    flags: PERF_ATTR = u64(PERF_ATTR)
    wakeup_events: int = u32()
    bp_type: int = u32()
    config1: int = u64()
    config2: int = u64()
    branch_sample_type: int = u64()
    sample_regs_user: int = u64()
    sample_stack_user: int = u32()
    clockid: int = i32()
    sample_regs_intr: int = u64()
    aux_watermark: int = u32()
    sample_max_stack: int = u16(then=2)
    aux_sample_size: int = u32(then=4)
    sig_data: int = u64()


@value
class PerfCount:
    """One count; ``id`` and ``lost`` are known where the format asks for them."""

    value: int
    id: int | None = None
    lost: int | None = None


@value
class PerfCounts:
    """What is read from a perf event: times in nanoseconds, and a count, or those of its group."""

    counts: tuple[PerfCount, ...]
    time_enabled: int | None = None
    time_running: int | None = None

    def pack(self, form: PERF_FORMAT) -> bytes:
        """Return the bytes that the kernel would give in this format."""
        times = [
            time
            for bit, time in (
                (PERF_FORMAT.TOTAL_TIME_ENABLED, self.time_enabled),
                (PERF_FORMAT.TOTAL_TIME_RUNNING, self.time_running),
            )
            if bit & form
        ]
        parts = [_words(count, form) for count in self.counts]
        if PERF_FORMAT.GROUP & form:
            words = [len(parts), *times, *(word for part in parts for word in part)]
        else:
            ((value, *rest),) = parts
            words = [value, *times, *rest]
        return b"".join(WORD.pack(fit("count", word or 0, 0, HIGHEST)) for word in words)

    @classmethod
    def unpack(cls, data: bytes, form: PERF_FORMAT) -> Self:
        """Return what was read in this format; too few bytes or too many are refused."""
        one = 1 + bool(PERF_FORMAT.ID & form) + bool(PERF_FORMAT.LOST & form)
        enabled = bool(PERF_FORMAT.TOTAL_TIME_ENABLED & form)
        running = bool(PERF_FORMAT.TOTAL_TIME_RUNNING & form)
        times = enabled + running
        group = bool(PERF_FORMAT.GROUP & form)
        many = WORD.unpack_from(data)[0] if group and len(data) >= WORD.size else 1
        need = (group + times + many * one) * WORD.size
        if len(data) != need:
            raise SerializerError("what a perf event gives", need, len(data))
        words = [word for (word,) in WORD.iter_unpack(data)]
        if group:
            del words[0]
            taken, words = words[:times], words[times:]
        else:
            taken, words = words[1 : 1 + times], words[:1] + words[1 + times :]
        counts = tuple(_count(words[at : at + one], form) for at in range(0, many * one, one))
        return cls(counts, taken[0] if enabled else None, taken[-1] if running else None)


def _words(count: PerfCount, form: PERF_FORMAT) -> list[int | None]:
    bits = ((PERF_FORMAT.ID, count.id), (PERF_FORMAT.LOST, count.lost))
    return [count.value, *(word for bit, word in bits if bit & form)]


def _count(words: list[int], form: PERF_FORMAT) -> PerfCount:
    value, *rest = words
    found = iter(rest)
    id_ = next(found) if PERF_FORMAT.ID & form else None
    return PerfCount(value, id_, next(found) if PERF_FORMAT.LOST & form else None)
