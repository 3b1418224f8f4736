"""System V shared memory, and how it is mapped."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from errno import EACCES, EINVAL

import pytest
from attrs import evolve

from rsyscall_ns import (
    CLONE,
    IPC,
    IPC_PRIVATE,
    PROT,
    SHM,
    SHMGET,
    AddressSpaceMismatchError,
    MappingFlagsError,
    ShmidDs,
    SysVSegment,
    Task,
    UseAfterFreeError,
    struct_of,
)

PAGE = 4096
SIZE = 2 * PAGE + 100


@pytest.fixture
async def segment(task: Task) -> AsyncGenerator[SysVSegment, None]:
    async with await task.ipc.shmget(IPC_PRIVATE, SIZE) as made:
        yield made


async def test_processes_see_what_others_write(task: Task, segment: SysVSegment) -> None:
    async with task.spawn(own_memory=True) as other:
        async with (
            await segment.shmat() as ours,
            await segment.for_task(other).shmat(SHM.RDONLY) as theirs,
        ):
            assert ours.size() == 3 * PAGE
            await ours.write(b"shared", PAGE)
            assert await theirs.read(6, PAGE) == b"shared"
            with pytest.raises(OSError, match="process_vm_writev"):
                await theirs.write(b"read only")
            assert (await segment.stat()).nattch == 2
            with pytest.raises(AddressSpaceMismatchError):
                ours.for_task(other)
        assert (await segment.stat()).nattch == 0


async def test_a_segment_is_detached_once(segment: SysVSegment) -> None:
    mapping = await segment.shmat()
    await mapping.mprotect(PROT.READ)
    again = mapping.for_task(segment.task)
    await again.shmdt()
    assert (await segment.stat()).nattch == 0
    with pytest.raises(UseAfterFreeError):
        await again.shmdt()
    moved = await (await segment.shmat()).mremap(4 * PAGE)
    async with moved:
        assert (await segment.stat()).nattch == 1
    assert (await segment.stat()).nattch == 0


async def test_a_mapping_can_be_unmapped_as_any_other(segment: SysVSegment) -> None:
    await (await segment.shmat()).munmap()
    assert (await segment.stat()).nattch == 0


async def test_only_a_segment_is_detached(task: Task) -> None:
    async with await task.mem.mmap(PAGE) as mapping:
        with pytest.raises(MappingFlagsError, match="munmap"):
            await mapping.shmdt()


async def test_a_segment_that_is_removed_stays_while_it_is_attached(task: Task) -> None:
    segment = await task.ipc.shmget(IPC_PRIVATE, SIZE)
    async with await segment.shmat() as mapping:
        other = segment.for_task(task)
        await segment.remove()
        await mapping.write(b"still")
        assert (await other.stat()).nattch == 1
    with pytest.raises(OSError, match="shmctl") as caught:
        await other.stat()
    assert caught.value.errno == EINVAL


async def test_a_segment_goes_where_it_is_told(task: Task, segment: SysVSegment) -> None:
    hole = await task.mem.mmap(4 * PAGE)
    place = hole.near
    with pytest.raises(OSError, match="shmat") as caught:
        await segment.shmat(address=place)
    assert caught.value.errno == EINVAL
    await hole.munmap()
    async with await segment.shmat(SHM.RND, address=place + 5) as mapping:
        assert mapping.near == place
    with pytest.raises(MappingFlagsError, match="destroys"):
        await segment.shmat(SHM.REMAP, address=place)
    with pytest.raises(OSError, match="shmat") as caught:
        await segment.shmat(address=place + 5)
    assert caught.value.errno == EINVAL


async def test_what_a_segment_is_can_be_read_and_set(task: Task, segment: SysVSegment) -> None:
    found = await segment.stat()
    assert (found.segsz, found.perm.mode & 0o777, found.nattch) == (SIZE, 0o600, 0)
    assert found.cpid == task.process.near.id
    await segment.set(evolve(found, perm=evolve(found.perm, mode=0o640)))
    room = await segment.stat(await task.malloc(struct_of(ShmidDs)))
    assert (await room.read()).perm.mode & 0o777 == 0o640
    await segment.set(room)
    room.free()
    await segment.lock()
    assert (await segment.stat()).perm.mode & 0o2000
    await segment.unlock()
    assert not (await segment.stat()).perm.mode & 0o2000


async def test_segments_are_found_by_their_key(task: Task) -> None:
    key = task.process.near.id << 8 | 3
    flags = SHMGET.CREAT | SHMGET.EXCL | SHMGET.NORESERVE
    async with await task.ipc.shmget(key, SIZE, flags) as made:
        assert made.owned
        async with await task.ipc.shmget(key, 0) as found:
            assert found.near == made.near
        with pytest.raises(FileExistsError, match="shmget"):
            await task.ipc.shmget(key, SIZE, IPC.CREAT | IPC.EXCL)
        with pytest.raises(OSError, match="shmget") as caught:
            await task.ipc.shmget(key, SIZE + PAGE)
        assert caught.value.errno == EINVAL
    with pytest.raises(FileNotFoundError, match="shmget"):
        await task.ipc.shmget(key, 0)
    with pytest.raises(OSError, match="shmget") as caught:
        await task.ipc.shmget(IPC_PRIVATE, 0)
    assert caught.value.errno == EINVAL


async def test_who_may_not_attach_is_told(task: Task) -> None:
    async with (
        task.spawn(CLONE.NEWUSER) as inside,
        await inside.ipc.shmget(IPC_PRIVATE, PAGE, mode=0o400) as segment,
    ):
        async with await segment.shmat(SHM.RDONLY):
            assert (await segment.stat()).nattch == 1
        with pytest.raises(PermissionError, match="shmat") as caught:
            await segment.shmat()
        assert caught.value.errno == EACCES
