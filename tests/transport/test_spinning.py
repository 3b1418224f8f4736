"""For how long an answer is looked for before sleeping depends on what the call did last time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import pytest
import trio

from rsyscall_ns import SYS, ChildTask, Task
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.transport import ring
from tests.support.blocking import until_blocked


@final
class Recorder:
    """Stands for ``lib``; keeps for how long each call is looked for, and slept for within C."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401 - cffi's library has no type
        self._real = real
        self.looks: list[tuple[int, int]] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - and neither have its functions
        return getattr(self._real, name)

    def rs_ring_call(self, where: object, spin: int, nap: int, *args: int) -> int:
        """Make the call, and take note."""
        self.looks.append((spin, nap))
        made: int = self._real.rs_ring_call(where, spin, nap, *args)
        return made


def looks(microseconds: int) -> int:
    """Stand for ``spins``."""
    return 100 * microseconds


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Record from now on; where one processor is all there is, nobody would look."""
    made = Recorder(lib)
    monkeypatch.setattr(ring, "lib", made)
    monkeypatch.setattr(ring, "spins", looks)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the times that a transport is told, one for each time that it asks."""
    times: list[float] = []

    def tell() -> Iterator[float]:
        while True:
            yield times.pop(0) if times else 0.0

    told = tell()
    monkeypatch.setattr(ring, "perf_counter", lambda: next(told))
    return times


async def test_a_call_that_blocked_last_time_is_hardly_looked_for(
    local: Task, recorder: Recorder, clock: list[float]
) -> None:
    reading, writing = await local.fs.pipe2()
    async with local.spawn(inherit=[reading]) as child, writing, reading.inherit(child) as end:
        child.set_spins(20, 50)
        recorder.looks.clear()

        async def blocks() -> None:
            with child.transient(1) as room:
                args = (SYS.read, end.near.number, room.address.value, 1)
                assert await child.sysif.call(*args) == 1

        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                clock += [0.0, 1.0]  # it takes a second
                nursery.start_soon(blocks)
                await until_blocked(child)
                await writing.write(b"xyz")
            await blocks()
            await blocks()
        await reading.close()

    (usual, nap), hardly, again = recorder.looks[:3]
    assert usual > 0
    assert nap > 0
    assert hardly == (usual >> 3, 0)
    assert again == (usual, nap)


async def test_a_call_that_was_only_slow_to_reach_the_child_is_looked_for_again(
    child: ChildTask, recorder: Recorder, clock: list[float]
) -> None:
    child.set_spins(0, 0)  # hence always by way of the doorbell
    recorder.looks.clear()
    clock += [0.0, 0.0001] * 2

    for _ in range(2):
        assert await child.sysif.call(SYS.getpid) == child.process.near.id

    assert {nap > 0 for _, nap in recorder.looks} == {True}
