"""Perf events count what tasks and other processes do."""

from __future__ import annotations

from errno import EACCES, ENOENT, EPERM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    PERF_ATTR,
    PERF_COUNT_SW,
    PERF_FORMAT,
    PERF_TYPE,
    ArgumentRangeError,
    FDKindError,
    MissingCallError,
    PerfCount,
    PerfCounts,
    PerfEventAttr,
    PerfEventFD,
    Process,
    SerializerError,
    Task,
)
from tests.support.children import FOREVER

UNPRIVILEGED = PERF_ATTR.EXCLUDE_KERNEL | PERF_ATTR.EXCLUDE_HV
CLOCK = PerfEventAttr(
    PERF_TYPE.SOFTWARE,
    config=PERF_COUNT_SW.TASK_CLOCK,
    flags=PERF_ATTR.DISABLED | UNPRIVILEGED,
)
word = st.integers(0, 2**64 - 1)


async def opened(
    task: Task,
    attr: PerfEventAttr = CLOCK,
    process: Process | None = None,
    group: PerfEventFD | None = None,
) -> PerfEventFD:
    """Open an event, or skip the test where this kernel does not let us."""
    try:
        return await task.fds.perf_event_open(attr, process, group=group)
    except OSError as error:
        denied = error.errno in {EPERM, EACCES, ENOENT}
        if denied or isinstance(error, MissingCallError):
            pytest.skip(f"this kernel does not let us count: {error}")
        raise


async def test_it_counts_from_enable_to_disable(task: Task) -> None:
    async with await opened(task) as event:
        assert await event.is_cloexec()
        assert (await event.read_counts()).counts == (PerfCount(0),)
        await event.enable()
        await event.disable()
        (first,) = (await event.read_counts()).counts
        assert first.value > 0
        assert (await event.read_counts()).counts == (first,)
        await event.reset()
        assert (await event.read_counts()).counts == (PerfCount(0),)


async def test_a_group_is_counted_and_read_together(task: Task) -> None:
    form = PERF_FORMAT.GROUP | PERF_FORMAT.ID | PERF_FORMAT.TOTAL_TIME_ENABLED
    flags = PERF_ATTR.DISABLED | UNPRIVILEGED
    faults = PerfEventAttr(
        PERF_TYPE.SOFTWARE, config=PERF_COUNT_SW.PAGE_FAULTS, read_format=form, flags=flags
    )
    clock = PerfEventAttr(
        PERF_TYPE.SOFTWARE, config=PERF_COUNT_SW.TASK_CLOCK, read_format=form, flags=UNPRIVILEGED
    )
    async with (
        await opened(task, faults) as leader,
        await opened(task, clock, group=leader) as member,
    ):
        await leader.enable(group=True)
        await leader.disable(group=True)
        found = await leader.read_counts(form)
        ids = [await event.event_id() for event in (leader, member)]
        assert [count.id for count in found.counts] == ids
        assert found.time_enabled
        assert found.time_running is None
        assert found.counts[1].value > 0
        with pytest.raises(SerializerError):
            await leader.read_counts()
        await leader.reset(group=True)
        assert (await leader.read_counts(form)).counts[1].value == 0


async def test_another_process_is_counted(task: Task) -> None:
    async with task.launch(FOREVER) as process, await opened(task, CLOCK, process) as event:
        assert (await event.read_counts()).counts == (PerfCount(0),)


async def test_bad_arguments_are_refused(task: Task) -> None:
    async with await opened(task) as event:
        for call in (event.refresh, event.set_period):
            with pytest.raises(ArgumentRangeError):
                await call(0)
        with pytest.raises(OSError, match="ioctl"):
            await event.refresh(1)  # it takes no samples
        with pytest.raises(OSError, match="ioctl"):
            await event.set_period(5)
    with pytest.raises(ArgumentRangeError, match="cpu"):
        await task.fds.perf_event_open(CLOCK, cpu=-2)
    attr = await task.ptr(PerfEventAttr(size=1))
    with pytest.raises(OSError, match="perf_event_open"):
        await task.fds.perf_event_open(attr)
    attr.free()


async def test_only_a_perf_event_becomes_one(task: Task) -> None:
    async with await opened(task) as event, await task.fds.eventfd() as counter:
        again = await (await event.dup()).as_kind(PerfEventFD)
        await again.close()
        with pytest.raises(FDKindError):
            await (await counter.dup()).as_kind(PerfEventFD)


@given(st.lists(st.tuples(word, word, word)), word, word, st.integers(0, 31).map(PERF_FORMAT))
def test_counts_become_bytes_and_themselves_again(
    counts: list[tuple[int, int, int]], enabled: int, running: int, form: PERF_FORMAT
) -> None:
    if not PERF_FORMAT.GROUP & form:
        counts = [*counts, (1, 2, 3)][:1]
    value = PerfCounts(
        tuple(
            PerfCount(
                count,
                id_ if PERF_FORMAT.ID & form else None,
                lost if PERF_FORMAT.LOST & form else None,
            )
            for count, id_, lost in counts
        ),
        enabled if PERF_FORMAT.TOTAL_TIME_ENABLED & form else None,
        running if PERF_FORMAT.TOTAL_TIME_RUNNING & form else None,
    )

    assert PerfCounts.unpack(value.pack(form), form) == value


@given(st.binary(max_size=200), st.integers(0, 31).map(PERF_FORMAT))
def test_any_bytes_are_counts_or_refused(data: bytes, form: PERF_FORMAT) -> None:
    try:
        value = PerfCounts.unpack(data, form)
    except SerializerError:
        return
    assert value.pack(form) == data
