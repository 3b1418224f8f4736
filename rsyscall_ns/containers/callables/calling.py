"""Starting a Python callable in a process of its own."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from errno import ENOSYS
from functools import partial
from typing import Any, Final, final

import trio
from attrs import frozen

from rsyscall_ns.containers.errors import ContainerArgumentError, MountError, ZygoteLostError
from rsyscall_ns.containers.setup import Setup
from rsyscall_ns.containers.streams import Three
from rsyscall_ns.handle.calls.ns import not_allowed
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.program import Program
from rsyscall_ns.memory.memfile import new_page
from rsyscall_ns.near.abi.capability_block import (
    AMBIENT_RAISE,
    pack_capabilities,
)
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES
from rsyscall_ns.near.errors import kernel_error, named_here
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.exec import ExecPlan
from rsyscall_ns.tasks.spawn import (
    NO_MAPS,
    SpawnRequest,
    WantedMaps,
    check_namespaces,
    write_child_maps,
)
from rsyscall_ns.tasks.started import Launched, LaunchRequest
from rsyscall_ns.tasks.task import Task
from rsyscall_ns.transport.apart import to_the_end

from .beforehand import Beforehand
from .breeder import MODULE, Birth, task_fd, the_zygote
from .called import Called, adopted, reap
from .forking import Fork, check_alone, fork
from .job import Call, Extras, Hooked, Job, module_command
from .line import Line

__all__ = ["CallStart", "check_supported"]

Connect = Callable[[ChildProcess], Awaitable[None]]
EVERY: Final = 2**32 - 1
CAPABILITIES: Final = 64
Made = tuple[Job, bytes]  # and the message that it begins with
WORD: Final = 8
CREDENTIALS: Final = 12
FOR_CHILDREN: Final = CLONE.NEWPID | CLONE.NEWTIME  # who unshares them is not in them


@final
@frozen
class CallStart:
    """All that is needed to start one. ``connect``: makes the network of its process."""

    task: Task[Any]
    request: SpawnRequest
    call: Call
    streams: Three
    extras: Extras
    hooks: Hooked | None = None
    connect: Connect | None = None

    async def run(
        self, setup: Setup, environment: Mapping[str, str | None], *, wanted: bool
    ) -> Called:
        """Start it; the callable is on its way when this returns. Otherwise nothing is left."""
        method = self.call.start_method
        forks = method == "fork"
        if forks:
            check_alone()
        content = b"" if forks else self.call.pickled(self.hooks)
        old = False
        while True:
            async with AsyncExitStack() as undo:

                def job(page: int | None, *, old: bool = old) -> tuple[Job, bytes]:
                    flags, extras = self.request.flags, self.extras
                    made = Job(content, setup, flags, extras, page=page, wanted=wanted, old=old)
                    known = the_zygote().surroundings if method == "zygote" else None
                    return made, made.message(environment, known)

                called, ready = await self._make(undo, job)
                if self.connect is not None:
                    await called.hello()
                    await self.connect(called.process)
                try:
                    await called.begin(*ready.get())
                except MountError as error:
                    if old or error.errno != ENOSYS:
                        raise
                    old = True
                    continue
                undo.pop_all()
                return called

    async def _make(
        self, undo: AsyncExitStack, job: Callable[[int | None], Made]
    ) -> tuple[Called, Beforehand[Made]]:
        """Make its process, which waits for its job; ``undo`` ends it. Returns the job as well."""
        method = self.call.start_method
        forked = method == "fork" and self.request.flags & FOR_CHILDREN
        flags = self.request.flags & NEW_NAMESPACES
        wanted = NO_MAPS
        if flags and method != "spawn":
            wanted = await check_namespaces(self.task, self.request)
        with named_here("socketpair"):
            ours, theirs = socket.socketpair()
        line = Line(ours)
        undo.callback(line.close)
        with theirs:
            page = None
            if forked or self.extras.enters is not None:
                page = new_page("rsyscall_ns-page")
                undo.callback(os.close, page)
            ready = Beforehand(partial(job, page))
            if method == "fork":
                process = await self._forked(undo, theirs, page)
            elif method == "spawn":
                process = await self._spawned(undo, theirs)
            else:
                process = await self._cloned(undo, ours, theirs, page, ready.begin)
                await self._write_maps(process, wanted)
        called = Called(self.task, self.call.target, process, line, page)
        undo.pop_all()
        await undo.enter_async_context(called)
        if method == "fork":
            await self._unshared(called, wanted)
        return called, ready

    async def _spawned(self, undo: AsyncExitStack, theirs: socket.socket) -> ChildProcess:
        async with task_fd(self.task, os.dup(theirs.fileno())) as end:
            words = module_command(f"{MODULE}.inside.run_child", end.near.number)
            command = Command(words[0], words)
            before = keeping_rights() if self.request.new_user else None
            fds = (end, *self.extras.passed, *self.extras.given.values())
            plan = ExecPlan.make(self.task, command, self.streams, fds, before)
            request = LaunchRequest.make(self.request, plan)
            launched = Launched(self.task, self.task.environments, request)
            return await undo.enter_async_context(launched)

    async def _cloned(
        self,
        undo: AsyncExitStack,
        ours: socket.socket,
        theirs: socket.socket,
        page: int | None,
        meanwhile: Callable[[], None],
    ) -> ChildProcess:
        task, flags = self.task, self.request.flags & NEW_NAMESPACES
        places = self._places(page)
        closed = self.extras.enters is not None
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

        async def make() -> ChildProcess:
            try:
                birth = Birth(int(flags), theirs.fileno(), places, closed)
                pid, pidfd = await the_zygote().clone(birth, meanwhile)
            except ZygoteLostError:
                theirs.close()
                await end_orphan(ours)
                raise
            except OSError as error:
                raise not_allowed(error, int(flags), task) from error
            process = await adopted(task, pid, pidfd)
            undo.push_async_exit(partial(ended, process))
            return process

        return await to_the_end(make)

    async def _write_maps(self, process: ChildProcess, wanted: WantedMaps) -> None:
        if wanted.maps is not None:
            task = self.task
            write = self.request.writer or partial(
                write_child_maps, task, task.environments, wanted.maps
            )
            await write(process)

    async def _forked(
        self, undo: AsyncExitStack, theirs: socket.socket, page: int | None
    ) -> ChildProcess:
        task, call = self.task, self.call
        flags = self.request.flags & NEW_NAMESPACES
        request = Fork(theirs.fileno(), page, int(flags), self._places(page))
        given = (call.target, call.args, dict(call.kwargs), self.hooks)

        async def make() -> ChildProcess:
            process = await adopted(task, *fork(request, given))
            undo.push_async_exit(partial(ended, process))
            return process

        return await to_the_end(make)

    async def _unshared(self, called: Called, wanted: WantedMaps) -> None:
        """Wait until it has new namespaces, write their id maps, and have it go on."""
        task, flags = self.task, self.request.flags & NEW_NAMESPACES
        head, _ = await called.told()
        if head["errno"]:
            error = kernel_error(head["errno"], "unshare", called.process)
            raise not_allowed(error, int(flags), task)
        await self._write_maps(called.process, wanted)
        await called.go()
        if flags & FOR_CHILDREN:
            head, _ = await called.told()
            if head["is"] != "moved":
                raise not_allowed(
                    kernel_error(head["errno"], "clone", called.process), int(flags), task
                )
            await called.adopt(head["pid"])

    def _places(self, page: int | None) -> dict[int, int]:
        """Return all its fds but the channel, as ours, by the numbers that they have there."""
        places: dict[int, int] = {}
        for target, (own, given) in enumerate(zip(open_streams(), self.streams, strict=True)):
            number = own if given is None else given.near.number
            if number >= 0:
                places[target] = number
        for number in self.extras.numbers(self.task):
            places.setdefault(number, number)
        if page is not None:
            places[page] = page
        return places


async def end_orphan(ours: socket.socket) -> None:
    """End a child that the zygote may have made before it died: it tells us its id."""
    await trio.lowlevel.wait_readable(ours)
    with suppress(ConnectionError):
        _, control, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(CREDENTIALS))
        for _, _, data in control:
            pid = int.from_bytes(data[:4], "little")
            if pid:
                await reap(pid)


async def ended(process: ChildProcess, *_: object) -> None:
    """End a process that a block is left without."""
    await process.end()


def open_streams() -> list[int]:
    """Return our standard streams, -1 for one that is not open."""
    found: list[int] = []
    for number in range(3):
        try:
            fcntl.fcntl(number, fcntl.F_GETFD)
        except OSError:
            found.append(-1)
        else:
            found.append(number)
    return found


def keeping_rights() -> Program:
    """Return steps after which an exec leaves the rights in a new user namespace."""
    program = Program()
    block = program.room(pack_capabilities((EVERY,) * 6))
    program.call(SYS.capset, block, block + WORD, must_succeed=False)
    for bit in range(CAPABILITIES):
        program.call(SYS.prctl, PR.CAP_AMBIENT, AMBIENT_RAISE, bit, must_succeed=False)
    return program


def check_supported(flags: CLONE) -> None:
    """Refuse what a callable can't have."""
    if flags & ~NEW_NAMESPACES:
        raise ContainerArgumentError(
            f"{flags & ~NEW_NAMESPACES!r}", "a callable's process shares nothing with the caller"
        )
