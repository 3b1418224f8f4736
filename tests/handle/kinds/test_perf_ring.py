"""Perf events tell what happened, in memory that the interpreter sees."""

from __future__ import annotations

import os
import struct
from errno import EACCES, ENOENT, EPERM
from pathlib import Path

import pytest
import trio
import trio.testing
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    PERF_ATTR,
    PERF_COUNT_SW,
    PERF_FORMAT,
    PERF_RECORD,
    PERF_SAMPLE,
    PERF_TYPE,
    ArgumentRangeError,
    MissingCallError,
    PerfComm,
    PerfCount,
    PerfCounts,
    PerfEventAttr,
    PerfEventFD,
    PerfForm,
    PerfId,
    PerfLost,
    PerfMmap,
    PerfOther,
    PerfRingClosedError,
    PerfSample,
    PerfTask,
    SerializerError,
    Task,
)
from tests.support.children import TRUE

S = PERF_SAMPLE
WHOSE = S.TID | S.TIME | S.CPU
TOLD = PerfEventAttr(
    PERF_TYPE.SOFTWARE,
    config=PERF_COUNT_SW.DUMMY,
    sample_type=WHOSE,
    wakeup_events=1,
    flags=PERF_ATTR.COMM
    | PERF_ATTR.TASK
    | PERF_ATTR.MMAP
    | PERF_ATTR.SAMPLE_ID_ALL
    | PERF_ATTR.EXCLUDE_KERNEL
    | PERF_ATTR.EXCLUDE_HV,
)
SAMPLED = PerfEventAttr(
    PERF_TYPE.SOFTWARE,
    config=PERF_COUNT_SW.PAGE_FAULTS,
    sample_period=1,
    sample_type=S.IP | S.ADDR | S.PERIOD | WHOSE | S.READ | S.CALLCHAIN | S.IDENTIFIER | S.ID,
    read_format=PERF_FORMAT.GROUP | PERF_FORMAT.ID,
    wakeup_events=1,
    flags=PERF_ATTR.EXCLUDE_KERNEL | PERF_ATTR.EXCLUDE_HV,
)
EVERY = PerfForm(
    S.IP | S.ADDR | S.READ | S.CALLCHAIN | S.RAW | WHOSE, PERF_FORMAT.GROUP, sample_id_all=True
)


COMM = Path("/proc/thread-self/comm")


async def opened(task: Task, attr: PerfEventAttr) -> PerfEventFD:
    try:
        return await task.fds.perf_event_open(attr)
    except OSError as error:
        denied = error.errno in {EPERM, EACCES, ENOENT}
        if denied or isinstance(error, MissingCallError):
            pytest.skip(f"this kernel does not let us count: {error}")
        raise


async def test_what_a_child_becomes_is_told(local: Task) -> None:
    async with (
        local.spawn() as child,
        await opened(child, TOLD) as event,
        await event.ring(TOLD) as ring,
    ):
        number = child.process.near.id
        process = await child.exec(TRUE)
        await process.wait()
        found = [one async for one in ring]
    names = [record for record in found if isinstance(record, PerfComm)]
    assert [(one.pid, one.tid, one.comm) for one in names] == [(number, number, "true")]
    assert names[0].whose.pid == number
    assert names[0].whose.time
    maps = [record.filename for record in found if isinstance(record, PerfMmap)]
    assert any(name.endswith("true") for name in maps)
    (ended,) = [record for record in found if isinstance(record, PerfTask)]
    assert (ended.type, ended.pid) == (PERF_RECORD.EXIT, number)


async def test_samples_tell_where_and_what(local: Task) -> None:
    async with (
        await opened(local, SAMPLED) as event,
        await event.ring(SAMPLED) as ring,
        await local.mem.mmap(8192) as mapping,
    ):
        await mapping.write(b"a fault, at least")
        first, *_ = await ring.read_records()
        assert isinstance(first, PerfSample)
        assert first.whose.pid == os.getpid()
        assert first.period == 1
        assert first.ip
        assert first.callchain
        assert first.counts is not None
        assert first.counts.counts[0].id == first.whose.id == first.whose.identifier


async def test_a_ring_is_closed_under_who_waits(local: Task) -> None:
    quiet = evolve(TOLD, flags=TOLD.flags | PERF_ATTR.DISABLED)
    async with await opened(local, quiet) as event:
        ring = await event.ring(quiet, 1)
        with pytest.RaisesGroup(PerfRingClosedError):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ring.read_records)
                await trio.testing.wait_all_tasks_blocked()
                await ring.close()
        await ring.close()
        with pytest.raises(PerfRingClosedError):
            ring.take()
        for pages in (0, -1, 2**31):
            with pytest.raises(ArgumentRangeError, match="pages"):
                await event.ring(quiet, pages)
        with pytest.raises(SerializerError, match="power of 2"):
            await event.ring(quiet, 3)
        with pytest.raises(SerializerError, match="REGS_USER"):
            await event.ring(evolve(quiet, sample_type=S.REGS_USER))


async def test_what_nobody_reads_in_time_is_lost_and_counted(local: Task) -> None:
    before = name_now()
    async with await opened(local, TOLD) as event, await event.ring(TOLD, 1) as ring:
        try:
            for turn in range(200):
                rename(f"turn {turn}")
            first = ring.take()
            rename("next")
            second = ring.take()
        finally:
            rename(before)
        assert all(isinstance(one, PerfComm) for one in first)
        (lost,) = [one for one in second if isinstance(one, PerfLost)]
        assert lost.lost == 200 - len(first)


def name_now() -> str:
    return COMM.read_text(encoding="ascii").strip()


def rename(name: str) -> None:
    COMM.write_text(name, encoding="ascii")


def record(kind: int, body: bytes, misc: int = 0) -> bytes:
    return struct.pack("<IHH", kind, misc, 8 + len(body)) + body


def test_each_record_is_read_as_it_lies() -> None:
    end = struct.pack("<IIQII", 7, 8, 9, 3, 0)
    whose = PerfId(pid=7, tid=8, time=9, cpu=3)
    comm = record(PERF_RECORD.COMM, struct.pack("<II", 1, 2) + b"name\0\0\0\0" + end, 5)
    assert EVERY.unpack(comm) == PerfComm(5, 1, 2, "name", whose)
    fork = record(PERF_RECORD.FORK, struct.pack("<IIIIQ", 1, 2, 3, 4, 5) + end)
    assert EVERY.unpack(fork) == PerfTask(PERF_RECORD.FORK, 0, 1, 2, 3, 4, 5, whose)
    lost = record(PERF_RECORD.LOST, struct.pack("<QQ", 1, 2) + end)
    assert EVERY.unpack(lost) == PerfLost(0, 1, 2, whose)
    mapped = record(PERF_RECORD.MMAP, struct.pack("<IIQQQ", 1, 2, 3, 4, 5) + b"//anon\0\0" + end)
    assert EVERY.unpack(mapped) == PerfMmap(0, 1, 2, 3, 4, 5, "//anon", whose)
    body = struct.pack("<QIIQQII", 11, 7, 8, 9, 12, 3, 0)
    body += struct.pack("<QQ", 1, 13) + struct.pack("<QQQ", 2, 14, 15) + b"\4\0\0\0raw!"
    assert EVERY.unpack(record(PERF_RECORD.SAMPLE, body)) == PerfSample(
        0, whose, 11, 12, None, PerfCounts((PerfCount(13),)), (14, 15), b"raw!"
    )
    assert EVERY.unpack(record(99, b"new")) == PerfOther(99, 0, b"new")


@given(
    kind=st.integers(0, 30),
    body=st.binary(max_size=120),
    bits=st.integers(0, 2**25 - 1),
    form=st.integers(0, 31),
    every=st.booleans(),
)
def test_any_bytes_are_a_record_or_refused(
    kind: int, body: bytes, bits: int, form: int, *, every: bool
) -> None:
    reader = PerfForm(PERF_SAMPLE(bits), PERF_FORMAT(form), sample_id_all=every)
    for data in (body, record(kind, body), record(kind, body)[:-1]):
        try:
            found = reader.unpack(data)
        except SerializerError:
            continue
        assert found.misc == int.from_bytes(data[4:6], "little")
