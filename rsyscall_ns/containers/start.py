"""Starting a container: one program that ends in exec, or in steps with hooks in between.

When a step fails, or is cancelled, the child is ended: with it goes all that it has made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from errno import ENOSYS
from functools import lru_cache
from typing import Any, Final, final

from attrs import evolve, frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.program import Program
from rsyscall_ns.near.abi.fcntl_h import F_DUPFD_CLOEXEC
from rsyscall_ns.near.program import Ref
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.exec import ExecPlan
from rsyscall_ns.tasks.init import Init, open_init
from rsyscall_ns.tasks.spawn import SpawnRequest
from rsyscall_ns.tasks.started import Launched, LaunchRequest
from rsyscall_ns.tasks.task import ChildTask, Spawned, Task

from .errors import MountError
from .hooks import Hooks
from .running import Running, ended_by_errors
from .setup import Setup
from .streams import Three

__all__ = ["Start"]

Connect = Callable[[ChildTask], Awaitable[None]]

FIRST_PLAIN_FD: Final = 3
KEPT: Final = 16  # programs


@final
@frozen
class Start:
    """All that is needed to start one. ``given``: mounts that were made beforehand.

    ``connect``: makes its network, through the child.
    """

    task: Task[Any]
    request: SpawnRequest
    setup: Setup
    command: Command
    streams: Three
    pass_fds: tuple[FileDescriptor, ...]
    given: Mapping[object, FileDescriptor]
    connect: Connect | None = None
    init: Init | None = None

    async def run(self, hooks: Hooks | None, *, init: bool = False) -> Running:
        """Make it; it has exec'd when this returns. ``init``: with a process 1 of ours."""
        if not init:
            return await self._run(hooks)
        opened = open_init(self.task, dies=not self.setup.session)
        async with ended_by_errors() as started, opened as first:
            made = evolve(self, init=first)
            started.append(await made._run(hooks))  # noqa: SLF001 - of the same class
        return started[0]

    async def _run(self, hooks: Hooks | None) -> Running:
        # a child that changes its ids must not share our memory: it would belong to others then
        if hooks is not None or self.setup.ids is not None or self.connect is not None:
            return await self._in_steps(hooks)
        try:
            return await self._at_once(old=False)
        except MountError as error:
            if error.errno != ENOSYS or self.given:
                raise
        return await self._at_once(old=True)

    async def _at_once(self, *, old: bool) -> Running:
        if old or self.given:
            program = Program()
            self.setup.append_names(program)
            self.setup.append_places(program, copies(program, self.given), old=old)
        else:
            program = program_of(self.setup)
        before = program if len(program) else None
        init = None if self.init is None else self.init.plan(self.task)
        plan = ExecPlan.make(self.task, self.command, self.streams, self.pass_fds, before, init)
        request = LaunchRequest.make(self.request, plan)
        launched = Launched(self.task, self.task.environments, request)
        return Running(await launched.__aenter__(), launched)

    async def _in_steps(self, hooks: Hooks | None) -> Running:
        needed = [fd for fd in self.streams if fd is not None]
        needed += [*self.pass_fds, *self.given.values()]
        if self.init is not None:
            needed += [self.init.program, self.init.page]
        if isinstance(self.command.executable, FileDescriptor):
            needed.append(self.command.executable)
        every = list(dict.fromkeys(needed))
        own_memory = self.setup.ids is not None
        request = evolve(self.request, inherit=tuple(every), own_memory=own_memory)
        spawned = Spawned(self.task, request)
        async with AsyncExitStack() as undo:
            child = await undo.enter_async_context(spawned)
            copied = {fd: fd.inherit(child) for fd in every}
            if self.connect is not None:
                await self.connect(child)
            process = await self._become(child, copied, hooks)
            undo.pop_all()
        return Running(process, spawned)

    async def _become(
        self,
        child: ChildTask,
        copied: Mapping[FileDescriptor, FileDescriptor],
        hooks: Hooks | None,
    ) -> ChildProcess:
        names = Program()
        self.setup.append_names(names)
        await child.run(names)
        if hooks is not None:
            await hooks.preup(child)
        try:
            await self._go_places(child, copied)
        except BaseException as error:
            if hooks is not None:
                await hooks.exceptup(child, error)
            raise
        finally:
            if hooks is not None:
                await hooks.postup(child)
        command = within(self.command, copied)
        stdin, stdout, stderr = (None if fd is None else copied[fd] for fd in self.streams)
        passed = [copied[fd] for fd in self.pass_fds]
        init = self.init
        if init is not None:
            init = init.within(copied[init.program], copied[init.page])

        async def become() -> ChildProcess:
            if hooks is not None:
                await hooks.preexec(child)
            return await child.exec(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=passed,
                init=init,
            )

        try:
            return await become()
        except BaseException as error:
            if hooks is not None:
                try:
                    await hooks.exceptexec(error)
                finally:
                    await hooks.postexec()
            raise

    async def _go_places(
        self, child: ChildTask, copied: Mapping[FileDescriptor, FileDescriptor]
    ) -> None:
        given = {mount: copied[fd] for mount, fd in self.given.items()}
        try:
            await self._go(child, given, old=False)
        except MountError as error:
            # the calls that are missing come before anything is mounted
            if error.errno != ENOSYS or given:
                raise
            await self._go(child, given, old=True)

    async def _go(
        self, child: ChildTask, given: Mapping[object, FileDescriptor], *, old: bool
    ) -> None:
        places = Program()
        self.setup.append_places(places, copies(places, given), old=old)
        await child.run(places)


def within(command: Command, copied: Mapping[FileDescriptor, FileDescriptor]) -> Command:
    """Return a command as the child has it: its program may be an fd."""
    if not isinstance(command.executable, FileDescriptor):
        return command
    return evolve(command, executable=copied[command.executable])


@lru_cache(maxsize=KEPT)
def program_of(setup: Setup) -> Program:
    """Return all steps, kept for the next container of the kind: a program runs anywhere."""
    program = Program()
    setup.append_names(program)
    setup.append_places(program, {})
    return program


def copies(program: Program, fds: Mapping[object, FileDescriptor]) -> dict[object, Ref]:
    """Append copies of fds, which steps can then refer to."""
    return {
        key: program.calls.fcntl(fd, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD) for key, fd in fds.items()
    }
