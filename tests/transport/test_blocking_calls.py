"""A cancel ends any call that blocks in a child; the child and its other callers go on."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
import trio

from rsyscall_ns import AF, SOCK, SYS, ChildTask, SockaddrUn, Task, W
from rsyscall_ns.near.abi.wait_h import SIGINFO_SIZE, IdType
from tests.support.blocking import until_blocked, until_it_waits
from tests.support.children import thread_of

FOREVER = (10**9).to_bytes(8, "little") + bytes(8)  # a timespec
LOCK_EX = 2
FUTEX_WAIT = 0


@pytest.fixture
async def child(local: Task) -> AsyncGenerator[ChildTask, None]:
    async with local.spawn() as made:
        yield made


async def nanosleep(child: ChildTask, _tmp: Path) -> None:
    with child.transient(FOREVER) as time:
        await child.sysif.call(SYS.nanosleep, time.address.value, 0)


async def flock(child: ChildTask, _tmp: Path) -> None:
    async with (
        await child.fs.open("/dev/null") as first,
        await child.fs.open("/dev/null") as second,
    ):
        assert await child.sysif.call(SYS.flock, first.near.number, LOCK_EX) == 0
        await child.sysif.call(SYS.flock, second.near.number, LOCK_EX)


async def accept(child: ChildTask, tmp: Path) -> None:
    async with await child.net.socket(AF.UNIX, SOCK.STREAM) as listener:
        await listener.bind(SockaddrUn(bytes(tmp / "socket")))
        try:
            await listener.listen(1)
            await listener.accept()
        finally:
            with trio.CancelScope(shield=True):
                await child.fs.unlink(tmp / "socket")


async def waitid(child: ChildTask, _tmp: Path) -> None:
    async with child.spawn() as grandchild:
        with child.transient(SIGINFO_SIZE) as siginfo:
            pid, at = thread_of(grandchild).near.id, siginfo.address.value
            await child.sysif.call(SYS.waitid, IdType.PID, pid, at, W.EXITED, 0)


async def read(child: ChildTask, _tmp: Path) -> None:
    reader, writer = await child.fs.pipe2()
    async with reader, writer:
        await reader.read(1)


Blocking = Callable[[ChildTask, Path], Awaitable[None]]
BLOCKING: list[tuple[Blocking, int]] = [
    (nanosleep, SYS.nanosleep),
    (flock, SYS.flock),
    (accept, SYS.accept4),
    (waitid, SYS.waitid),
    (read, SYS.read),
]
NAMES = [call.__name__ for call, _ in BLOCKING]


async def test_a_wait_for_a_futex_is_ended(child: ChildTask) -> None:
    with child.transient(4) as word:
        at = word.address.value
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child.sysif.call, SYS.futex, at, FUTEX_WAIT, 0, 0)
                await until_it_waits(child, at)
                scope.cancel()
        assert scope.cancelled_caught
    assert await child.cred.getuid() == os.getuid()


@pytest.mark.parametrize(("call", "number"), BLOCKING, ids=NAMES)
async def test_it_is_ended_and_the_child_goes_on(
    child: ChildTask, tmp_path: Path, call: Blocking, number: int
) -> None:
    for _ in range(5):
        others: list[int] = []

        async def other(others: list[int] = others) -> None:
            others.append(await child.cred.getuid())

        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as inner:
                    inner.start_soon(call, child, tmp_path)
                    await until_blocked(child, number)
                    nursery.start_soon(other)  # waits for its turn behind the call that blocks
                    await trio.lowlevel.checkpoint()
                    scope.cancel()
            assert scope.cancelled_caught
        assert others == [os.getuid()]
