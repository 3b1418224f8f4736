"""What the handle layer adds to a call: one byte read in a child."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from attrs import frozen

from rsyscall_ns import BYTES, SYS, FileDescriptor, Pointer, Task

from .measure import Case, Goal, Row, one, seconds

__all__ = ["open_reader", "read_cases"]

GROUP: Final = "one byte read in a child"
READS: Final = 200  # back to back, for one sample
WARM_UP: Final = 50


@frozen
class Reader:
    """A child, a file in it, and memory for a byte."""

    child: Task
    file: FileDescriptor
    pointer: Pointer[bytes]

    async def bare_sample(self) -> float:
        """Measure the system call."""
        number, place, call = self.file.near.number, self.pointer.near.value, self.child.sysif.call
        await seconds(WARM_UP, lambda: call(SYS.read, number, place, 1))
        return await seconds(READS, lambda: call(SYS.read, number, place, 1))

    async def handle_sample(self) -> float:
        """Measure the method of the handle, which returns bytes."""
        read = self.file.read
        await seconds(WARM_UP, lambda: read(1))
        return await seconds(READS, lambda: read(1))


@asynccontextmanager
async def open_reader(child: Task) -> AsyncGenerator[Reader, None]:
    """Make what is needed."""
    async with await child.fs.open("/dev/zero") as file:
        pointer = await child.malloc(BYTES, 1)
        yield Reader(child, file, pointer)
        pointer.free()


def read_cases(reader: Reader) -> Sequence[Case]:
    """Return the cases."""
    bare = Row("read/bare", GROUP, "child: the call alone, by number and address", "µs", "bare")
    goals = (Goal(1.5, "read/bare"),)
    handle = Row("read/handle", GROUP, "child: await fd.read(1)", "µs", "fd", "read/bare", goals)
    return [one(handle, reader.handle_sample), one(bare, reader.bare_sample)]
