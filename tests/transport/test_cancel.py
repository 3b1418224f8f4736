"""Cancelling a read at any moment loses no byte and doubles none."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest
import trio

from rsyscall_ns import FileDescriptor, Task
from rsyscall_ns.near import ids

ROUNDS = 10_000  # of reads in a child
ROUNDS_HERE = 1000
RECORD = 8  # bytes
ORDER = 2  # bytes
SPINS = 2000
SCRIPT = f"""
import os, sys
number = 0
while order := os.read(0, {ORDER}):
    for _ in range(int.from_bytes(order, "little")):
        pass
    os.write(1, number.to_bytes({RECORD}, "little"))
    number += 1
"""


class Writer:
    """A process that writes numbered records into a pipe, each a moment after it is told to.

    A process, not a thread: it runs beside the event loop, so that a write can meet a cancel at
    the very same moment, and never keeps Python's lock from the loop.
    """

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.written = 0
        command = [sys.executable, "-I", "-S", "-c", SCRIPT]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=writer)
        os.close(writer)

    def write_after(self, spins: int) -> None:
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), spins.to_bytes(ORDER, "little"))
        self.written += 1

    def finish(self) -> None:
        """Tell the process to end once it has done what it was told to. Idempotent."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def close(self) -> None:
        self.finish()
        assert self.process.wait() == 0
        os.close(self.reader)


@pytest.fixture
def writers() -> Iterator[list[Writer]]:
    made = [Writer() for _ in range(4)]
    yield made
    for writer in made:
        writer.close()


async def cancel_after(scope: trio.CancelScope, checkpoints: int, spins: int) -> None:
    for _ in range(checkpoints):
        await trio.lowlevel.checkpoint()
    for _ in range(spins):
        pass
    scope.cancel()


async def read_under_fire(task: Task, writer: Writer, rounds: int) -> tuple[bytes, int]:
    """Return what was read, and how many of the reads were cancelled."""
    chance = random.Random(20261123)  # noqa: S311 - no secret
    number = await task.sysif.import_fd(writer.reader)
    reader = FileDescriptor(task, ids.FileDescriptor(number))
    parts: list[bytes] = []
    cancelled = 0
    for _ in range(rounds):
        if chance.random() < 0.7:
            writer.write_after(chance.randrange(SPINS))
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                spins = chance.randrange(SPINS)
                nursery.start_soon(cancel_after, scope, chance.randrange(4), spins)
                parts.append(await reader.read(chance.randrange(1, 3 * RECORD)))
                nursery.cancel_scope.cancel()
        cancelled += scope.cancelled_caught
    writer.finish()
    while data := await reader.read():
        parts.append(data)
    await reader.close()
    return b"".join(parts), cancelled


def records(count: int) -> bytes:
    return b"".join(number.to_bytes(RECORD, "little") for number in range(count))


async def test_thousands_of_cancelled_reads_lose_and_double_no_byte(
    task: Task, writers: list[Writer]
) -> None:
    rounds = ROUNDS_HERE if task.sysif.same_thread else ROUNDS
    got, cancelled = await read_under_fire(task, writers[0], rounds)

    assert cancelled > 0
    assert got == records(writers[0].written)


async def test_children_are_read_and_cancelled_side_by_side(
    local: Task, writers: list[Writer]
) -> None:
    async def one(writer: Writer) -> None:
        async with local.spawn() as child:
            got, _ = await read_under_fire(child, writer, 50)
            assert got == records(writer.written)

    async with trio.open_nursery() as nursery:
        for writer in writers:
            nursery.start_soon(one, writer)
