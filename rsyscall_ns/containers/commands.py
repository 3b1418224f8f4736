"""Commands that run in namespaces of others, to their end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, TypedDict

import trio
from attrs import frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.near.abi.signal_h import SIG, SIG_BLOCK
from rsyscall_ns.near.abi.wait_h import ChildState
from rsyscall_ns.near.errors import PathError
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.task import ChildTask, Task

from .joining import Joined
from .ns_types import NS_PID
from .streams import Three

__all__ = ["CommandResult", "Streams", "finish", "run_inside", "start_inside"]

PART = 65536
KEYS: Final = (SIG.INT, SIG.QUIT, SIG.HUP)  # what a terminal sends to end a program


@frozen
class CommandResult:
    """How a command has ended, and what it has written where that was caught."""

    state: ChildState
    stdout: bytes
    stderr: bytes

    @property
    def status(self) -> int:
        """The exit status as a shell gives it: 128 + N after signal N."""
        return self.state.shell_status()

    def check(self) -> CommandResult:
        """Raise UncleanExitError unless it exited with status 0."""
        self.state.check("the command")
        return self


async def resolved(task: ChildTask, command: Command | Sequence[StrPath]) -> Command:
    """Return a command whose program is found where the task sees files."""
    if isinstance(command, Command):
        return command
    if isinstance(command, str | bytes) or not command:
        raise PathError(command, "is no command: give a list of strings")
    found = await task.which(str(command[0]))
    return Command(found.executable, command)


class Given(TypedDict, total=False):
    """The streams of a command."""

    stdin: FileDescriptor
    stdout: FileDescriptor
    stderr: FileDescriptor


NONE: Final = Given()


class Streams:
    """Pipes to and from a command: our ends in one task, its in another, or in the same."""

    def __init__(
        self, ours: Task[Any], scope: AsyncExitStack, inside: ChildTask | None = None
    ) -> None:
        self._ours = ours
        self._scope = scope
        self._inside = inside
        self.near: list[FileDescriptor] = []
        self.far: list[FileDescriptor] = []

    async def open(self) -> None:
        """Make them: standard input, output and error."""
        for number in range(3):
            reader, writer = await self._ours.fs.pipe2()
            self._scope.push_async_callback(reader.close)
            self._scope.push_async_callback(writer.close)
            mine, theirs = (writer, reader) if number == 0 else (reader, writer)
            self.near.append(mine)
            if self._inside is None:
                self.far.append(theirs)
                continue
            self.far.append(await theirs.pass_to(self._inside))
            await theirs.close()

    @property
    def three(self) -> tuple[FileDescriptor, FileDescriptor, FileDescriptor]:
        """The command's ends."""
        read, write, error = self.far
        return read, write, error

    async def feed(self, content: bytes) -> None:
        """Write all that it reads, unless it stops reading."""
        try:
            for start in range(0, len(content), PART):
                await self.near[0].write_all(content[start : start + PART])
        except BrokenPipeError:
            pass
        finally:
            await self.near[0].close()

    async def collect(self, number: int, into: list[bytes]) -> None:
        """Read until it has closed the stream, and all that it has started."""
        while part := await self.near[number].read(PART):
            into.append(part)


async def launched(
    stub: ChildTask, command: Command, given: Given, scope: AsyncExitStack
) -> ChildProcess:
    """Have the stub start it, and tell how it ends: a key that ends both must not end the stub."""
    await stub.signals.sigprocmask(SIG_BLOCK, KEYS)
    return await scope.enter_async_context(stub.launch(command, **given))


async def start_inside(
    joined: Joined, command: Command | Sequence[StrPath], streams: Three, scope: AsyncExitStack
) -> ChildProcess:
    """Start it with streams that are the parent's; None leaves it this interpreter's."""
    stub = joined.stub
    found = await resolved(stub, command)
    copies = [None if fd is None else await fd.pass_to(stub) for fd in streams]
    given = NONE.copy()
    if copies[0] is not None:
        given["stdin"] = copies[0]
    if copies[1] is not None:
        given["stdout"] = copies[1]
    if copies[2] is not None:
        given["stderr"] = copies[2]
    if NS_PID not in joined.kinds:
        return await stub.exec(found, **given)
    process = await launched(stub, found, given, scope)
    for copy in filter(None, copies):
        await copy.close()
    return process


async def run_inside(
    joined: Joined, command: Command | Sequence[StrPath], stdin: bytes | None
) -> CommandResult:
    """Run it; ``stdin``: what it reads, None to leave it this interpreter's streams."""
    stub = joined.stub
    found = await resolved(stub, command)
    async with AsyncExitStack() as scope:
        streams: Streams | None = None
        given = NONE
        if stdin is not None:
            streams = Streams(joined.parent, scope, stub)
            await streams.open()
            read, write, error = streams.three
            given = Given(stdin=read, stdout=write, stderr=error)
        process: ChildProcess
        if NS_PID in joined.kinds:
            process = await launched(stub, found, given, scope)
        else:
            process = await stub.exec(found, **given)
            if streams is not None:
                streams.far.clear()  # they have gone with the task
        return await finish(process, streams, stdin)


async def finish(
    process: ChildProcess, streams: Streams | None, stdin: bytes | None
) -> CommandResult:
    """Let it run to its end, with what it reads and writes."""
    if streams is None or stdin is None:
        return CommandResult(await process.wait(), b"", b"")
    for fd in streams.far:
        await fd.close()
    out: list[bytes] = []
    errors: list[bytes] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(streams.feed, stdin)
        nursery.start_soon(streams.collect, 1, out)
        nursery.start_soon(streams.collect, 2, errors)
    return CommandResult(await process.wait(), b"".join(out), b"".join(errors))
