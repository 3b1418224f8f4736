"""Cancelling a read at any moment loses no byte and doubles none."""

from __future__ import annotations

import os
import random
import threading
from queue import SimpleQueue

import trio

from rsyscall_ns import Task

ROUNDS = 1000
RECORD = 8  # bytes


class Writer:
    """A thread that writes numbered records into a pipe, each when it is told to.

    It runs beside the event loop, so that a write can meet a cancel at the very same moment.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.orders: SimpleQueue[int] = SimpleQueue()
        self.written = 0
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while (turns := self.orders.get()) >= 0:
            for _ in range(turns):
                pass
            os.write(self.fd, self.written.to_bytes(RECORD, "little"))
            self.written += 1

    def write_after(self, turns: int) -> None:
        self.orders.put(turns)

    def stop(self) -> None:
        self.orders.put(-1)
        self.thread.join()


async def cancel_after(scope: trio.CancelScope, checkpoints: int, turns: int) -> None:
    for _ in range(checkpoints):
        await trio.lowlevel.checkpoint()
    for _ in range(turns):
        pass
    scope.cancel()


async def read_under_fire(task: Task, rounds: int) -> tuple[bytes, int, int]:
    """Return what was read, how many records were written, and how many reads were cancelled."""
    chance = random.Random(20261123)  # noqa: S311 - no secret
    reader, theirs = await task.fs.pipe2()
    ours = (
        os.dup(theirs.near.number)
        if task.sysif.same_thread
        else await task.sysif.export_fd(theirs.near.number)
    )
    await theirs.close()
    writer = Writer(ours)
    parts: list[bytes] = []
    cancelled = 0
    try:
        for _ in range(rounds):
            if chance.random() < 0.7:
                writer.write_after(chance.randrange(2000))
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    turns = chance.randrange(2000)
                    nursery.start_soon(cancel_after, scope, chance.randrange(4), turns)
                    data = await reader.read(chance.randrange(1, 3 * RECORD))
                    assert isinstance(data, bytes)
                    parts.append(data)
                    nursery.cancel_scope.cancel()
            cancelled += scope.cancelled_caught
    finally:
        writer.stop()
        os.close(ours)
    while data := await reader.read():
        assert isinstance(data, bytes)
        parts.append(data)
    await reader.close()
    return b"".join(parts), writer.written, cancelled


async def test_a_thousand_cancelled_reads_lose_and_double_no_byte(task: Task) -> None:
    got, written, cancelled = await read_under_fire(task, ROUNDS)

    assert written > 0
    assert cancelled > 0
    assert got == b"".join(index.to_bytes(RECORD, "little") for index in range(written))


async def test_children_are_read_and_cancelled_side_by_side(local: Task) -> None:
    async def one() -> None:
        async with local.spawn() as child:
            got, written, _ = await read_under_fire(child, 50)
            assert len(got) == written * RECORD

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(one)
