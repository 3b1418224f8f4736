"""Memory that is resized or moved, and who else uses it meanwhile."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import MemoryMapping, Task, UseAfterFreeError

PAGE = 4096


async def test_memory_that_is_being_moved_is_not_used(child: Task) -> None:
    mapping = await child.mem.mmap(PAGE)
    reader, writer = await child.fs.pipe2()
    moved: list[MemoryMapping] = []

    async def move() -> None:
        moved.append(await mapping.mremap(2 * PAGE))

    async with reader, writer, trio.open_nursery() as nursery:
        waiting = trio.CancelScope()

        async def hold() -> None:
            with waiting:
                await reader.read()

        nursery.start_soon(hold)
        await wait_all_tasks_blocked()
        nursery.start_soon(move)  # waits for its turn in the child
        await wait_all_tasks_blocked()
        with pytest.raises(UseAfterFreeError):
            await mapping.munmap()
        with pytest.raises(UseAfterFreeError):
            await mapping.mremap(PAGE)
        with pytest.raises(UseAfterFreeError):
            await mapping.read()
        waiting.cancel()
    await moved[0].munmap()


async def test_memory_that_could_not_be_moved_is_still_there(task: Task) -> None:
    async with await task.mem.mmap(PAGE) as mapping:
        await mapping.write(b"kept")
        with pytest.raises(OSError, match=r"mremap\(2\)"):
            await mapping.mremap(1 << 46)
        assert await mapping.read(4) == b"kept"
