"""``task.proc``: what the task's own process is and uses, and where it runs."""

from __future__ import annotations

import os
import resource

import pytest

from rsyscall_ns import (
    BYTES,
    CLONE,
    IOPRIO_CLASS,
    IOPRIO_WHO,
    PRIO,
    RUSAGE,
    SCHED,
    ArgumentRangeError,
    InInterpreterError,
    IoPriority,
    Process,
    Rusage,
    Sysinfo,
    Task,
    TaskLostError,
    Tms,
    Utsname,
    struct_of,
)
from rsyscall_ns.near import ids
from tests.support.children import TRUE, thread_of

NEW_USER = CLONE.NEWUSER
NEW_PIDS = CLONE.NEWUSER | CLONE.NEWPID


async def test_the_thread_s_id_is_that_of_the_process(task: Task) -> None:
    process: Process = task.process

    assert await task.proc.gettid() == process.near


async def test_the_parent_of_a_child_is_who_spawned_it(local: Task) -> None:
    async with local.spawn() as child:
        assert await child.proc.getppid() == ids.Process(os.getpid())
        async with child.spawn() as grandchild:
            assert await grandchild.proc.getppid() == child.process.near


async def test_a_parent_in_another_pid_namespace_is_not_visible(local: Task) -> None:
    async with local.spawn(NEW_PIDS) as child:
        assert await child.proc.getppid() is None


async def test_a_child_begins_a_session(local: Task) -> None:
    async with local.spawn() as child:
        pid = child.process.near.id

        assert await child.proc.setsid() == ids.ProcessGroup(pid)

        assert os.getsid(pid) == pid
        assert await child.process.getsid() == pid
        with pytest.raises(PermissionError):
            await child.proc.setsid()


async def test_a_session_without_a_terminal_has_nothing_to_hang_up(local: Task) -> None:
    async with local.spawn() as child:
        await child.proc.setsid()
        try:
            await child.proc.vhangup()
        except PermissionError:
            return  # an ordinary user: an error as it should be


async def test_root_of_a_user_namespace_can_not_hang_up(local: Task) -> None:
    async with local.spawn(NEW_USER) as child:
        await child.proc.setsid()
        with pytest.raises(PermissionError):
            await child.proc.vhangup()


async def test_a_child_exits_with_its_status(local: Task) -> None:
    async with local.spawn() as child:
        await child.proc.exit_group(17)

        assert (await thread_of(child).wait()).exit_status == 17
        with pytest.raises(TaskLostError):
            await child.proc.gettid()


async def test_the_interpreter_does_not_exit(local: Task) -> None:
    with pytest.raises(InInterpreterError):
        await local.proc.exit_group(0)


@pytest.mark.parametrize("status", [-1, 256])
async def test_what_is_no_exit_status_is_refused(local: Task, status: int) -> None:
    async with local.spawn() as child:
        with pytest.raises(ArgumentRangeError):
            await child.proc.exit_group(status)
        assert await child.proc.gettid() == child.process.near


# where it runs


async def test_it_lets_others_run(task: Task) -> None:
    await task.proc.sched_yield()

    assert await task.proc.gettid() == task.process.near


@pytest.mark.parametrize("policy", list(SCHED))
async def test_the_priorities_of_a_policy_are_told(task: Task, policy: SCHED) -> None:
    try:
        highest = await task.proc.sched_get_priority_max(policy)
    except OSError:
        assert policy is SCHED.EXT
        pytest.skip("the kernel has no SCHED_EXT, which came with Linux 6.12")
    lowest = await task.proc.sched_get_priority_min(policy)

    assert (lowest, highest) == ((1, 99) if policy in {SCHED.FIFO, SCHED.RR} else (0, 0))


async def test_it_runs_on_a_processor_that_it_may_use(task: Task) -> None:
    process: Process = task.process
    one = max(os.sched_getaffinity(0))
    before = await process.sched_getaffinity()
    await process.sched_setaffinity({one})
    try:
        cpu, node = await task.proc.getcpu()
    finally:
        await process.sched_setaffinity(before)

    assert cpu == one
    assert node >= 0


async def test_its_processor_is_told_in_memory_of_the_caller(task: Task) -> None:
    into, small = await task.malloc(BYTES, 8), await task.malloc(BYTES, 4)

    assert await task.proc.getcpu(into=into) is into

    cpu = int.from_bytes((await into.read())[:4], "little")
    assert cpu in os.sched_getaffinity(task.process.near.id)
    with pytest.raises(ArgumentRangeError):
        await task.proc.getcpu(into=small)
    into.free()
    small.free()


# priorities of several


async def test_the_nice_values_of_a_group_and_a_user_are_told(task: Task) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)

    assert await task.proc.getpriority(PRIO.PROCESS) == own
    assert await task.proc.getpriority(PRIO.PGRP) <= own
    assert await task.proc.getpriority(PRIO.USER, os.getuid()) <= own


async def test_the_nice_value_of_a_whole_group_is_set(local: Task) -> None:
    async with local.spawn() as leader, local.spawn() as member:
        await thread_of(leader).setpgid()
        await thread_of(member).setpgid(thread_of(leader))
        group = leader.process.near.id

        await local.proc.setpriority(PRIO.PGRP, group, 11)
        await local.proc.ioprio_set(IOPRIO_WHO.PGRP, group, IoPriority(IOPRIO_CLASS.BE, 6))

        for one in (leader, member):
            assert await one.process.getpriority() == 11
            assert await one.process.ioprio_get() == IoPriority(IOPRIO_CLASS.BE, 6)
        assert await local.proc.getpriority(PRIO.PGRP, group) == 11
        found = await local.proc.ioprio_get(IOPRIO_WHO.PGRP, group)
        assert found == IoPriority(IOPRIO_CLASS.BE, 6)


async def test_its_own_priorities_are_set(local: Task) -> None:
    async with local.spawn() as child:
        await child.proc.setpriority(PRIO.PROCESS, 0, 12)
        await child.proc.ioprio_set(IOPRIO_WHO.PROCESS, 0, IoPriority(IOPRIO_CLASS.IDLE))

        assert await child.process.getpriority() == 12
        assert await child.proc.ioprio_get(IOPRIO_WHO.PROCESS) == IoPriority(IOPRIO_CLASS.IDLE)


async def test_a_group_that_is_not_there_is_an_error(task: Task) -> None:
    with pytest.raises(ProcessLookupError):
        await task.proc.getpriority(PRIO.PGRP, 2**31 - 1)
    with pytest.raises(ProcessLookupError):
        await task.proc.ioprio_get(IOPRIO_WHO.PGRP, 2**31 - 1)


async def test_what_is_no_id_is_refused(task: Task) -> None:
    with pytest.raises(ArgumentRangeError):
        await task.proc.getpriority(PRIO.PGRP, -1)
    with pytest.raises(ArgumentRangeError):
        await task.proc.ioprio_set(IOPRIO_WHO.USER, 2**32 - 1, IoPriority())
    with pytest.raises(ArgumentRangeError):
        await task.proc.setpriority(PRIO.USER, 0, 20)


# what was used, and what there is


@pytest.mark.parametrize("who", list(RUSAGE))
async def test_what_was_used_is_told(task: Task, who: RUSAGE) -> None:
    into = await task.malloc(struct_of(Rusage))

    found = await task.proc.getrusage(who)
    assert await task.proc.getrusage(who, into=into) is into

    later = await into.read()
    assert later.maxrss >= found.maxrss >= 0
    assert (later.utime.sec, later.utime.usec) >= (found.utime.sec, found.utime.usec)
    into.free()


async def test_what_a_child_has_used_is_its_parent_s_once_it_was_waited_for(local: Task) -> None:
    async with local.spawn() as parent:
        assert (await parent.proc.getrusage(RUSAGE.CHILDREN)).maxrss == 0
        async with parent.launch(TRUE) as process:
            await process.check()

        assert (await parent.proc.getrusage(RUSAGE.CHILDREN)).maxrss > 0


async def test_the_interpreter_s_usage_is_what_python_tells(local: Task) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = await local.proc.getrusage()
    after = resource.getrusage(resource.RUSAGE_SELF)

    assert before.ru_minflt <= found.minflt <= after.ru_minflt
    assert before.ru_nvcsw <= found.nvcsw <= after.ru_nvcsw


async def test_times_pass(task: Task) -> None:
    into = await task.malloc(struct_of(Tms))

    ticks, first = await task.proc.times()
    later, pointer = await task.proc.times(into=into)

    assert later >= ticks > 0
    assert pointer is into
    second = await into.read()
    assert (second.utime, second.stime) >= (first.utime, 0)
    into.free()


async def test_memory_and_load_are_told(task: Task) -> None:
    into = await task.malloc(struct_of(Sysinfo))

    found = await task.proc.sysinfo()
    assert await task.proc.sysinfo(into=into) is into

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert found.totalram * found.mem_unit == pages
    assert (await into.read()).uptime >= found.uptime > 0
    into.free()


async def test_the_machine_and_its_kernel_have_names(task: Task) -> None:
    into = await task.malloc(struct_of(Utsname))
    there = os.uname()

    found = await task.proc.uname()
    assert await task.proc.uname(into=into) is into

    assert (found.sysname, found.release, found.version, found.machine) == (
        there.sysname,
        there.release,
        there.version,
        there.machine,
    )
    assert await into.read() == found
    into.free()


async def test_the_name_is_that_of_the_uts_namespace(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as child:
        await child.ns.sethostname("elsewhere")

        assert (await child.proc.uname()).nodename == "elsewhere"
    assert (await local.proc.uname()).nodename == os.uname().nodename
