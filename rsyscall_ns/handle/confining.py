"""What restrictions of a task that can't be taken back have in common."""

from __future__ import annotations

from typing import final

from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.errors import RsyscallError

from .pointers.context import MemoryTask

__all__ = ["ForGoodError", "GivenUp", "TaskNeedsError", "gave_up", "in_child", "in_own_memory"]
__all__ += ["set_no_new_privs"]


@final
class GivenUp:
    """How often this interpreter has given up what the kernel tells nobody of."""

    times = 0


class ForGoodError(RsyscallError):
    """A restriction that can't be taken back was asked of the interpreter's own task."""

    def __init__(self, what: str, where: str = "a child") -> None:
        super().__init__(
            f"{what} would restrict this interpreter for good: do it in {where}, or say for_good"
        )


class TaskNeedsError(RsyscallError):
    """Something was to be taken from a task that it can't do without."""

    def __init__(self, task: object, what: str) -> None:
        super().__init__(
            f"{what} would end {task}, which can't do without: have it done by the program that is "
            "exec'd, or in the same program as its exec, by before="
        )


def in_child(task: MemoryTask, what: str, *, for_good: bool) -> None:
    """Raise ForGoodError for the interpreter's own task, unless that is what is wanted."""
    if task.sysif.same_thread and not for_good:
        raise ForGoodError(what)


def gave_up(task: MemoryTask) -> None:
    """Take note that a task has: what was started before has it still."""
    if task.sysif.same_thread:
        GivenUp.times += 1


def in_own_memory(task: MemoryTask, what: str, *, for_good: bool) -> None:
    """Raise ForGoodError for a task that shares the interpreter's memory, unless that is meant."""
    if task.arena.grows and not for_good:
        raise ForGoodError(what, "a child with own_memory=True")


async def set_no_new_privs(task: MemoryTask) -> None:
    """Have no exec give more rights than there are now. ``prctl(2)``, PR_SET_NO_NEW_PRIVS."""
    await near_process.prctl(task.sysif, PR.SET_NO_NEW_PRIVS, 1)
