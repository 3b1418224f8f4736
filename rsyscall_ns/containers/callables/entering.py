"""Calling something in namespaces of others: in a child of the zygote, which joins them itself.

It is not dumpable from before it joins on, has what it needs loaded by then, and nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final

from attrs import frozen

from rsyscall_ns.containers.errors import ContainerArgumentError
from rsyscall_ns.containers.joining import IN_USER_NAMESPACE, Switch
from rsyscall_ns.containers.members import NamespaceMember
from rsyscall_ns.containers.ns_types import NS_MNT, ORDER
from rsyscall_ns.containers.setup import Setup
from rsyscall_ns.containers.streams import Three
from rsyscall_ns.handle.program import Program
from rsyscall_ns.near.abi.capability_block import capability_header
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.sched_h import CLONE, NO_FLAGS
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.tasks.spawn import SpawnRequest
from rsyscall_ns.tasks.task import Task

from .called import Called
from .calling import CallStart
from .job import Call, Enters, Extras
from .parts import Part

__all__ = ["Loading", "call_inside", "check_own"]

WORD: Final = 8
NO_STREAMS: Final[Three] = (None, None, None)


@final
@frozen
class Loading:
    """What a callable may load: ``imports`` before it joins, and afterwards ``foreign`` files."""

    imports: Sequence[str] = ()
    foreign: bool = False

    def __attrs_post_init__(self) -> None:
        if isinstance(self.imports, str):
            raise ContainerArgumentError(f"imports={self.imports!r}", "it is a list of modules")


def check_own(task: Task[Any] | None) -> None:
    """Refuse a task that is not this interpreter's."""
    if task is not None and not task.sysif.same_thread:
        raise ContainerArgumentError(
            repr(task), "a callable is called by this interpreter: leave task out"
        )


def settle(switch: Switch | None, numbers: Sequence[int]) -> Program:
    """Return the steps after the joining: ids, and fds that are needed no more."""
    program = Program()
    call = program.call
    keep = switch is not None and switch.keep_caps
    block = program.room(capability_header())
    if keep:
        call(SYS.capget, block, block + WORD)
        call(SYS.prctl, PR.SET_KEEPCAPS, 1)
    if switch is not None:
        must = not switch.best_effort
        call(SYS.setgroups, 0, 0, must_succeed=must)
        call(SYS.setresgid, *(3 * (switch.gid,)), must_succeed=must)
        call(SYS.setresuid, *(3 * (switch.uid,)), must_succeed=must)
    if keep:
        call(SYS.capset, block, block + WORD)
    for number in numbers:
        call(SYS.close, number)
    return program


async def call_inside(
    task: Task[Any],
    call: Call,
    members: Mapping[CLONE, NamespaceMember],
    switch: Switch | None,
    loading: Loading,
    *,
    every: bool,
    wanted: bool = True,
    streams: Three = NO_STREAMS,
) -> Called:
    """Start it; it is called when this returns. ``failed`` has what was not joined.

    ``every``: refuse to call it then. ``switch``: the ids to have; where a user namespace is
    joined and there is none, the ids of its root.
    """
    namespaces = tuple(
        (int(kind), members[kind].fd.near.number) for kind in ORDER if kind in members
    )
    numbers = [number for _, number in namespaces]
    enters = Enters(
        namespaces,
        every,
        Part.of(settle(switch, numbers)),
        Part.of(settle(switch or IN_USER_NAMESPACE, numbers)),
        NS_MNT in members and not loading.foreign,
    )
    request = SpawnRequest.make(NO_FLAGS, None, None, ())
    extras = Extras(imports=loading.imports, enters=enters)
    start = CallStart(task, request, call, streams, extras)
    return await start.run(Setup(), {}, wanted=wanted)
