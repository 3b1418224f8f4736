"""What the tables of this package call each method on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import frozen

from rsyscall_ns import (
    ChildProcess,
    FileDescriptor,
    FileFD,
    NamespaceFD,
    PidFD,
    Pointer,
    Process,
    SocketFD,
    Task,
)
from tests.support.stacks import StackPair

__all__ = ["Call", "World"]

Kind = TypeVar("Kind", bound=FileDescriptor)


@frozen
class World:
    """Something to call each method on."""

    task: Task
    other: Task
    process: ChildProcess
    any_process: Process  # the same one, by its id only
    told: ChildProcess  # whose siginfo was not read yet
    file: FileFD
    target: FileDescriptor
    socket: SocketFD
    pidfd: PidFD
    namespace: NamespaceFD
    pointer: Pointer[bytes]
    stack: StackPair

    def of_kind(self, kind: type[Kind]) -> Kind:
        """Return a handle of any kind: a cancelled call never sees that it is /dev/null."""
        with self.file.borrow() as near_id:
            return kind(self.task, near_id)


Call = Callable[[World], Awaitable[object]]
