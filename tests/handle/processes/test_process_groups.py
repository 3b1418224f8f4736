"""Groups, sessions, nice values and limits of a process."""

from __future__ import annotations

import os
import resource
from collections.abc import AsyncIterator

import pytest

from rsyscall_ns import (
    CLONE,
    RLIM_INFINITY,
    RLIMIT,
    SIG,
    ArgumentRangeError,
    ChildDeadError,
    ChildProcess,
    PidNamespaceMismatchError,
    Process,
    Rlimit,
    Task,
    struct_of,
)
from rsyscall_ns.near import ids
from tests.support.children import FOREVER, thread_of

CLONE_NEW_PIDS = CLONE.NEWUSER | CLONE.NEWPID


@pytest.fixture
async def program(task: Task) -> AsyncIterator[ChildProcess]:
    async with task.launch(FOREVER) as process:
        yield process


@pytest.fixture(params=["child", "by id only"])
async def process(request: pytest.FixtureRequest, task: Task, program: ChildProcess) -> Process:
    return program if request.param == "child" else Process(task, program.near)


async def test_a_child_has_the_session_and_the_group_of_its_parent(process: Process) -> None:
    assert await process.getsid() == os.getsid(0)
    assert await process.getpgid() == ids.ProcessGroup(os.getpgid(0))


async def test_the_process_of_a_task_is_asked_like_any_other(task: Task) -> None:
    process: Process = task.process

    assert await process.getsid() == os.getsid(process.near.id)
    assert await process.getpgid() == ids.ProcessGroup(os.getpgid(process.near.id))
    assert await process.getpriority() == os.getpriority(os.PRIO_PROCESS, process.near.id)


async def test_a_session_that_is_not_visible_is_0(local: Task) -> None:
    async with local.spawn(CLONE_NEW_PIDS) as child:
        assert await Process(child, ids.Process(1)).getsid() == 0


async def test_a_process_that_is_gone_is_an_error(local: Task) -> None:
    async with local.launch(FOREVER) as program:
        gone = Process(local, program.near)

    for call in (gone.getsid(), gone.getpgid(), gone.prlimit(RLIMIT.CPU), gone.sched_getaffinity()):
        with pytest.raises(ProcessLookupError):
            await call


async def test_a_task_that_has_not_execed_is_put_into_a_group(local: Task) -> None:
    async with local.spawn() as leader, local.spawn() as member:
        itself = Process(leader, leader.process.near)
        await itself.setpgid()
        assert os.getpgid(leader.process.near.id) == leader.process.near.id

        await Process(local, member.process.near).setpgid(itself)
        assert os.getpgid(member.process.near.id) == leader.process.near.id

        own = ids.ProcessGroup(os.getpgid(0))
        await thread_of(member).setpgid(own)
        assert os.getpgid(member.process.near.id) == own.id


async def test_a_program_that_was_execed_can_not_be_put_into_a_group(process: Process) -> None:
    with pytest.raises(PermissionError):
        await process.setpgid()


async def test_a_group_in_another_pid_namespace_is_refused(local: Task) -> None:
    async with local.spawn() as ours, local.spawn(CLONE_NEW_PIDS) as other:
        stranger = Process(other, ids.Process(1))
        with pytest.raises(PidNamespaceMismatchError):
            await thread_of(ours).setpgid(stranger)


async def test_a_nice_value_is_set_and_told(process: Process) -> None:
    before = await process.getpriority()
    await process.setpriority(min(before + 3, 19))

    assert await process.getpriority() == min(before + 3, 19)
    assert os.getpriority(os.PRIO_PROCESS, process.near.id) == min(before + 3, 19)


@pytest.mark.parametrize("limit", list(RLIMIT))
async def test_every_limit_is_told_as_python_s_own_call_tells_it(
    process: Process, limit: RLIMIT
) -> None:
    found = await process.prlimit(limit)

    theirs = resource.prlimit(process.near.id, int(limit))
    assert (found.soft, found.hard) == tuple(one % 2**64 for one in theirs)


async def test_a_limit_is_set_and_the_old_one_returned(process: Process) -> None:
    old = await process.prlimit(RLIMIT.NOFILE)
    new = Rlimit(64, min(old.hard, 128))

    assert await process.prlimit(RLIMIT.NOFILE, new) == old

    assert await process.prlimit(RLIMIT.NOFILE) == new
    assert resource.prlimit(process.near.id, resource.RLIMIT_NOFILE) == (new.soft, new.hard)


async def test_a_limit_is_given_and_told_in_memory_of_the_caller(process: Process) -> None:
    owner = process.task
    new = await owner.ptr(Rlimit(0, 0))
    old = await owner.malloc(struct_of(Rlimit))

    assert await process.prlimit(RLIMIT.CORE, new, into=old) is old

    before = await old.read()
    assert before.hard <= RLIM_INFINITY
    assert await process.prlimit(RLIMIT.CORE) == Rlimit(0, 0)
    new.free()
    old.free()


async def test_a_soft_limit_above_the_hard_one_is_an_error(process: Process) -> None:
    with pytest.raises(OSError, match="prlimit64") as caught:
        await process.prlimit(RLIMIT.NOFILE, Rlimit(2, 1))
    assert isinstance(caught.value, OSError)


async def test_root_of_a_user_namespace_can_not_raise_a_hard_limit(local: Task) -> None:
    async with local.spawn(CLONE_NEW_PIDS) as child:
        itself = Process(child, ids.Process(1))
        await itself.prlimit(RLIMIT.CORE, Rlimit(0, 0))
        with pytest.raises(PermissionError):
            await itself.prlimit(RLIMIT.CORE, Rlimit(0, 1))


async def test_the_limit_of_a_task_ends_with_it(task: Task) -> None:
    async with task.spawn() as child:
        await child.process.prlimit(RLIMIT.NPROC, Rlimit(7, 7))
        assert await child.process.prlimit(RLIMIT.NPROC) == Rlimit(7, 7)

    assert await task.process.prlimit(RLIMIT.NPROC) != Rlimit(7, 7)


@pytest.mark.parametrize("nice", [-21, 20])
async def test_what_is_no_nice_value_is_refused(process: Process, nice: int) -> None:
    with pytest.raises(ArgumentRangeError):
        await process.setpriority(nice)


async def test_a_dead_child_is_refused(task: Task) -> None:
    async with task.launch(FOREVER) as program:
        await program.kill(SIG.KILL)
        await program.wait()

        for call in (program.getsid(), program.prlimit(RLIMIT.CPU), program.sched_getscheduler()):
            with pytest.raises(ChildDeadError):
                await call
