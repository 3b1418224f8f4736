"""The short way of a command into namespaces of others: one stub, which is told everything at once.

Nothing is said of what went wrong: then nothing has run, and the long way (``joining.py``) tells.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from typing import Any, Final

import trio
from attrs import frozen

from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.exec import ExecPlan
from rsyscall_ns.tasks.idwrite import Proc
from rsyscall_ns.tasks.relay import start_relayed
from rsyscall_ns.tasks.task import Task

from .commands import CommandResult, Streams, finish
from .joining import IN_USER_NAMESPACE, Switch
from .members import OWN, NamespaceMember
from .ns_types import FILE_NAMES, NS_TIME, NS_USER, ORDER

__all__ = ["Joins", "joins_of_members", "joins_of_process", "run_swiftly"]

KEPT: Final = 16  # commands
# a kind as a plain int, as a flag type's own operators are slow; the files of both sides; whether
# it is looked at in any case
LOOKS: Final = tuple(
    (
        int(kind),
        f"ns/{name}",
        f"thread-self/ns/{OWN.get(name, name)}",
        kind in {NS_TIME, NS_USER},
    )
    for kind, name in FILE_NAMES.items()
)


@frozen
class Joins:
    """What is joined by which fds of the task, in this order."""

    steps: tuple[tuple[int, int], ...]
    kinds: CLONE

    def append(self, program: Program, switch: Switch | None) -> None:
        """Append the joining, the ids, and what joining may have taken away."""
        for number, kinds in self.steps:
            program.call(SYS.setns, number, kinds)
        if switch is None and NS_USER in self.kinds:
            switch = IN_USER_NAMESPACE
        if switch is not None:
            must = not switch.best_effort
            program.call(SYS.setgroups, 0, 0, must_succeed=must)
            program.call(SYS.setresgid, *(3 * (switch.gid,)), must_succeed=must)
            program.call(SYS.setresuid, *(3 * (switch.uid,)), must_succeed=must)
        program.call(SYS.prctl, PR.SET_DUMPABLE, 0)
        program.call(SYS.prctl, PR.SET_PDEATHSIG, SIG.KILL)


def joins_of_members(members: Mapping[CLONE, NamespaceMember]) -> Joins:
    """Return how to join what is open: with all rights the user namespace last, else first."""
    order = [kind for kind in ORDER if kind in members]
    if os.geteuid():
        order.sort(key=lambda kind: kind != NS_USER)
    kinds = CLONE(0)
    for kind in order:
        kinds |= kind
    return Joins(tuple((members[kind].fd.near.number, int(kind)) for kind in order), kinds)


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def joins_of_process(task: Task[Any], pid: int, kinds: CLONE) -> AsyncGenerator[Joins | None]:
    """Give how to join those of a process that the task is not in already; None: not this way."""
    bits = int(kinds)
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        yield None
        return
    try:
        async with Proc(task, task.environments) as proc:
            everything = not os.geteuid()
            for number, theirs, ours, always in LOOKS:
                # who has all rights may join what it is in: but for some
                if not bits & number or (everything and not always):
                    continue
                found = identity_of(f"{pid}/{theirs}", proc)
                if found is None and number != NS_TIME:
                    bits = 0  # it is not to be seen: the long way tells why
                elif found is None or found == identity_of(ours, proc):
                    bits &= ~number
        yield Joins(((pidfd, bits),), CLONE(bits)) if bits else None
    finally:
        os.close(pidfd)


def identity_of(path: str, proc: int) -> tuple[int, int] | None:
    """Return device and inode of a namespace; None for one that can't be seen."""
    try:
        found = os.stat(path, dir_fd=proc)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def named(command: Command | Sequence[StrPath]) -> Command | None:
    """Return the command with all places where it may be; None for what is no command."""
    if isinstance(command, Command):
        return command
    if isinstance(command, str | bytes) or not command:
        return None
    name = os.fspath(command[0])
    if not isinstance(name, str):
        return None
    path = "" if "/" in name else os.environ.get("PATH") or os.defpath
    words = tuple(command)
    if all(type(word) is str for word in words):
        return kept(words, name, path)
    return found_on(path, name, words)


def found_on(path: str, name: str, words: Sequence[StrPath]) -> Command:
    """Return the command with its places on a PATH, which is empty for a path of its own."""
    places = [f"{folder or '.'}/{name}" for folder in path.split(":")] if path else [name]
    return Command(places[0], words, elsewhere=places[1:])


@lru_cache(maxsize=KEPT)
def kept(words: tuple[StrPath, ...], name: str, path: str) -> Command:
    """Return it for plain strings: of the same command, its plan is kept too."""
    return found_on(path, name, words)


@trio.lowlevel.enable_ki_protection
async def run_swiftly(
    task: Task[Any],
    joins: Joins | None,
    switch: Switch | None,
    given: Command | Sequence[StrPath],
    stdin: bytes | None,
) -> CommandResult | None:
    """Run a command to its end; None where that does not go this way, and nothing has run."""
    command = named(given)
    if joins is None or command is None or not task.sysif.same_thread:
        return None
    async with AsyncExitStack() as scope:
        streams: Streams | None = None
        if stdin is not None:
            streams = Streams(task, scope)
            await streams.open()
        three = (None, None, None) if streams is None else streams.three
        plan = ExecPlan.make(task, command, three, (), None)
        inherit = [number for number, _ in joins.steps]
        process = await start_relayed(
            task, task.environments, plan, lambda program: joins.append(program, switch), inherit
        )
        if process is None:
            return None
        scope.push_async_callback(process.end)
        return await finish(process, streams, stdin)
