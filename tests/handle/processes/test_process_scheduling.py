"""When and where a process runs, and whose input and output goes first."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from rsyscall_ns import (
    BYTES,
    IOPRIO_CLASS,
    IOPRIO_HINT,
    SCHED,
    SCHED_FLAG,
    ArgumentRangeError,
    ChildProcess,
    IoPriority,
    Process,
    SchedAttr,
    SchedParam,
    Task,
    Timespec,
    struct_of,
)
from tests.support.children import FOREVER

MILLISECOND = 1_000_000  # nanoseconds


@pytest.fixture
async def program(task: Task) -> AsyncIterator[ChildProcess]:
    async with task.launch(FOREVER) as process:
        yield process


@pytest.fixture(params=["child", "by id only"])
async def process(request: pytest.FixtureRequest, task: Task, program: ChildProcess) -> Process:
    return program if request.param == "child" else Process(task, program.near)


# processors


async def test_the_processors_of_a_process_are_told(process: Process) -> None:
    assert await process.sched_getaffinity() == os.sched_getaffinity(process.near.id)


async def test_a_task_s_own_process_has_processors(task: Task) -> None:
    process: Process = task.process

    assert await process.sched_getaffinity() == os.sched_getaffinity(process.near.id)


async def test_a_process_is_kept_to_one_processor(process: Process) -> None:
    one = max(os.sched_getaffinity(0))
    await process.sched_setaffinity({one})

    assert await process.sched_getaffinity() == {one}
    assert os.sched_getaffinity(process.near.id) == {one}


async def test_processors_are_given_and_told_in_memory_of_the_caller(process: Process) -> None:
    one = min(os.sched_getaffinity(0))
    task = process.task
    mask = await task.ptr((1 << one).to_bytes(128, "little"), BYTES)
    await process.sched_setaffinity(mask)

    found = await process.sched_getaffinity(into=mask)

    content = await found.read()
    found.free()
    assert not mask.valid
    assert len(content) % 8 == 0
    assert int.from_bytes(content, "little") == 1 << one


@pytest.mark.parametrize("cpus", [set[int](), {-1}, {8192}])
async def test_what_are_no_processors_is_refused(process: Process, cpus: set[int]) -> None:
    with pytest.raises(ArgumentRangeError):
        await process.sched_setaffinity(cpus)


async def test_a_processor_that_the_machine_lacks_is_an_error(process: Process) -> None:
    with pytest.raises(OSError, match="sched_setaffinity"):
        await process.sched_setaffinity({8191})


# policies


@pytest.mark.parametrize("policy", [SCHED.BATCH, SCHED.IDLE])
async def test_a_policy_is_set_and_told(process: Process, policy: SCHED) -> None:
    assert await process.sched_getscheduler() is SCHED.NORMAL

    await process.sched_setscheduler(policy, reset_on_fork=True)

    assert await process.sched_getscheduler() is policy
    assert os.sched_getscheduler(process.near.id) == policy | os.SCHED_RESET_ON_FORK
    assert (await process.sched_getattr()).flags & SCHED_FLAG.RESET_ON_FORK


async def test_real_time_has_a_priority_and_a_time_slice(process: Process) -> None:
    task = process.task
    param = await task.ptr(SchedParam(5))
    try:
        await process.sched_setscheduler(SCHED.RR, param)
    except PermissionError:  # an ordinary user, whose limit is 0: an error as it should be
        assert await process.sched_getscheduler() is SCHED.NORMAL
        return
    assert await process.sched_getscheduler() is SCHED.RR
    assert await process.sched_getparam() == SchedParam(5)

    await process.sched_setparam(SchedParam(6))

    assert await process.sched_getparam(into=param) is param
    assert await param.read() == SchedParam(6)
    assert (await process.sched_rr_get_interval()).ns > 0
    interval = await task.malloc(struct_of(Timespec))
    assert await process.sched_rr_get_interval(into=interval) is interval
    assert (await interval.read()).ns > 0
    param.free()
    interval.free()


@pytest.mark.parametrize("priority", [0, 100])
async def test_a_priority_that_the_policy_has_not_is_an_error(
    process: Process, priority: int
) -> None:
    with pytest.raises(OSError, match="sched_setscheduler"):
        await process.sched_setscheduler(SCHED.FIFO, SchedParam(priority))
    assert await process.sched_getscheduler() is SCHED.NORMAL


async def test_a_priority_without_real_time_is_an_error(process: Process) -> None:
    with pytest.raises(OSError, match="sched_setparam"):
        await process.sched_setparam(SchedParam(1))


async def test_all_parameters_are_set_and_told(process: Process) -> None:
    before = await process.sched_getattr()
    assert before.policy is SCHED.NORMAL
    nice = min(before.nice + 2, 19)

    await process.sched_setattr(
        SchedAttr(policy=SCHED.BATCH, flags=SCHED_FLAG.RESET_ON_FORK, nice=nice)
    )

    found = await process.sched_getattr()
    assert (found.policy, found.nice) == (SCHED.BATCH, nice)
    assert found.flags == SCHED_FLAG.RESET_ON_FORK
    assert await process.getpriority() == nice


async def test_all_parameters_are_given_and_told_in_memory_of_the_caller(process: Process) -> None:
    attr = await process.task.ptr(SchedAttr(policy=SCHED.IDLE))
    await process.sched_setattr(attr)

    assert await process.sched_getattr(into=attr) is attr

    assert (await attr.read()).policy is SCHED.IDLE
    attr.free()


async def test_a_deadline_is_kept_by_root_only(process: Process) -> None:
    attr = SchedAttr(
        policy=SCHED.DEADLINE,
        runtime=MILLISECOND,
        deadline=100 * MILLISECOND,
        period=100 * MILLISECOND,
    )
    try:
        await process.sched_setattr(attr)
    except PermissionError:
        assert (await process.sched_getattr()).policy is SCHED.NORMAL
        return

    found = await process.sched_getattr()
    assert found.policy is SCHED.DEADLINE
    assert (found.runtime, found.deadline) == (MILLISECOND, 100 * MILLISECOND)


async def test_a_deadline_after_its_period_is_an_error(process: Process) -> None:
    attr = SchedAttr(policy=SCHED.DEADLINE, runtime=2048, deadline=MILLISECOND, period=4096)

    with pytest.raises(OSError, match="sched_setattr"):
        await process.sched_setattr(attr)


# input and output


@pytest.mark.parametrize(
    "priority",
    [
        IoPriority(IOPRIO_CLASS.BE, 7),
        IoPriority(IOPRIO_CLASS.IDLE),
        IoPriority(IOPRIO_CLASS.BE, 2, IOPRIO_HINT.DEV_DURATION_LIMIT_3),
    ],
)
async def test_an_io_priority_is_set_and_told(process: Process, priority: IoPriority) -> None:
    try:
        await process.ioprio_set(priority)
    except OSError:
        if priority.hint:
            pytest.skip("the kernel has no hints of I/O priorities, which came with Linux 6.5")
        raise

    assert await process.ioprio_get() == priority


async def test_an_io_priority_has_eight_levels(process: Process) -> None:
    with pytest.raises(ArgumentRangeError):
        await process.ioprio_set(IoPriority(IOPRIO_CLASS.BE, 8))


async def test_no_class_with_a_level_is_an_error(process: Process) -> None:
    with pytest.raises(OSError, match="ioprio_set"):
        await process.ioprio_set(IoPriority(IOPRIO_CLASS.NONE, 3))
