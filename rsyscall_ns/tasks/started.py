"""launch: a child that becomes a program at once.

Nothing is asked of it on the way, but for one thing: it may exec only when its namespaces are made
and its ids are mapped. Nothing is undone in it when a step fails: then it is ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, final

import trio
from attrs import frozen

from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.clone_flags import CloneFlagsError
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.near.abi.wait_h import ChildState

from .environment import Environments
from .errand import run_errand
from .exec import ExecPlan
from .idwrite import IdMaps, OwnMaps
from .launch import FILES, Launch
from .spawn import NO_MAPS, SpawnRequest, WriteMaps, check_namespaces, write_child_maps
from .standing import NewExec
from .steps import NEW, Wanted

__all__ = ["LaunchRequest", "Launched"]

MakeExec = Callable[[ExecPlan, Wanted | None], NewExec]  # behind first steps


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
    parent: ProcessTask[Any],
    environments: Environments,
    request: LaunchRequest,
    *,
    to_its_end: bool = False,
) -> ChildProcess:
    """Make the child; it has exec'd when this returns. Otherwise nothing is left.

    ``to_its_end``: the program may have been waited for, too.
    """
    spawn, plan = request.spawn, request.plan
    wanted = await check_namespaces(parent, spawn) if spawn.bits & NEW else NO_MAPS
    await trio.lowlevel.checkpoint_if_cancelled()  # others have their turn while it execs

    def make(ready: ExecPlan, first: Wanted | None) -> NewExec:
        return NewExec(ready, parent.arena, environment, first)

    def attempt(inside: OwnMaps | None, outside: IdMaps | None) -> Awaitable[ChildProcess]:
        cgroup = 0 if spawn.cgroup is None else spawn.cgroup_number(parent)
        launch = Launch(parent, spawn.bits, inside, cgroup=cgroup)
        if outside is None:
            return run_at_once(launch, plan, make, to_its_end=to_its_end)
        write = spawn.writer or partial(write_child_maps, parent, environments, outside)
        return run_when_mapped(launch, plan, make, write)

    with environments.borrow(plan.command) as environment:
        if plan.plain:
            process = await wanted.written(parent, environments, attempt)
        else:
            await plan.check_program(parent)
            with plan.held(parent):
                process = await wanted.written(parent, environments, attempt)
    plan.done(process)
    return process


async def run_at_once(
    launch: Launch, plan: ExecPlan, make: MakeExec, *, to_its_end: bool
) -> ChildProcess:
    """Have the whole way done as one program: no exec where a namespace can't be made.

    The child has our processor as soon as we sleep, and not before. So what can be done later
    is. ``to_its_end``: its end is all that is waited for; then there is to be seen if it has
    exec'd.
    """
    async with launch:
        ready = plan if plan.init is None else await ringing(launch, plan)
        exec_ = make(ready, launch.first.wanted)
        launch.first.become(exec_)
        kept = () if ready.plain else ready.needed
        await launch.start(kept, exec_.take_block(), once=to_its_end)
        process = await launch.adopt_program() if to_its_end else None
        if process is None:
            results = await launch.alone()
        else:
            await process.wait()
            results = launch.outcome()
        if results is not None:
            launch.first.check(results, launch)
            exec_.fail(results, launch)
        if process is None:
            process = await launch.adopt_program()
        exec_.give_block(launch.leave_block())
        if ready.init is not None:
            ready.check_started(launch)
        return process


async def run_when_mapped(
    launch: Launch, plan: ExecPlan, make: MakeExec, write: WriteMaps
) -> ChildProcess:
    """Write the id maps of the child, which makes its namespaces meanwhile, before it execs."""
    async with launch:
        ready = plan if plan.init is None else await ringing(launch, plan)
        launch.first.build()
        await launch.start(() if ready.plain else ready.needed)
        process = await launch.adopt()
        await write(process)
        await launch.served()
        exec_ = make(ready, None)
        launch.first.become(exec_)
        launch.post()
        results = await launch.alone()
        if results is not None:
            exec_.fail(results, launch)
        ready.check_started(launch)
        return process


async def ringing(launch: Launch, plan: ExecPlan) -> ExecPlan:
    """Return the plan for this child: a process 1 tells by the doorbell that it has begun."""
    return plan.ringing(await launch.open_doorbell())


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

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> ChildProcess:
        self._process = await start_program(self._parent, self._environments, self._request)
        return self._process

    @trio.lowlevel.enable_ki_protection
    async def run(self, *, check: bool = True) -> ChildState:
        """Start the program, wait for its end, reap it, and return how it has ended.

        As a block that waits, and faster: nobody waits for its start. A cancel kills it. ``check``:
        raise UncleanExitError unless it exited with 0. ``waitid(2)``.
        """
        request, parent = self._request, self._parent
        plan, state = request.plan, None
        if plan.plain and parent.sysif.same_thread and not request.spawn.bits:
            state = await run_errand(parent, self._environments, plan)
        if state is None:
            # what it has of ours is held no longer than until it has exec'd
            process = await start_program(
                parent, self._environments, request, to_its_end=plan.plain
            )
            try:
                state = process.death_state or await process.wait()
            finally:
                await process.end()
        if check:
            state.check(plan.command)
        return state

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        await self._process.end()
