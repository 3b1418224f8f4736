"""Called: a callable's process as its caller has it, and what comes back from it."""

from __future__ import annotations

import json
import os
import signal
import struct
from collections.abc import Mapping
from contextlib import suppress
from errno import ENOMEM
from typing import Any, Final, NoReturn, Self, final

import trio

from rsyscall_ns.containers.errors import (
    CallablePickleError,
    ForeignImportError,
    PidNamespaceDeadError,
    RemoteTracebackError,
    ResultPickleError,
    TargetEndedError,
)
from rsyscall_ns.handle.calls.ns import not_allowed
from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.tasks.readiness import ChildReadiness, ChildWatcher
from rsyscall_ns.tasks.task import Task
from rsyscall_ns.transport.apart import to_the_end

from . import pickling
from .channel import HEAD
from .foreign import NotLoadedHereError
from .job import Job
from .line import Line

__all__ = ["Called", "adopted", "reap"]

ID: Final = struct.Struct("=i")


@final
class Called:
    """A callable's process, and the channel to it. Owns both; ``async with`` ends them.

    The process may become another one on the way there: its child, which is ours too.
    """

    __slots__ = (
        "_greeted",
        "_line",
        "_page",
        "_target",
        "_task",
        "failed",
        "outcome",
        "process",
    )

    def __init__(
        self,
        task: Task[Any],
        target: object,
        process: ChildProcess,
        line: Line,
        page: int | None,
    ) -> None:
        """``page``: a file where a process tells the id of the one that it makes; owned."""
        self._task = task
        self._target = target
        self._line = line
        self._page = page
        self._greeted = False  # by it
        self.process = process
        self.failed: Mapping[CLONE, OSError] = {}  # the namespaces that were not entered
        self.outcome: tuple[Mapping[str, Any], bytes] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._line.close()
        await to_the_end(self._end)

    async def _end(self) -> None:
        await self.process.end()
        page, self._page = self._page, None
        if page is None:
            return
        (pid,) = ID.unpack(os.pread(page, ID.size, 0))
        os.close(page)
        if pid not in {0, self.process.near.id}:  # it was made, and that was not told any more
            await reap(pid)

    async def go(self) -> None:
        """Have it go on."""
        await self._line.send(b"G")

    async def adopt(self, pid: int) -> None:
        """Take the process that it has made in its place, and have that go on."""
        before = self.process

        async def change() -> None:
            try:
                pidfd = os.pidfd_open(pid)
            except ProcessLookupError:
                await before.end()  # the other one was ended, and nobody was to be told
            else:
                self.process = await adopted(self._task, pid, pidfd)
                await before.end()

        await to_the_end(change)
        await self.go()

    async def hello(self) -> None:
        """Wait until it is there. Idempotent."""
        if self._greeted:
            return
        if await self._line.receive(1) is None:
            await self._ended()
        self._greeted = True

    async def answer(self) -> tuple[Mapping[str, Any], bytes] | None:
        """Return what it tells next; None where it has ended.

        What it has forked may have the channel open for longer.
        """
        readiness, watcher = self.process.readiness, self._task.watcher
        assert isinstance(readiness, ChildReadiness)
        assert isinstance(watcher, ChildWatcher)
        pidfd, hub = readiness.poll_fd, watcher.hub

        def shut() -> None:
            hub.remove(pidfd, shut)
            self._line.shut()

        hub.add(pidfd, shut)
        try:
            return await self._message()
        finally:
            hub.remove(pidfd, shut)

    async def told(self) -> tuple[Mapping[str, Any], bytes]:
        """Return what it tells next; raises TargetEndedError where it has ended."""
        found = await self.answer()
        if found is None:
            await self._ended()
        return found

    async def _message(self) -> tuple[Mapping[str, Any], bytes] | None:
        sizes = await self._line.receive(HEAD.size)
        if sizes is None:
            return None
        first, second = HEAD.unpack(sizes)
        head, body = await self._line.receive(first), await self._line.receive(second)
        return None if head is None or body is None else (json.loads(head), body)

    async def begin(self, job: Job, message: bytes) -> None:
        """Have it do its job; returns when the steps are done, raises what failed."""
        await self._line.send(message, job.content)
        # it finds its job when it gets as far: nobody waits for the other in between
        await self.hello()
        answer = await self.told()
        if answer[0]["is"] == "moved":
            await self.adopt(answer[0]["pid"])
            answer = await self.told()
        head, _ = answer
        self.failed = refusals(head.get("failed", {}))
        for error in self.failed.values() if head["is"] == "apart" else ():
            raise error
        if head["is"] == "failed":
            raise job.error(head["part"], head["step"], head["errno"], self.process)
        if head["is"] == "unloaded":
            raise CallablePickleError(self._target, head["shown"])
        if head["is"] != "started":  # a hook has raised before
            self.outcome = answer
            if head["is"] == "exited":
                await self._ended()
            self._raise(answer)

    @property
    def exited(self) -> bool:
        """Whether it was ended by a SystemExit, once its end was listened for."""
        return self.outcome is not None and self.outcome[0]["is"] == "exited"

    async def listen(self) -> None:
        """Wait for its result, which ``result`` gives then."""
        self.outcome = await self.answer()

    async def _ended(self) -> NoReturn:
        raise TargetEndedError(self._target, await self.process.wait())

    def _raise(self, answer: tuple[Mapping[str, Any], bytes]) -> NoReturn:
        head, body = answer
        cause = RemoteTracebackError(head["shown"])
        if not body:
            raise ResultPickleError(
                self._target, f"raised, {head['type']},", head["why"]
            ) from cause
        try:
            error = pickling.loads(body)
        except Exception as why:  # noqa: BLE001 - what making one raises
            raise ResultPickleError(self._target, "raised", str(why)) from cause
        assert isinstance(error, BaseException)
        if isinstance(error, NotLoadedHereError):
            error = ForeignImportError(str(error), error.name)
        raise error from cause

    def result(self, state: object) -> object:
        """Return what it has returned; raises what it has raised."""
        if self.outcome is None:
            raise TargetEndedError(self._target, state)
        head, body = self.outcome
        if head["is"] == "exited":
            raise TargetEndedError(self._target, state)
        if head["is"] == "unpicklable":
            raise ResultPickleError(self._target, "returned", head["shown"])
        if head["is"] == "raised":
            self._raise(self.outcome)
        try:
            return pickling.loads(body)
        except Exception as why:
            error = f"{type(why).__name__}: {why}"
            raise ResultPickleError(self._target, "returned", error) from why


async def adopted(task: Task[Any], pid: int, pidfd: int) -> ChildProcess:
    """Return the process of a child of ours that something else has made. Owns the pidfd."""
    fd = PidFD(task, ids.FileDescriptor(pidfd))
    process = ChildProcess(task, ids.Process(pid), pidfd=fd)
    watcher = task.watcher
    assert isinstance(watcher, ChildWatcher)
    process.readiness = await watcher.watch(fd)
    task.children.add(process)
    return process


def refusals(failed: Mapping[str, int]) -> dict[CLONE, OSError]:
    """Return the errors of namespaces that were not entered."""
    who = "the callable's process"
    found: dict[CLONE, OSError] = {}
    for name, number in failed.items():
        kind = CLONE(int(name))
        found[kind] = not_allowed(kernel_error(number, "setns", who), int(kind), who, joining=True)
        if (kind, number) == (CLONE.NEWPID, ENOMEM):
            found[kind] = PidNamespaceDeadError(number)
    return found


async def reap(pid: int) -> None:
    """Kill and reap a child of ours that nobody else has."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return  # somebody else has reaped it
    try:
        with suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # noqa: ASYNC222 - does not block
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            await trio.lowlevel.wait_readable(pidfd)
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED)  # noqa: ASYNC222 - it is dead
    finally:
        os.close(pidfd)
