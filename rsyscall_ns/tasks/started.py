"""launch: a child that becomes a program at once, in one round trip where no id map is needed.

What it does, from its namespaces to its execve, is one program, posted before the child is made.
Nothing of it is undone when it fails: then the child is ended.
"""

from __future__ import annotations

from typing import Any, NoReturn, final

import trio
from attrs import frozen

from rsyscall_ns.handle.child import ChildProcess
from rsyscall_ns.handle.clone_flags import CloneFlagsError
from rsyscall_ns.handle.process_task import ProcessTask
from rsyscall_ns.handle.thread import ThreadProcess
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.transport.pace import pace

from .environment import Environments
from .exec import ExecPlan, ExecProgram
from .launch import FILES, NEW, FirstProgram, Launch
from .spawn import SpawnRequest, check_namespaces, write_child_maps

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
    if maps is None:
        exec_ = ExecProgram(plan, arena, environments, first.program if bits & NEW else None)
        first.program = exec_.program
    else:
        # it must not begin before its ids are mapped
        exec_ = ExecProgram(plan, arena, environments)
    try:
        launch = Launch(parent, bits, first)
        process = await launch.run(plan.needed)
        try:
            if maps is not None:
                await write_child_maps(parent, process, maps)
                made = await launch.alone()
                if made is None:
                    raise_lost(process)
                first.check(made, process)
                first.program = exec_.program
                launch.post()
            results = await launch.alone()
            if results is not None:
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
        exec_.release()
    process.did_exec(plan.command)
    return process


def raise_lost(process: ThreadProcess) -> NoReturn:
    raise TaskLostError(process, "it died while it made its namespaces")


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
