"""The fd table that a spawned child gets: its own, and small, whatever the interpreter has open."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest

from rsyscall_ns import CLONE, Program, Task, TaskLostError
from rsyscall_ns.tasks import first
from rsyscall_ns.tasks.block import STACK_SIZE
from rsyscall_ns.transport.posting import wait_alone
from rsyscall_ns.transport.ring import RingInterface
from tests.support.census import children, nothing_left
from tests.support.procfs import fd_links

MANY = 100
LOW = 64  # entries of the table that the kernel keeps in place; more are allocated
AT_MINSIGSTKSZ = 51
FRAMES = 2048  # bytes that the server itself takes at most, with much to spare


def doorbell(child: Task) -> int:
    """Return the number of a child's end of its doorbell."""
    assert isinstance(child.sysif, RingInterface)
    return child.sysif.server_doorbell


async def test_it_has_the_streams_and_the_doorbell_however_much_we_have_open(local: Task) -> None:
    with ExitStack() as ours, nothing_left(local):
        for _ in range(MANY):
            ours.callback(os.close, os.dup(0))
        async with local.spawn() as child:
            own = {0, 1, 2, doorbell(child)}
            links = fd_links(child.process.near.id)
            ours.close()

            assert set(links) <= own
            assert doorbell(child) in links


async def test_it_does_not_grow_with_the_number_of_children(local: Task) -> None:
    async with AsyncExitStack() as scope:
        several = [await scope.enter_async_context(local.spawn()) for _ in range(MANY)]

        assert all(doorbell(child) < LOW for child in several)
        assert [await child.cred.getuid() for child in several] == [os.getuid()] * MANY


async def test_it_is_its_own_as_soon_as_it_serves(local: Task) -> None:
    async with local.spawn() as child:
        reading, writing = await local.fs.pipe2()
        async with reading, writing:
            pipe = fd_links("self")[reading.near.number]

            assert pipe not in fd_links(child.process.near.id).values()
        assert await child.cred.getuid() == os.getuid()


async def test_what_it_inherits_may_be_closed_by_us_before_it_has_begun(
    local: Task, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def close_and_wait(*args: Any) -> Any:  # noqa: ANN401 - handed on as it is
        await reading.close()
        return await wait_alone(*args)

    monkeypatch.setattr(first, "wait_alone", close_and_wait)
    with nothing_left(local):
        reading, writing = await local.fs.pipe2()
        number = reading.near.number
        async with local.spawn(inherit=[reading]) as child:
            assert "pipe" in fd_links(child.process.near.id)[number]
        await writing.close()


@pytest.mark.parametrize("flags", [CLONE(0), CLONE.FILES], ids=str)
async def test_one_that_dies_before_it_serves_is_known_to_be_dead(
    local: Task, monkeypatch: pytest.MonkeyPatch, flags: CLONE
) -> None:
    before = children()
    blocking = Program()
    blocking.calls.ppoll(None, 0, None, None, 0)
    blocking.interruptible = False
    monkeypatch.setattr(first, "EMPTY", blocking)

    async def kill_and_wait(*args: Any) -> Any:  # noqa: ANN401 - handed on as it is
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)
        return await wait_alone(*args)

    monkeypatch.setattr(first, "wait_alone", kill_and_wait)
    with nothing_left(local), pytest.raises(TaskLostError, match="died before"):
        async with local.spawn(flags):
            pass


def test_its_stack_has_room_for_the_largest_signal_frame() -> None:
    frame = auxiliary(AT_MINSIGSTKSZ)

    assert frame + FRAMES <= STACK_SIZE


def auxiliary(kind: int) -> int:
    """Return a value that the kernel gave this process, 0 if it gave none."""
    data = Path("/proc/self/auxv").read_bytes()
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
    return dict(zip(words[::2], words[1::2], strict=True)).get(kind, 0)
