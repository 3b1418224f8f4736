"""A task that lives in namespaces of others: a stub that joins them.

By then it is a program of its own that nobody in there can trace, and its executable can't be
changed. Nothing is loaded in there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from errno import EPERM
from typing import Any, Final

import trio
from attrs import frozen

from rsyscall_ns.handle.calls.ns import not_allowed
from rsyscall_ns.handle.processes.thread import ThreadProcess
from rsyscall_ns.near.abi.capability_block import (
    capability_header,
    capability_words,
    pack_capabilities,
)
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.calls.base import run
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program, Ref
from rsyscall_ns.tasks.local import open_local_task
from rsyscall_ns.tasks.task import ChildTask, Task

from .members import NamespaceMember
from .ns_types import NS_PID, NS_TIME, NS_USER, ORDER

__all__ = ["IN_USER_NAMESPACE", "Joined", "Switch", "joined_stub", "task_inside", "task_or_local"]

WORD: Final = 8


@frozen
class Switch:
    """The ids to have afterwards, with no further group."""

    uid: int
    gid: int
    keep_caps: bool = False
    # for a user namespace that has no such ids, or lets nobody drop groups
    best_effort: bool = False


IN_USER_NAMESPACE: Final = Switch(0, 0, best_effort=True)


@frozen
class Joined:
    """A stub that has joined, and what it could not join."""

    parent: Task[Any]
    stub: ChildTask
    kinds: CLONE
    errors: Mapping[CLONE, OSError]


async def task_or_local(task: Task[Any] | None, scope: AsyncExitStack) -> Task[Any]:
    """Return the task, or this interpreter's, for the time of the scope."""
    if task is not None:
        return task
    return await scope.enter_async_context(open_local_task())


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def joined_stub(
    task: Task[Any], members: Mapping[CLONE, NamespaceMember], switch: Switch | None = None
) -> AsyncGenerator[Joined]:
    """Make a stub that joins them, as far as it can; it is in all others that the task is in.

    A pid namespace is joined for its children.
    """
    fds = [member.fd for member in members.values()]
    async with task.spawn(stub=True, inherit=fds) as stub:
        # copies with the numbers of ours, which nobody claims: they are closed with the last step
        stub.holdings.inherited.clear()
        numbers = {kind: member.fd.near.number for kind, member in members.items()}
        errors = await _join(stub, numbers)
        kinds = CLONE(0)
        for kind in numbers.keys() - errors.keys():
            kinds |= kind
        if switch is None and NS_USER in kinds:
            switch = IN_USER_NAMESPACE
        await _settle(stub, switch, numbers.values())
        stub.entered(kinds)
        if NS_TIME in kinds:
            stub.time_namespace = stub.time_for_children  # joined, unlike unshared, at once
        yield Joined(task, stub, kinds, errors)


async def _join(stub: ChildTask, numbers: Mapping[CLONE, int]) -> dict[CLONE, OSError]:
    """Join them with the rights that we have; then, what these are not enough for, from inside."""
    order = [kind for kind in ORDER if kind in numbers]
    failed = await _setns(stub, numbers, order)
    again = [kind for kind in order if failed.get(kind) == EPERM]
    if NS_USER in numbers and NS_USER not in failed and again:
        for kind in again:
            del failed[kind]
        failed |= await _setns(stub, numbers, again)
    return {
        kind: not_allowed(kernel_error(number, "setns", stub), int(kind), stub, joining=True)
        for kind, number in failed.items()
    }


async def _setns(
    stub: ChildTask, numbers: Mapping[CLONE, int], kinds: list[CLONE]
) -> dict[CLONE, int]:
    program = Program()
    program.interruptible = False
    steps: dict[CLONE, Ref] = {
        kind: program.call(SYS.setns, numbers[kind], int(kind), must_succeed=False)
        for kind in kinds
    }
    results = await stub.sysif.execute(program)
    return {kind: -results.value(ref) for kind, ref in steps.items() if results.value(ref) < 0}


async def _settle(stub: ChildTask, switch: Switch | None, done: Iterable[int]) -> None:
    """Change ids, and set what a change of rights takes away: that it dies with us, unseen.

    ``done``: fds that are needed no more.
    """
    program = Program()
    program.interruptible = False
    keep = switch is not None and switch.keep_caps
    with stub.transient(capability_header()) as sets:
        if keep:
            await near_cred.capget(stub.sysif, sets.address, sets.address + WORD)
        if switch is not None:
            must = not switch.best_effort
            if keep:
                program.call(SYS.prctl, PR.SET_KEEPCAPS, 1)
            program.call(SYS.setgroups, 0, 0, must_succeed=must)
            program.call(SYS.setresgid, *(3 * (switch.gid,)), must_succeed=must)
            program.call(SYS.setresuid, *(3 * (switch.uid,)), must_succeed=must)
        if keep:
            content = pack_capabilities(capability_words(sets.read()))
            program.write(sets.address.value, content)
            program.call(SYS.capset, sets.address.value, sets.address.value + WORD)
        program.call(SYS.prctl, PR.SET_DUMPABLE, 0)
        program.call(SYS.prctl, PR.SET_PDEATHSIG, SIG.KILL)
        for number in done:
            program.call(SYS.close, number)
        (await run(stub.sysif, program)).check(stub)


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def task_inside(joined: Joined) -> AsyncGenerator[ChildTask]:
    """Give the task that is in all of them: where a pid namespace is, a child of the stub."""
    async with AsyncExitStack() as scope:
        task: Task[ThreadProcess] = joined.stub
        if NS_PID in joined.kinds:
            task = await scope.enter_async_context(joined.stub.spawn())
        yield task
