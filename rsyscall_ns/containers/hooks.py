"""Hooks: what may come between the steps of a container. These do nothing with what they get."""

from __future__ import annotations

from typing import Final

import trio

from rsyscall_ns.tasks.task import ChildTask

from .life import Life

__all__ = ["Hooks"]

BETWEEN: Final = ("preup", "postup", "exceptup", "preexec", "exceptexec")


class Hooks(Life):
    """A life with hooks between its steps, to be overridden in a subclass of a container."""

    async def preup(self, task: ChildTask) -> None:
        """Do something with the child in its namespaces, before session, root and directories."""
        del task
        await trio.lowlevel.checkpoint()

    async def postup(self, task: ChildTask) -> None:
        """Do something after those, whether they worked or not."""
        del task
        await trio.lowlevel.checkpoint()

    async def exceptup(self, task: ChildTask, error: BaseException) -> None:
        """Do something when one of those failed, before ``postup``."""
        del task, error
        await trio.lowlevel.checkpoint()

    async def preexec(self, task: ChildTask) -> None:
        """Do something as the last before the command."""
        del task
        await trio.lowlevel.checkpoint()

    async def exceptexec(self, error: BaseException) -> None:
        """Do something when the command could not be started."""
        del error
        await trio.lowlevel.checkpoint()

    async def postexec(self) -> None:
        """Do something when the command has ended, or could not be started."""
        await trio.lowlevel.checkpoint()

    def hooked(self) -> bool:
        """Whether one of those is overridden that come between steps: then there are such."""
        kind = type(self)
        return any(getattr(kind, name) is not getattr(Hooks, name) for name in BETWEEN)
