"""Chroot: a container whose root comes first."""

from __future__ import annotations

from typing import Any, Unpack

from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.task import Task

from .container import Container
from .options import Arguments, Target

__all__ = ["Chroot"]


class Chroot(Container):
    """A command below another root directory; a Container otherwise. May be subclassed.

    With a mount namespace (``mnt=True``) nothing else of the host can be reached; without one
    this is ``chroot(2)``, which a process that is root in there can leave.
    """

    def __init__(
        self,
        path: StrPath,
        target: Target,
        *,
        task: Task[Any] | None = None,
        **arguments: Unpack[Arguments],
    ) -> None:
        """``path``: the directory to be the root."""
        arguments["rootdir"] = path
        super().__init__(target, task=task, **arguments)
