"""Hub: the task whose network namespace the bridges are in, and what is known about it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, final

from attrs import evolve

from rsyscall_ns.containers.errors import IdMapHelperError
from rsyscall_ns.containers.idranges import every_id, writer_of
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.tasks.idmap import IdMap
from rsyscall_ns.tasks.spawn import SpawnRequest
from rsyscall_ns.tasks.task import Spawned, Task

from .errors import NetworkStateError

__all__ = ["Hub", "open_hub_task"]

BELOW: Final = CLONE.NEWNET | CLONE.NEWUSER


@asynccontextmanager
async def open_hub_task(local: Task[Any], *, above: bool) -> AsyncGenerator[Task[Any]]:
    """Give a child in a network of its own: an ordinary user's has all ids that he may map."""
    own = os.geteuid(), os.getegid()
    maps = None if above else every_id(own)
    writer = await writer_of(local, maps, own)
    async with AsyncExitStack() as scope:
        request = SpawnRequest.make(CLONE.NEWNET if above else BELOW, None, None, (), stub=True)
        mapped = request
        if maps is not None and writer is not None:
            mapped = SpawnRequest.make(BELOW, IdMap(maps.uid), IdMap(maps.gid), (), own_memory=True)
            mapped = evolve(mapped, writer=writer)
        try:
            task = await scope.enter_async_context(Spawned(local, mapped))
        except IdMapHelperError:  # then it has its own id alone
            task = await scope.enter_async_context(Spawned(local, request))
        yield task


@final
class Hub:
    """Where the other ends of containers' veth pairs are.

    ``above``: it has rights over the networks of all containers that the caller can make. Else over
    those only that its own task makes, in user namespaces below its own.
    """

    __slots__ = ("_names", "_next", "above", "closed", "task")

    def __init__(self, task: Task[Any], names: frozenset[str], *, above: bool) -> None:
        self.task = task
        self.above = above
        self.closed = False
        self._names = names
        self._next = 0

    def new_name(self) -> str:
        """Return a name that no interface of it has had."""
        while True:
            self._next += 1
            name = f"port{self._next}"
            if name not in self._names:
                return name

    def check_open(self, what: object) -> None:
        """Refuse when its block was left."""
        if self.closed:
            raise NetworkStateError(
                what, "is closed", "use it within the block of open_network, or open another one"
            )
