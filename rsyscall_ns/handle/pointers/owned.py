"""OwnedFD: an owned entry of an fd table, used through one task.

Several handles may own one entry (``for_task``): the entry is closed with the last of them. A
handle forgets its number before the kernel is asked to close it. One that was forgotten without
being closed is closed as soon as its task makes the next fd.
"""

from __future__ import annotations

import os
from typing import ClassVar, Self, TypeVar, final

import trio

from rsyscall_ns.far.namespaces import FDTable
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import (
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_SETFD,
    FD_CLOEXEC,
    O,
)
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls.base import close_here
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.transport.pace import pace

from .context import MemoryTask
from .fd_errors import FDClosedError, FDNotInheritedError, FDTargetError

__all__ = ["FDBorrow", "OwnedFD"]

R = TypeVar("R")


@final
class FDBorrow:
    """``with fd.borrow() as near_id``."""

    __slots__ = ("_fd", "_task")

    def __init__(self, fd: OwnedFD, task: MemoryTask) -> None:
        self._fd = fd
        self._task = task

    def __enter__(self) -> ids.FileDescriptor:
        near_id = self._fd.near
        self._task.check_fd_table(self._fd, self._fd.table)
        return near_id

    def __exit__(self, *_: object) -> None:
        pass  # nothing was taken: a handle may be closed while a call is under way


class OwnedFD:
    """Who owns an fd, and for how long. Its one subclass adds what any fd can do."""

    __slots__ = ("__weakref__", "_near", "_number", "_slow", "table", "task")

    kind: ClassVar[str] = "fd"

    def __init__(self, task: MemoryTask, near_id: ids.FileDescriptor) -> None:
        """Take over an open entry of the task's fd table."""
        self.task = task
        self.table = task.fd_table
        self._near = near_id
        self._number = near_id.number
        self._slow: bool | None = None
        task.holdings.hold(self._number)
        task.handles.add(self)

    def __repr__(self) -> str:
        number = "closed" if self._number < 0 else str(self._number)
        return f"{type(self).__name__}({number}, {self.task!r})"

    def __del__(self) -> None:
        number, self._number = getattr(self, "_number", -1), -1
        # an entry of a table that the task has left is not ours to close
        if number < 0 or self.table is not self.task.fd_table:
            return
        if self.task.holdings.drop(number):
            if self.task.sysif.same_thread:
                os.close(number)
            else:
                self.task.holdings.forgotten.append(number)

    @property
    def near(self) -> ids.FileDescriptor:
        """The near id; raises FDClosedError when the handle is closed."""
        if self._number < 0:
            raise FDClosedError(type(self).__name__)
        return self._near

    @property
    def inheritable(self) -> bool:
        """Whether programs that the task execs inherit the entry."""
        return self._number in self.task.holdings.inheritable

    @property
    def valid(self) -> bool:
        """Whether the handle is open and its task still has the fd table that it is of."""
        return self._number >= 0 and self.table is self.task.fd_table

    def borrow(self, task: MemoryTask | None = None) -> FDBorrow:
        """Use the fd in a call of ``task`` (default: its own); checked before the call."""
        return FDBorrow(self, task or self.task)

    def moved(self, table: FDTable) -> int | None:
        """Follow the task into its copy of the fd table."""
        self.table = table
        return self._number if self._number >= 0 else None

    # ownership

    def for_task(self, task: MemoryTask) -> Self:
        """Return one more handle of the same entry, used through a task of the same fd table."""
        with self.borrow(task) as near_id:
            return type(self)(task, near_id)

    def inherit(self, task: MemoryTask) -> Self:
        """Return a handle of the copy that ``task`` got of this fd when it was made."""
        with self.borrow() as near_id:
            if task.fd_table is self.table:
                return type(self)(task, near_id)
            if task.holdings.inherited.get(near_id.number) is not self.table:
                raise FDNotInheritedError(self, task)
            del task.holdings.inherited[near_id.number]
            return type(self)(task, near_id)

    @trio.lowlevel.enable_ki_protection
    async def pass_to(self, task: MemoryTask) -> Self:
        """Put a copy of the fd into the fd table of ``task``, close-on-exec; returns its handle.

        This handle stays as it is. ``unix(7)``, SCM_RIGHTS.
        """
        await task.sweep()
        with self.borrow() as near_id:
            exported = await self.task.sysif.export_fd(near_id.number)
        try:
            if task.sysif.same_thread:
                number, exported = exported, -1
            else:
                number = await task.sysif.import_fd(exported)
        finally:
            if exported >= 0:
                os.close(exported)
        return type(self)(task, ids.FileDescriptor(number))

    @trio.lowlevel.enable_ki_protection
    async def close(self) -> None:
        """Close the handle, and the entry with its last handle. Consumes it; idempotent.

        ``close(2)``; an error of the close itself is that of an earlier write, and is raised.
        """
        if self.close_now() or not self.task.holdings.drop(self._number):
            self._number = -1
            await pace()
            return
        number, self._number = self._number, -1
        with trio.CancelScope(shield=True):
            try:
                await near_fd.close(self.task.sysif, ids.FileDescriptor(number))
            except TaskLostError:
                # closed with its process, unless another task shares the table: that one sweeps
                self.task.holdings.forgotten.append(number)

    def close_now(self) -> bool:
        """Close it if that takes no call in another process; returns whether it is closed."""
        if self.valid and not self.task.sysif.same_thread:
            return False
        number, self._number = self._number, -1
        self.task.sysif.closing(number)
        if number >= 0 and self.table is self.task.fd_table and self.task.holdings.drop(number):
            close_here(number)
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @trio.lowlevel.enable_ki_protection
    async def dup(self) -> Self:
        """Return a handle of a new entry for the same open file, close-on-exec. ``dup(2)``."""
        await self.task.sweep()
        with self.borrow() as near_id:
            number = await near_fd.fcntl(self.task.sysif, near_id, F_DUPFD_CLOEXEC, 0)
        return type(self)(self.task, ids.FileDescriptor(number))

    async def dup2(self, target: OwnedFD) -> Self:
        """Make ``target``'s entry a copy of this one, not close-on-exec, as ``dup2(2)`` does.

        Consumes ``target``, which must be the only handle of its entry; returns the handle of the
        entry. A program that is exec'd later inherits it.
        """
        return await self.dup3(target, 0)

    @trio.lowlevel.enable_ki_protection
    async def dup3(self, target: OwnedFD, flags: int = O.CLOEXEC) -> Self:
        """Make ``target``'s entry a copy of this one. Consumes ``target``. ``dup3(2)``."""
        await pace()
        with self.borrow() as old, target.borrow(self.task) as new:
            if old == new:
                raise FDTargetError(target, "it is the same entry")
            if target.task.holdings.counts[new.number] > 1:
                raise FDTargetError(target, "it has other handles: close them")
            target._number = -1  # forgotten first: nobody may close the new entry by it
            self.task.sysif.closing(new.number)
            try:
                with trio.CancelScope(shield=True):
                    await near_fd.dup3(self.task.sysif, old, new, flags)
            except BaseException:
                target._number = new.number
                raise
            target.task.holdings.drop(new.number)
            if not flags & O.CLOEXEC:
                self.task.holdings.inheritable.add(new.number)
        return type(self)(self.task, new)

    async def disable_cloexec(self) -> None:
        """Let programs that the task execs inherit the fd. ``fcntl(2)``, F_SETFD."""
        with self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, F_SETFD, 0)
            self.task.holdings.inheritable.add(near_id.number)

    async def enable_cloexec(self) -> None:
        """Take back ``disable_cloexec``. ``fcntl(2)``."""
        with self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, F_SETFD, FD_CLOEXEC)
            self.task.holdings.inheritable.discard(near_id.number)

    async def is_cloexec(self) -> bool:
        """Return whether the fd is closed on exec. ``fcntl(2)``, F_GETFD."""
        with self.borrow() as near_id:
            return bool(await near_fd.fcntl(self.task.sysif, near_id, F_GETFD, 0) & FD_CLOEXEC)
