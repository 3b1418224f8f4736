"""The standard streams of a container: what was given for each, opened here before it is made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, Protocol, final, runtime_checkable

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near import ids
from rsyscall_ns.near.errors import ArgumentRangeError, named_here
from rsyscall_ns.near.ids import INT_MAX
from rsyscall_ns.near.strings import StrPath, c_path

from .errors import ContainerArgumentError

__all__ = ["DEVNULL", "PIPE", "STDOUT", "OpenStreams", "Stream", "check_streams"]

PIPE: Final = -1  # these are the numbers of subprocess too
STDOUT: Final = -2
DEVNULL: Final = -3
NAMES: Final = ("stdin", "stdout", "stderr")
FOR_WRITING: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@runtime_checkable
class HasFileno(Protocol):
    """A file object."""

    def fileno(self) -> int:
        """Return the number of its fd."""
        ...


Stream = int | StrPath | FileDescriptor | HasFileno | None
Three = tuple[FileDescriptor | None, FileDescriptor | None, FileDescriptor | None]


def check_streams(given: Sequence[Stream]) -> None:
    """Refuse what can't be a stream; opens nothing."""
    for name, stream in zip(NAMES, given, strict=True):
        if isinstance(stream, bool):
            raise ContainerArgumentError(f"{name}={stream}", "a path, an fd, a file, or PIPE")
        if isinstance(stream, int):
            lowest = STDOUT if name == "stderr" else PIPE
            if stream != DEVNULL and not lowest <= stream <= INT_MAX:
                raise ArgumentRangeError(name, stream, lowest, INT_MAX)
        elif isinstance(stream, str | bytes | os.PathLike):
            c_path(stream)
        elif not (
            stream is None or isinstance(stream, FileDescriptor) or hasattr(stream, "fileno")
        ):
            raise ContainerArgumentError(f"{name}={stream!r}", "a path, an fd, a file, or PIPE")


@final
class OpenStreams:
    """The streams, open; ``with`` it while the child is made. ``of`` is the child's part.

    What it has opened is closed when the block is left; of an error our ends of pipes as well.
    """

    __slots__ = ("_opened", "_ours", "_task", "of", "stderr", "stdin", "stdout")

    def __init__(self, task: MemoryTask) -> None:
        """``task``: the interpreter's own."""
        self._task = task
        self._opened: list[FileDescriptor] = []
        self._ours: dict[int, int] = {}  # our ends of pipes
        self.of: Three = (None, None, None)
        self.stdin: trio.lowlevel.FdStream | None = None
        self.stdout: trio.lowlevel.FdStream | None = None
        self.stderr: trio.lowlevel.FdStream | None = None

    async def open(self, given: Sequence[Stream]) -> None:
        """Open them."""
        found: list[FileDescriptor | None] = []
        for place, stream in enumerate(given):
            if place and stream == STDOUT and isinstance(stream, int):
                found.append(found[1] or self._own(os.dup(1)))
            else:
                found.append(await self._open(place, stream))
        self.of = (found[0], found[1], found[2])

    async def _open(self, place: int, stream: Stream) -> FileDescriptor | None:
        if stream is None:
            return None
        if isinstance(stream, FileDescriptor):
            if stream.task is self._task:
                return stream
            with stream.borrow() as near_id:
                return self._own(await stream.task.sysif.export_fd(near_id.number))
        if isinstance(stream, int):
            return self._own(self._number(place, stream))
        if isinstance(stream, str | bytes | os.PathLike):
            # a FIFO without its other end would hold the loop
            flags = FOR_WRITING if place else os.O_RDONLY
            number = os.open(stream, flags | os.O_NOCTTY | os.O_NONBLOCK, 0o666)
            os.set_blocking(number, True)
            return self._own(number)
        return self._own(os.dup(stream.fileno()))

    def _number(self, place: int, stream: int) -> int:
        if stream == DEVNULL:
            return os.open(os.devnull, os.O_RDWR)
        if stream != PIPE:
            return os.dup(stream)
        with named_here("pipe2"):
            reading, writing = os.pipe()
        ours, theirs = (reading, writing) if place else (writing, reading)
        self._ours[place] = ours
        return theirs

    def _own(self, number: int) -> FileDescriptor:
        made = FileDescriptor(self._task, ids.FileDescriptor(number))
        self._opened.append(made)
        return made

    def take(self) -> None:
        """Make streams of our ends of pipes: whoever takes them closes them."""
        for place, number in list(self._ours.items()):
            setattr(self, NAMES[place], trio.lowlevel.FdStream(number))
            del self._ours[place]

    def __enter__(self) -> OpenStreams:
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._ours.values():
            os.close(number)
        self._ours.clear()
        for fd in self._opened:
            fd.close_now()
