"""``task.ipc``: what there is in an ipc namespace."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rsyscall_ns import (
    CLONE,
    IPC,
    IPC_PRIVATE,
    Msginfo,
    Seminfo,
    ShmInfo,
    Shminfo,
    SysVMessage,
    SysVSegment,
    Task,
    struct_of,
)

NEW = CLONE.NEWUSER | CLONE.NEWIPC


@pytest.fixture
async def inside(task: Task) -> AsyncGenerator[Task, None]:
    """Make a child in an ipc namespace of its own, with nothing in it."""
    async with task.spawn(NEW) as made:
        yield made


async def test_queues_are_counted_and_listed(inside: Task) -> None:
    assert (await inside.ipc.msg_usage()).pool == 0
    queues = [await inside.ipc.msgget() for _ in range(3)]
    await queues[0].msgsnd(SysVMessage(b"abc"))
    usage = await inside.ipc.msg_usage()
    assert (usage.pool, usage.map, usage.tql) == (3, 1, 3)
    await queues[1].remove()
    found = await inside.ipc.queues()
    assert [(one.near, ds.qnum) for one, ds in found] == [(queues[0].near, 1), (queues[2].near, 0)]
    assert not found[0][0].owned


async def test_semaphores_are_counted_and_listed(inside: Task) -> None:
    assert await inside.ipc.semaphores() == []
    made = await inside.ipc.semget(IPC_PRIVATE, 5)
    usage = await inside.ipc.sem_usage()
    assert (usage.usz, usage.aem) == (1, 5)
    assert [(one.near, ds.nsems) for one, ds in await inside.ipc.semaphores()] == [(made.near, 5)]


async def test_segments_are_counted_and_listed(inside: Task) -> None:
    assert await inside.ipc.segments() == []
    made = await inside.ipc.shmget(IPC_PRIVATE, 4 * 4096)
    usage = await inside.ipc.shm_usage()
    assert (usage.used_ids, usage.tot) == (1, 4)
    found: list[tuple[SysVSegment, int]] = [
        (one, ds.segsz) for one, ds in await inside.ipc.segments()
    ]
    assert [(one.near, size) for one, size in found] == [(made.near, 4 * 4096)]


async def test_limits_are_those_of_the_namespace(task: Task) -> None:
    assert (await task.ipc.msg_limits()).max > 0
    assert (await task.ipc.sem_limits()).vmx == 32767
    assert (await task.ipc.shm_limits()).min == 1


async def test_what_is_told_can_be_filled_in_memory(task: Task) -> None:
    ipc = task.ipc
    messages = await ipc.msg_limits(await task.malloc(struct_of(Msginfo)))
    assert (await messages.read()).max == (await ipc.msg_limits()).max
    messages = await ipc.msg_usage(messages)
    messages.free()
    counters = await ipc.sem_limits(await task.malloc(struct_of(Seminfo)))
    assert await counters.read() == await ipc.sem_limits()
    counters = await ipc.sem_usage(counters)
    counters.free()
    memory = await ipc.shm_limits(await task.malloc(struct_of(Shminfo)))
    assert await memory.read() == await ipc.shm_limits()
    memory.free()
    usage = await ipc.shm_usage(await task.malloc(struct_of(ShmInfo)))
    assert (await usage.read()).used_ids >= 0
    usage.free()


async def test_namespaces_end_with_all_that_is_in_them(task: Task) -> None:
    async with task.spawn(NEW) as one, task.spawn(NEW) as other:
        made = await one.ipc.msgget(1, IPC.CREAT)
        assert not made.owned
        with pytest.raises(FileNotFoundError):
            await other.ipc.msgget(1)
