"""launch: a child that becomes a program at once.

Nothing is asked of it on the way, but for one thing: it may exec only when its namespaces are made
and its ids are mapped. Nothing is undone in it when a step fails: then it is ended.
"""

from __future__ import annotations

from typing import Any, final

import trio
from attrs import frozen

from rsyscall_ns.handle.child import ChildProcess
from rsyscall_ns.handle.clone_flags import CloneFlagsError
from rsyscall_ns.handle.process_task import ProcessTask
from rsyscall_ns.handle.thread import ThreadProcess
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.transport.pace import pace

from .environment import Environments
from .exec import ExecPlan
from .launch import FILES, NEW, FirstProgram, Launch
from .spawn import SpawnRequest, check_namespaces, write_child_maps
from .standing import NewExec

__all__ = ["LaunchRequest", "Launched"]


@frozen
class LaunchRequest:
    """A program, and the child that is to run it."""

    spawn: SpawnRequest
    plan: ExecPlan

    @classmethod
    def make(cls, spawn: SpawnRequest, plan: ExecPlan) -> LaunchRequest:
        """Refuse what can't work."""
        if spawn.bits & FILES:
            raise CloneFlagsError(spawn.bits, "a program has an fd table of its own")
        return cls(spawn, plan)


async def start_program(
    parent: ProcessTask[Any], environments: Environments, request: LaunchRequest
) -> ThreadProcess:
    """Make the child; it has exec'd when this returns. Otherwise nothing is left."""
    bits, plan, arena = request.spawn.bits, request.plan, parent.arena
    maps = await check_namespaces(parent, request.spawn) if bits & NEW else None
    await pace()
    first = FirstProgram(arena, bits)
    with environments.borrow(plan.command) as environment:
        exec_: NewExec | None = None
        try:
            if maps is None and first.program is not None:
                # all in one: it must not exec if a namespace can't be made
                exec_ = NewExec(plan, arena, environment, first.program)
            launch = Launch(parent, bits, first)
            process = await launch.run(plan.needed)
            try:
                if maps is not None:
                    await write_child_maps(parent, process, maps)
                    if first.program is not None:
                        await make_namespaces(launch, first, process)
                if exec_ is None:
                    # made while the child begins to run
                    exec_ = NewExec(plan, arena, environment, None)
                    first.program, first.steps = exec_.program, exec_.steps
                    launch.post()
                results = await launch.alone()
                if results is not None:
                    if maps is None:
                        first.check(results, process)
                    exec_.fail(results, process)
            except BaseException:
                with trio.CancelScope(shield=True):
                    await process.end()
                raise
            finally:
                launch.close()
        finally:
            first.forget()
            if exec_ is not None:
                exec_.release()
    process.did_exec(plan.command)
    return process


async def make_namespaces(launch: Launch, first: FirstProgram, process: ThreadProcess) -> None:
    """Wait until the child has made its namespaces; raises what went wrong."""
    results = await launch.alone()
    if results is None:
        raise TaskLostError(process, "it died while it made its namespaces")
    first.check(results, process)


@final
class Launched:
    """The scope of one program: entering it starts the program, leaving it kills and reaps."""

    __slots__ = ("_environments", "_parent", "_process", "_request")

    _process: ChildProcess

    def __init__(
        self, parent: ProcessTask[Any], environments: Environments, request: LaunchRequest
    ) -> None:
        self._parent = parent
        self._environments = environments
        self._request = request

    async def __aenter__(self) -> ChildProcess:
        self._process = await start_program(self._parent, self._environments, self._request)
        return self._process

    async def __aexit__(self, *_: object) -> None:
        await self._process.end()
