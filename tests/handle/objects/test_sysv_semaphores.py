"""System V semaphores: changes that wait, in the kernel or by asking again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from errno import E2BIG, EACCES, EFBIG, EINVAL, ERANGE

import pytest
import trio
from attrs import evolve
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    BYTES,
    CLONE,
    IPC,
    IPC_PRIVATE,
    SEM,
    SYS,
    ArgumentRangeError,
    Sembuf,
    SemidDs,
    SysVSemaphores,
    Task,
    Timespec,
    array_of,
    struct_of,
)
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left

OPS = array_of(Sembuf)
TAKE = [Sembuf(0, -1)]
SHORT = Timespec(0, 1_000_000)


@pytest.fixture
async def semaphores(task: Task) -> AsyncGenerator[SysVSemaphores, None]:
    async with await task.ipc.semget(IPC_PRIVATE, 3) as made:
        yield made


async def test_changes_are_made_together_or_not_at_all(semaphores: SysVSemaphores) -> None:
    await semaphores.semop([Sembuf(0, 5), Sembuf(1, 2), Sembuf(2, 0)])
    assert await semaphores.getall() == [5, 2, 0]
    with pytest.raises(BlockingIOError, match="semop"):
        await semaphores.semop([Sembuf(0, -5), Sembuf(1, -3, SEM.NOWAIT)])
    assert await semaphores.getall() == [5, 2, 0]


async def test_values_are_read_and_set(task: Task, semaphores: SysVSemaphores) -> None:
    assert await semaphores.getpid(1) is None
    await semaphores.setval(7, 1)
    assert await semaphores.getval(1) == 7
    assert await semaphores.getpid(1) == task.process.near
    await semaphores.setall([1, 2, 32767])
    room = await task.malloc(BYTES, 6)
    room = await semaphores.getall(room)
    assert await room.read() == b"\1\0\2\0\xff\x7f"
    changed = await room.write(b"\0\0\3\0\4\0")
    await semaphores.setall(changed)
    changed.free()
    assert await semaphores.getall() == [0, 3, 4]
    assert (await semaphores.getncnt(), await semaphores.getzcnt()) == (0, 0)


async def test_steps_and_times_can_lie_in_memory(task: Task, semaphores: SysVSemaphores) -> None:
    ops, late = await task.ptr([Sembuf(0, 1)], OPS), await task.ptr(SHORT)
    await semaphores.semop(ops)
    await semaphores.semtimedop(ops, late)
    assert await semaphores.getval() == 2
    ops.free()
    late.free()


async def test_waiting_ends_when_another_task_gives(task: Task, semaphores: SysVSemaphores) -> None:
    async with task.spawn() as other:
        theirs = semaphores.for_task(other)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(semaphores.semop, TAKE)
            if not task.sysif.same_thread:
                await until_blocked(task, SYS.semop)
                assert await theirs.getncnt() == 1
            await wait_all_tasks_blocked()
            await theirs.semop([Sembuf(0, 1)])
        assert await theirs.getval() == 0


async def test_waiting_can_be_cancelled_and_changes_nothing(
    task: Task, semaphores: SysVSemaphores
) -> None:
    with nothing_left(task):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(semaphores.semop, TAKE)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    await semaphores.setval(1)
    assert await semaphores.getval() == 1


async def test_a_time_that_is_over_raises(task: Task, semaphores: SysVSemaphores) -> None:
    for timeout in (Timespec(), SHORT):
        with pytest.raises(BlockingIOError, match="Resource temporarily unavailable"):
            await semaphores.semtimedop(TAKE, timeout)
    late = await task.ptr(SHORT)
    with pytest.raises(BlockingIOError):
        await semaphores.semtimedop(TAKE, late)
    late.free()


async def test_what_is_to_be_undone_goes_with_the_process(
    task: Task, semaphores: SysVSemaphores
) -> None:
    async with task.spawn() as other:
        await semaphores.for_task(other).semop([Sembuf(1, 3, SEM.UNDO)])
        assert await semaphores.getval(1) == 3
    assert await semaphores.getval(1) == 0


async def test_what_a_set_is_can_be_read_and_set(task: Task, semaphores: SysVSemaphores) -> None:
    found = await semaphores.stat()
    assert (found.nsems, found.perm.mode & 0o777, found.otime) == (3, 0o600, 0)
    assert found.ctime > 0
    await semaphores.set(evolve(found, perm=evolve(found.perm, mode=0o644)))
    room = await semaphores.stat(await task.malloc(struct_of(SemidDs)))
    changed = await room.read()
    assert changed.perm.mode & 0o777 == 0o644
    await semaphores.set(room)
    room.free()


async def test_errors_are_the_manual_pages(semaphores: SysVSemaphores) -> None:
    async def error(ops: list[Sembuf]) -> int | None:
        with pytest.raises(OSError, match="semop") as caught:
            await semaphores.semop(ops)
        return caught.value.errno

    assert await error([Sembuf(3, 1)]) == EFBIG
    assert await error([Sembuf(0, 1)] * 1000) == E2BIG
    assert await error([]) == EINVAL
    await semaphores.setval(32767)
    assert await error([Sembuf(0, 1)]) == ERANGE
    with pytest.raises(OSError, match="semctl") as caught:
        await semaphores.getval(3)
    assert caught.value.errno == EINVAL


async def test_what_does_not_fit_is_refused_before_any_call(
    task: Task, semaphores: SysVSemaphores
) -> None:
    for value in (-1, 32768):
        with pytest.raises(ArgumentRangeError, match="value"):
            await semaphores.setval(value)
        with pytest.raises(ArgumentRangeError, match="value"):
            await semaphores.setall([value, 0, 0])
    with pytest.raises(ArgumentRangeError, match="number of values"):
        await semaphores.setall([1, 2])
    small = await task.malloc(BYTES, 5)
    with pytest.raises(ArgumentRangeError, match="buffer"):
        await semaphores.getall(small)
    small.free()


async def test_sets_are_found_by_their_key(task: Task) -> None:
    key = task.process.near.id << 8 | 2
    async with await task.ipc.semget(key, 2, IPC.CREAT | IPC.EXCL) as made:
        assert (await task.ipc.semget(key, 0)).near == made.near
        with pytest.raises(OSError, match="semget") as caught:
            await task.ipc.semget(key, 3)
        assert caught.value.errno == EINVAL
        async with task.spawn(CLONE.NEWUSER) as inside:
            await made.set(evolve(found := await made.stat(), perm=evolve(found.perm, mode=0)))
            with pytest.raises(PermissionError, match="semget") as caught:
                await inside.ipc.semget(key, 0, mode=0o600)
            assert caught.value.errno == EACCES
    with pytest.raises(FileNotFoundError, match="semget"):
        await task.ipc.semget(key, 0)
