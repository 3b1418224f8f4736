"""What it costs to give a child a mebibyte and to get it back."""

from __future__ import annotations

import mmap
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import trio

from rsyscall_ns import SYS, FileDescriptor, O, Task
from rsyscall_ns.near import ids

from .measure import Case, Goal, Row, Sample, one, seconds
from .native import Native
from .rsyscall_ng import RsyscallNg

__all__ = ["Mover", "data_cases", "open_mover"]

GROUP: Final = "1 MiB to a child and back"
MEBIBYTE: Final = bytes(range(256)) * 4096
COPIES: Final = 10  # for one sample
ROUND_TRIPS: Final = 3
COMMAND: Final = "cat"
MEMORY: Final = b"memory\0"  # a file's name, for those who look into /proc


class WrongBytesError(AssertionError):
    """Something was measured that does not work."""

    def __init__(self) -> None:
        super().__init__("what came back is not what was sent")


class Mover:
    """The ways there and back; all of them end with the bytes that they began with."""

    def __init__(
        self, child: Task, null: FileDescriptor, file: FileDescriptor, cat: trio.Process
    ) -> None:
        self.child = child
        self.null = null
        self.file = file
        self.cat = cat
        self.memory = mmap.mmap(-1, len(MEBIBYTE))

    async def by_pointer(self) -> bytes:
        """Store it where the child sees it, have it make a call with that, and read it."""
        pointer = await self.child.ptr(MEBIBYTE)
        await self.null.write(pointer)
        back = await pointer.read()
        pointer.free()
        return back

    async def by_file(self) -> bytes:
        """Have the child write it to a file of its own in memory, and read it from there."""
        await self.file.pwrite(MEBIBYTE, 0)
        return await self.file.pread(len(MEBIBYTE), 0)

    async def by_cat(self) -> bytes:
        """Send it to a program and receive what that sends."""
        stdin, stdout = self.cat.stdin, self.cat.stdout
        assert stdin is not None
        assert stdout is not None
        back = bytearray()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stdin.send_all, MEBIBYTE)
            while len(back) < len(MEBIBYTE):
                back += await stdout.receive_some(len(MEBIBYTE))
        return bytes(back)

    async def by_nobody(self) -> bytes:
        """Store it in shared memory and read it, with no child at all."""
        self.memory[:] = MEBIBYTE
        return self.memory[:]


@asynccontextmanager
async def open_mover(child: Task) -> AsyncGenerator[Mover, None]:
    """Start what the ways go through; leaving the block ends it."""
    with child.transient(MEMORY) as name:
        number = await child.sysif.call(SYS.memfd_create, name.address.value, 0)
    assert number >= 0, f"memfd_create gave {number}"
    pipe = subprocess.PIPE
    async with (
        FileDescriptor(child, ids.FileDescriptor(number)) as file,
        await child.fs.open("/dev/null", O.WRONLY) as null,
    ):
        cat = await trio.lowlevel.open_process([COMMAND], stdin=pipe, stdout=pipe)
        try:
            yield Mover(child, null, file, cat)
        finally:
            with trio.CancelScope(shield=True):
                cat.kill()
                await cat.wait()


def checked(way: Callable[[], Awaitable[bytes]]) -> Sample:
    """Measure a way, after one time that shows that it works."""

    async def sample() -> float:
        if await way() != MEBIBYTE:
            raise WrongBytesError
        return await seconds(ROUND_TRIPS, way)

    return sample


def data_cases(mover: Mover, native: Native, rsyscall_ng: RsyscallNg) -> Sequence[Case]:
    """Return the cases."""
    floor = "data/c"

    def case(key: str, title: str, sample: Sample, *goals: Goal) -> Case:
        reference = None if key == floor else floor
        return one(Row(key, GROUP, title, "ms", "two memcpy", reference, goals), sample)

    return [
        case(
            "data/child", "child: store, one call, read", checked(mover.by_pointer), Goal(2, floor)
        ),
        case("data/file", "child: pwrite, pread, file in memory", checked(mover.by_file)),
        case("data/python", "interpreter: store, read", checked(mover.by_nobody)),
        case("data/cat", f"pipes to and from {COMMAND}, in trio", checked(mover.by_cat)),
        case("data/rsyscall-ng", rsyscall_ng.label, rsyscall_ng.sample("copy")),
        case(floor, "C: memcpy there, memcpy back", native.sample("copy", COPIES)),
    ]
