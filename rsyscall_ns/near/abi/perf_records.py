"""What the kernel writes into the memory of a perf event: records of ``perf_event_open(2)``.

Without I/O: bytes in, values out. What a sample holds is said by the ``sample_type`` that the event
was opened with; with ``PERF_ATTR.SAMPLE_ID_ALL`` all others end with some of it too.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from enum import IntEnum, IntFlag
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.values import value

from .perf_event_h import PERF_FORMAT, PerfCounts

__all__ = ["PERF_RECORD", "PERF_SAMPLE", "PerfComm", "PerfForm", "PerfId", "PerfLost", "PerfMmap"]
__all__ += ["PerfOther", "PerfRecord", "PerfSample", "PerfTask", "check_form"]

HEADER: Final = struct.Struct("<IHH")  # type, misc, size
PAIR: Final = struct.Struct("<II")
WORD: Final = struct.Struct("<Q")
TASK: Final = struct.Struct("<IIIIQ")
MMAP: Final = struct.Struct("<IIQQQ")
LOST: Final = struct.Struct("<QQ")
SIZE: Final = struct.Struct("<I")
TIMES: Final = (PERF_FORMAT.TOTAL_TIME_ENABLED, PERF_FORMAT.TOTAL_TIME_RUNNING)


class PERF_RECORD(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``PERF_RECORD_*``: what a record tells of."""

    MMAP = 1
    LOST = 2
    COMM = 3
    EXIT = 4
    THROTTLE = 5
    UNTHROTTLE = 6
    FORK = 7
    READ = 8
    SAMPLE = 9
    MMAP2 = 10
    AUX = 11
    ITRACE_START = 12
    LOST_SAMPLES = 13
    SWITCH = 14
    SWITCH_CPU_WIDE = 15
    NAMESPACES = 16
    KSYMBOL = 17
    BPF_EVENT = 18
    CGROUP = 19
    TEXT_POKE = 20
    AUX_OUTPUT_HW_ID = 21
    CALLCHAIN_DEFERRED = 22


class PERF_SAMPLE(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``PERF_SAMPLE_*``: what a sample holds."""

    NONE = 0
    IP = 1 << 0
    TID = 1 << 1
    TIME = 1 << 2
    ADDR = 1 << 3
    READ = 1 << 4
    CALLCHAIN = 1 << 5
    ID = 1 << 6
    CPU = 1 << 7
    PERIOD = 1 << 8
    STREAM_ID = 1 << 9
    RAW = 1 << 10
    BRANCH_STACK = 1 << 11
    REGS_USER = 1 << 12
    STACK_USER = 1 << 13
    WEIGHT = 1 << 14
    DATA_SRC = 1 << 15
    IDENTIFIER = 1 << 16
    TRANSACTION = 1 << 17
    REGS_INTR = 1 << 18
    PHYS_ADDR = 1 << 19
    AUX = 1 << 20
    CGROUP = 1 << 21
    DATA_PAGE_SIZE = 1 << 22
    CODE_PAGE_SIZE = 1 << 23
    WEIGHT_STRUCT = 1 << 24


S: Final = PERF_SAMPLE
READABLE: Final = (  # what stands before all that is not read here
    S.IP
    | S.TID
    | S.TIME
    | S.ADDR
    | S.READ
    | S.CALLCHAIN
    | S.ID
    | S.CPU
    | S.PERIOD
    | S.STREAM_ID
    | S.RAW
    | S.IDENTIFIER
)
# in their order: what a sample begins with, and what all others end with
BEGIN: Final = (S.IDENTIFIER, S.IP, S.TID, S.TIME, S.ADDR, S.ID, S.STREAM_ID, S.CPU, S.PERIOD)
END: Final = (S.TID, S.TIME, S.ID, S.STREAM_ID, S.CPU, S.IDENTIFIER)


@value
class PerfId:
    """What tells whose a record is; None where it was not asked for. ``time``: nanoseconds."""

    pid: int | None = None
    tid: int | None = None
    time: int | None = None
    id: int | None = None
    stream_id: int | None = None
    cpu: int | None = None
    identifier: int | None = None


NOBODY: Final = PerfId()


@value
class PerfSample:
    """One sample; None, or empty, where it was not asked for."""

    misc: int
    whose: PerfId = NOBODY
    ip: int | None = None
    addr: int | None = None
    period: int | None = None
    counts: PerfCounts | None = None
    callchain: tuple[int, ...] = ()
    raw: bytes = b""


@value
class PerfMmap:
    """Memory was mapped, of a file as a rule; what can be executed, or data if ``misc`` says so."""

    misc: int
    pid: int
    tid: int
    addr: int
    len: int
    pgoff: int
    filename: str
    whose: PerfId = NOBODY


@value
class PerfComm:
    """A thread has another name; bit 13 of ``misc``: by exec."""

    misc: int
    pid: int
    tid: int
    comm: str
    whose: PerfId = NOBODY


@value
class PerfTask:
    """A thread has begun or ended: ``type`` is FORK or EXIT. ``time``: nanoseconds."""

    type: PERF_RECORD
    misc: int
    pid: int
    ppid: int
    tid: int
    ptid: int
    time: int
    whose: PerfId = NOBODY


@value
class PerfLost:
    """So many records of the event ``id`` were lost, as nobody read in time."""

    misc: int
    id: int
    lost: int
    whose: PerfId = NOBODY


@value
class PerfOther:
    """A record that is not taken apart."""

    type: PERF_RECORD | int
    misc: int
    body: bytes


PerfRecord = PerfSample | PerfMmap | PerfComm | PerfTask | PerfLost | PerfOther


@value
class PerfForm:
    """How the records of an event lie: its ``sample_type``, ``read_format``, SAMPLE_ID_ALL."""

    sample_type: PERF_SAMPLE
    read_format: PERF_FORMAT = PERF_FORMAT(0)
    sample_id_all: bool = False

    def unpack(self, data: bytes) -> PerfRecord:
        """Return the record that ``data`` is; SerializerError where it is not exactly one."""
        if len(data) < HEADER.size:
            raise SerializerError("struct perf_event_header", HEADER.size, len(data), least=True)
        kind, misc, size = HEADER.unpack_from(data)
        if size != len(data):
            raise SerializerError("a record of a perf event", size, len(data))
        if kind == PERF_RECORD.SAMPLE:
            return self._sample(misc, _Fields(data, HEADER.size))
        if kind not in OTHERS:
            known = kind in PERF_RECORD.__members__.values()
            return PerfOther(PERF_RECORD(kind) if known else kind, misc, data[HEADER.size :])
        end = self._end(len(data))
        whose = _whose(self._words(_Fields(data, end), END)) if end < len(data) else NOBODY
        return OTHERS[kind](PERF_RECORD(kind), misc, _Fields(data[:end], HEADER.size), whose)

    def _end(self, size: int) -> int:
        """Return where what all records end with begins."""
        if not self.sample_id_all:
            return size
        end = size - WORD.size * sum(1 for bit in END if bit & self.sample_type)
        if end < HEADER.size:
            raise SerializerError("the end of a record", HEADER.size + size - end, size, least=True)
        return end

    def _words(
        self, fields: _Fields, order: tuple[PERF_SAMPLE, ...]
    ) -> dict[PERF_SAMPLE, tuple[int, int]]:
        """Take what was asked for; a word, and its upper half alone."""
        return {bit: fields.word() for bit in order if bit & self.sample_type}

    def _sample(self, misc: int, fields: _Fields) -> PerfSample:
        check_form(self)
        words = self._words(fields, BEGIN)
        counts = _counts(fields, self.read_format) if S.READ & self.sample_type else None
        chain: tuple[int, ...] = ()
        if S.CALLCHAIN & self.sample_type:
            chain = fields.words(fields.word()[0])
        raw = b""
        if S.RAW & self.sample_type:
            raw = fields.take(SIZE.unpack(fields.take(SIZE.size))[0])
        ip, addr, period = (_value(words, bit) for bit in (S.IP, S.ADDR, S.PERIOD))
        return PerfSample(misc, _whose(words), ip, addr, period, counts, chain, raw)


def check_form(form: PerfForm) -> None:
    """Refuse samples that hold what is not read here."""
    other = form.sample_type & ~READABLE
    if other:
        what = f"has {other!r}, which is not read here"
        raise SerializerError.malformed("a sample of a perf event", what)


class _Fields:
    """Takes one field after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, size: int) -> bytes:
        left = len(self.data) - self.at
        if left < size:
            raise SerializerError("a field of a perf event's record", size, left, least=True)
        self.at += size
        return self.data[self.at - size : self.at]

    def word(self) -> tuple[int, int]:
        """Return a word, and its upper half alone."""
        word: int = WORD.unpack(self.take(WORD.size))[0]
        return word, word >> 32

    def words(self, count: int) -> tuple[int, ...]:
        return tuple(word for (word,) in WORD.iter_unpack(self.take(count * WORD.size)))

    def text(self) -> str:
        return os.fsdecode(self.take(len(self.data) - self.at).split(b"\0", 1)[0])


def _value(words: dict[PERF_SAMPLE, tuple[int, int]], bit: PERF_SAMPLE) -> int | None:
    return words[bit][0] if bit in words else None


def _low(words: dict[PERF_SAMPLE, tuple[int, int]], bit: PERF_SAMPLE) -> int | None:
    return words[bit][0] & 0xFFFFFFFF if bit in words else None


def _whose(words: dict[PERF_SAMPLE, tuple[int, int]]) -> PerfId:
    tid = words[S.TID][1] if S.TID in words else None
    return PerfId(
        _low(words, S.TID),
        tid,
        _value(words, S.TIME),
        _value(words, S.ID),
        _value(words, S.STREAM_ID),
        _low(words, S.CPU),
        _value(words, S.IDENTIFIER),
    )


def _counts(fields: _Fields, form: PERF_FORMAT) -> PerfCounts:
    one = 1 + bool(PERF_FORMAT.ID & form) + bool(PERF_FORMAT.LOST & form)
    times = bool(PERF_FORMAT.TOTAL_TIME_ENABLED & form) + bool(
        PERF_FORMAT.TOTAL_TIME_RUNNING & form
    )
    start, many = fields.at, 1
    if PERF_FORMAT.GROUP & form:
        many = fields.word()[0]
    fields.take((times + many * one) * WORD.size)
    return PerfCounts.unpack(fields.data[start : fields.at], form)


def _mmap(_kind: PERF_RECORD, misc: int, fields: _Fields, whose: PerfId) -> PerfRecord:
    pid, tid, addr, length, pgoff = MMAP.unpack(fields.take(MMAP.size))
    return PerfMmap(misc, pid, tid, addr, length, pgoff, fields.text(), whose)


def _comm(_kind: PERF_RECORD, misc: int, fields: _Fields, whose: PerfId) -> PerfRecord:
    pid, tid = PAIR.unpack(fields.take(PAIR.size))
    return PerfComm(misc, pid, tid, fields.text(), whose)


def _task(kind: PERF_RECORD, misc: int, fields: _Fields, whose: PerfId) -> PerfRecord:
    pid, ppid, tid, ptid, time = TASK.unpack(fields.take(TASK.size))
    return PerfTask(kind, misc, pid, ppid, tid, ptid, time, whose)


def _lost(_kind: PERF_RECORD, misc: int, fields: _Fields, whose: PerfId) -> PerfRecord:
    number, lost = LOST.unpack(fields.take(LOST.size))
    return PerfLost(misc, number, lost, whose)


OTHERS: Final[dict[int, Callable[[PERF_RECORD, int, _Fields, PerfId], PerfRecord]]] = {
    PERF_RECORD.MMAP: _mmap,
    PERF_RECORD.COMM: _comm,
    PERF_RECORD.EXIT: _task,
    PERF_RECORD.FORK: _task,
    PERF_RECORD.LOST: _lost,
}
