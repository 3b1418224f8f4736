r"""Life: what goes through the life of a ``multiprocessing.Process``, asynchronously.

::

    created --start--> running --its process ends, and somebody waits--> ended
       \--a step fails: nothing is left; it may be started again

Owns our ends of its pipes, its process, and what that was made by. How it is made is its kind's.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AsyncExitStack, suppress
from itertools import count
from typing import Final, Self

import trio

from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.child_errors import ChildDeadError, ExitStatusLostError
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.abi.wait_h import ChildState
from rsyscall_ns.transport.apart import to_the_end

from .errors import ContainerStateError
from .keeping import keep, let_go
from .running import Running
from .status import exit_code_of, is_alive
from .streams import OpenStreams

__all__ = ["Life"]

NUMBERS: Final = count(1)


class Life:
    """A process that is started, waited for, signalled and ended, once."""

    def __init__(self, name: str | None, *, daemon: bool) -> None:
        """``daemon``: whether it is killed, not waited for, when the trio run ends."""
        self.name = name or f"{type(self).__name__}-{next(NUMBERS)}"
        self.daemon = daemon
        self.stdin: trio.lowlevel.FdStream | None = None
        self.stdout: trio.lowlevel.FdStream | None = None
        self.stderr: trio.lowlevel.FdStream | None = None
        self._running: Running | None = None
        self._scope = AsyncExitStack()  # of what it was made by
        self._starting = False
        self._wanted = False  # whether somebody waits for a callable's result
        self._ending = trio.Lock()
        self._ended = False
        self._lost: ExitStatusLostError | None = None

    # to be said by each kind

    @abstractmethod
    async def _make(self, undo: AsyncExitStack) -> Running:
        """Start it; ``undo`` is left when it has ended, or could not be started."""

    async def _after(self) -> None:
        """Do something when it has ended."""

    # its beginning

    @trio.lowlevel.enable_ki_protection
    async def start(self) -> None:
        """Start it; it runs when this returns. Otherwise nothing is left."""
        await self._start()
        keep(self, self._at_end_of_run)

    async def _start(self, *, wanted: bool = False) -> None:
        if self._running is not None or self._starting:
            raise ContainerStateError(self, "was started", "make another one")
        self._starting, self._wanted = True, wanted
        try:
            async with AsyncExitStack() as undo:
                self._running = await self._make(undo)
                self._scope = undo.pop_all()
        finally:
            self._starting = False

    def _take(self, streams: OpenStreams) -> None:
        """Own our ends of its pipes from now on."""
        streams.take()
        self.stdin, self.stdout, self.stderr = streams.stdin, streams.stdout, streams.stderr

    def _started(self) -> Running:
        if self._running is None:
            raise ContainerStateError(self, "was not started", "await it.start() first")
        return self._running

    # its end

    @trio.lowlevel.enable_ki_protection
    async def wait(self) -> ChildState:
        """Wait for its end, and give back all but our ends of pipes."""
        process = self._started().process
        if self._lost is not None:
            raise self._lost
        try:
            state = await process.wait()
        except ExitStatusLostError as error:
            self._lost = error
            await self._end()
            raise
        await self._end()
        return state

    async def join(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - multiprocessing's
        """Wait for its end, for so many seconds at the most: then it just goes on."""
        with trio.move_on_after(float("inf") if timeout is None else timeout):
            await self.wait()

    async def check(self) -> ChildState:
        """Wait for its end; raise UncleanExitError unless it exited with 0."""
        state = await self.wait()
        state.check(self)
        return state

    async def _end(self) -> None:
        if not self._ended:
            await to_the_end(self._end_once)

    async def _end_once(self) -> None:
        async with self._ending:
            running = self._running
            if self._ended or running is None:
                return
            try:
                await running.close()
            finally:
                self._ended = True
                let_go(self)
                try:
                    await self._scope.aclose()
                finally:
                    await self._after()

    async def _at_end_of_run(self) -> None:
        """Wait for it, or kill it: the trio run that it was started in ends."""
        if self.daemon:
            await self._end()
        else:
            with suppress(ExitStatusLostError):
                await self.wait()

    # both, as a block and as a task

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Self:
        await self._start()
        return self

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        try:
            await self._end()
        finally:
            for stream in (self.stdin, self.stdout, self.stderr):
                if stream is not None:
                    stream.close()

    async def run_in_nursery(
        self, *, task_status: trio.TaskStatus[Life] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Be a task: ``await nursery.start(it.run_in_nursery)``. A cancel kills it."""
        async with self:
            task_status.started(self)
            await self.wait()

    # input: as Popen.communicate calls it
    async def communicate(self, input: bytes = b"") -> tuple[bytes | None, bytes | None]:  # noqa: A002
        """Write ``input`` to its stdin, read stdout and stderr to their ends, and wait."""
        try:
            return await self._communicate(input)
        except BaseExceptionGroup as group:
            # that several tasks are at work is nothing that a caller should see
            error, *others = group.exceptions
            if others:
                raise
        raise error

    async def _communicate(self, data: bytes) -> tuple[bytes | None, bytes | None]:
        if self.stdin is self.stdout is self.stderr is None:
            await self._listen()
            await self.wait()
            return None, None
        found: dict[str, bytes] = {}

        async def read(name: str, stream: trio.lowlevel.FdStream) -> None:
            parts = [part async for part in stream]
            found[name] = b"".join(parts)

        async def write(stream: trio.lowlevel.FdStream) -> None:
            with suppress(trio.BrokenResourceError):  # it need not read to the end
                await stream.send_all(data)
            await stream.aclose()

        async with trio.open_nursery() as nursery:
            if self.stdin is not None:
                nursery.start_soon(write, self.stdin)
            for name, stream in (("stdout", self.stdout), ("stderr", self.stderr)):
                if stream is not None:
                    nursery.start_soon(read, name, stream)
            await self._listen()
            await self.wait()
        return found.get("stdout"), found.get("stderr")

    async def _listen(self) -> None:
        """Wait for a callable's result, where somebody is to get it."""
        called = self._started().called
        if called is not None and self._wanted:
            await called.listen()

    # what can be told, and done

    @property
    def process(self) -> ChildProcess:
        """Its process."""
        return self._started().process

    @property
    def pid(self) -> int | None:
        """Its process id, as the caller sees it; None before it is started."""
        return None if self._running is None else self._running.process.near.id

    @property
    def ident(self) -> int | None:
        """The same."""
        return self.pid

    def is_alive(self) -> bool:
        """Whether it was started, and has not ended."""
        if self._running is None or self._ended:
            return False
        return is_alive(self._running.process)

    @property
    def exitcode(self) -> int | None:
        """Its exit status, -N if signal N killed it, None while it runs or where nobody knows."""
        if self._running is None:
            return None
        return exit_code_of(self._running.process, ended=self._ended)

    async def send_signal(self, sig: int) -> None:
        """Signal it; nothing happens if that has ended."""
        with suppress(ChildDeadError, ProcessLookupError):
            await self.process.kill(sig)

    async def terminate(self) -> None:
        """Send SIGTERM."""
        await self.send_signal(SIG.TERM)

    async def kill(self) -> None:
        """Send SIGKILL."""
        await self.send_signal(SIG.KILL)
