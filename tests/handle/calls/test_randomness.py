"""Random bytes come in the number that was asked for."""

from __future__ import annotations

from errno import EINVAL

import pytest

from rsyscall_ns import BYTES, GRND, ArgumentRangeError, Task


@pytest.mark.parametrize("flags", [GRND.NONE, GRND.NONBLOCK, GRND.INSECURE])
async def test_they_differ_each_time(task: Task, flags: GRND) -> None:
    first, second = [await task.random.getrandom(32, flags) for _ in range(2)]

    assert len(first) == len(second) == 32
    assert first != second


@pytest.mark.parametrize("count", [0, 1, 1 << 16, (1 << 18) + 3])
async def test_there_are_as_many_as_were_asked_for(task: Task, count: int) -> None:
    assert len(await task.random.getrandom(count)) == count


async def test_the_callers_memory_is_filled(task: Task) -> None:
    size = (1 << 16) + 64
    memory = await task.ptr(bytes(size), BYTES)

    assert await task.random.getrandom(into=memory) is memory
    filled = memory.peek()

    assert any(filled[:64])
    assert any(filled[-64:])
    memory.free()


async def test_flags_that_contradict_are_refused(task: Task) -> None:
    with pytest.raises(OSError, match="getrandom") as caught:
        await task.random.getrandom(1, GRND.RANDOM | GRND.INSECURE)

    assert caught.value.errno == EINVAL


async def test_a_number_below_0_is_refused(task: Task) -> None:
    with pytest.raises(ArgumentRangeError):
        await task.random.getrandom(-1)
