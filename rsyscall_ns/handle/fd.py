"""FileDescriptor: an owned entry of an fd table, used through one task.

Several handles may own one entry (``for_task``): the entry is closed with the last of them. A
handle forgets its number before the kernel is asked to close it. One that was forgotten without
being closed is closed as soon as its task makes the next fd.
"""

from __future__ import annotations

import os
import select
import stat
import struct
from collections.abc import Awaitable, Callable
from errno import EOPNOTSUPP
from typing import ClassVar, Self, TypeVar, final, overload

import trio

from rsyscall_ns.far.namespaces import FDTable
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.dirent_h import directory_names
from rsyscall_ns.near.abi.fcntl_h import (
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_SETFD,
    F_SETFL,
    FD_CLOEXEC,
    O,
)
from rsyscall_ns.near.calls import fs as near
from rsyscall_ns.near.calls.base import checked
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.transport.pace import pace

from .context import MemoryTask
from .fd_errors import FDClosedError, FDNotInheritedError, FDTargetError
from .pointer import Pointer

__all__ = ["FileDescriptor"]

Kind = TypeVar("Kind", bound="FileDescriptor")
R = TypeVar("R")
IOVEC = struct.Struct("<QQ")
RWF_NOWAIT = 8


@final
class FDBorrow:
    """``with fd.borrow() as near_id``."""

    __slots__ = ("_fd", "_task")

    def __init__(self, fd: FileDescriptor, task: MemoryTask) -> None:
        self._fd = fd
        self._task = task

    def __enter__(self) -> ids.FileDescriptor:
        near_id = self._fd.near
        self._task.check_fd_table(self._fd, self._fd.table)
        return near_id

    def __exit__(self, *_: object) -> None:
        pass  # nothing was taken: a handle may be closed while a call is under way


class FileDescriptor:
    """An fd of any kind; subclasses add what one kind can do, and are final."""

    __slots__ = ("__weakref__", "_number", "_slow", "table", "task")

    kind: ClassVar[str] = "fd"

    def __init__(self, task: MemoryTask, near_id: ids.FileDescriptor) -> None:
        """Take over an open entry of the task's fd table."""
        self.task = task
        self.table = task.fd_table
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
        return ids.FileDescriptor(self._number)

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
                await near.close(self.task.sysif, ids.FileDescriptor(number))
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
            near.close_here(number)
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def dup(self) -> Self:
        """Return a handle of a new entry for the same open file, close-on-exec. ``dup(2)``."""
        await self.task.sweep()
        with self.borrow() as near_id:
            number = await near.fcntl(self.task.sysif, near_id, F_DUPFD_CLOEXEC, 0)
        return type(self)(self.task, ids.FileDescriptor(number))

    async def dup2(self, target: FileDescriptor) -> Self:
        """Make ``target``'s entry a copy of this one, not close-on-exec, as ``dup2(2)`` does.

        Consumes ``target``, which must be the only handle of its entry; returns the handle of the
        entry. A program that is exec'd later inherits it.
        """
        return await self.dup3(target, 0)

    async def dup3(self, target: FileDescriptor, flags: int = O.CLOEXEC) -> Self:
        """Make ``target``'s entry a copy of this one. Consumes ``target``. ``dup3(2)``."""
        with self.borrow() as old, target.borrow(self.task) as new:
            if old == new:
                raise FDTargetError(target, "it is the same entry")
            if target.task.holdings.counts[new.number] > 1:
                raise FDTargetError(target, "it has other handles: close them")
            target._number = -1  # forgotten first: nobody may close the new entry by it
            self.task.sysif.closing(new.number)
            try:
                with trio.CancelScope(shield=True):
                    await near.dup3(self.task.sysif, old, new, flags)
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
            await near.fcntl(self.task.sysif, near_id, F_SETFD, 0)
            self.task.holdings.inheritable.add(near_id.number)

    async def enable_cloexec(self) -> None:
        """Take back ``disable_cloexec``. ``fcntl(2)``."""
        with self.borrow() as near_id:
            await near.fcntl(self.task.sysif, near_id, F_SETFD, FD_CLOEXEC)
            self.task.holdings.inheritable.discard(near_id.number)

    async def is_cloexec(self) -> bool:
        """Return whether the fd is closed on exec. ``fcntl(2)``, F_GETFD."""
        with self.borrow() as near_id:
            return bool(await near.fcntl(self.task.sysif, near_id, F_GETFD, 0) & FD_CLOEXEC)

    async def as_kind(self, kind: type[Kind]) -> Kind:
        """Return the entry as a handle of another kind, checked. Consumes this handle."""
        await kind.check_kind(self)
        with self.borrow() as near_id:
            made = kind(self.task, near_id)
        number, self._number = self._number, -1
        self.task.holdings.drop(number)
        return made

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` really is of this kind. Any fd is a plain one."""
        del fd
        await pace()

    # what any fd can do

    @overload
    async def read(self, count: int = 65536) -> bytes: ...

    @overload
    async def read(self, count: Pointer[bytes]) -> Pointer[bytes]: ...

    async def read(self, count: int | Pointer[bytes] = 65536) -> bytes | Pointer[bytes]:
        """Read up to ``count`` bytes; b"" is the end. ``read(2)``.

        With a pointer: consumes it, and returns the part that was filled; the rest is freed.
        """
        if isinstance(count, Pointer):
            with count.borrow(self.task) as address:
                got = await self._transfer(select.POLLIN, address, count.size())
            filled, rest = count.split(got)
            rest.free()
            return filled
        with self.task.transient(count) as buffer:
            got = await self._transfer(select.POLLIN, buffer.address, count)
            return buffer.read(0, got)

    async def write(self, data: bytes | Pointer[bytes]) -> int:
        """Write; returns how many bytes were taken, which may be fewer. ``write(2)``."""
        if isinstance(data, Pointer):
            with data.borrow(self.task) as address:
                return await self._transfer(select.POLLOUT, address, data.size())
        with self.task.transient(bytes(data)) as buffer:
            return await self._transfer(select.POLLOUT, buffer.address, len(data))

    async def write_all(self, data: bytes) -> None:
        """Write everything, in as many calls as it takes."""
        view = memoryview(data)
        while view:
            view = view[await self.write(bytes(view)) :]

    async def _transfer(self, events: int, address: ids.Address, count: int) -> int:
        """Read or write once, without ever blocking the event loop."""
        call = near.read if events == select.POLLIN else near.write
        if not self.task.sysif.same_thread or not self._may_block():
            with self.borrow() as near_id:
                return await call(self.task.sysif, near_id, address, count)
        with self.task.transient(IOVEC.pack(address.value, count)) as iovec:

            async def attempt(near_id: ids.FileDescriptor) -> int:
                vector = near.preadv2 if events == select.POLLIN else near.pwritev2
                try:
                    return await vector(self.task.sysif, near_id, iovec.address, 1, -1, RWF_NOWAIT)
                except OSError as error:
                    if error.errno != EOPNOTSUPP:
                        raise
                # a terminal, for example
                number = SYS.read if events == select.POLLIN else SYS.write
                return await self.nonblocking_call(near_id, number, address.value, count)

            return await self.without_blocking(events, attempt)

    async def without_blocking(
        self, events: int, attempt: Callable[[ids.FileDescriptor], Awaitable[R]]
    ) -> R:
        """Make a call that fails where it would block, and wait until it is worth another try.

        While this only waits, nothing is borrowed.
        """
        while True:
            with self.borrow() as near_id:
                try:
                    return await attempt(near_id)
                except BlockingIOError:
                    if not self.task.sysif.same_thread:
                        raise
            await self.task.sysif.wait_ready(self.near.number, events)

    async def nonblocking_call(self, near_id: ids.FileDescriptor, number: int, *args: int) -> int:
        """Make a call on the fd that, in the loop's own thread, fails where it would block.

        The flag is of the open file, which others may use: it is set for the time of one program,
        which nothing of ours can interrupt.
        """
        fd = near_id.number
        if not self.task.sysif.same_thread:
            return await checked(self.task.sysif, number, fd, *args)
        flags = await near.fcntl(self.task.sysif, near_id, F_GETFL, 0)
        program = Program()
        program.call(SYS.fcntl, fd, F_SETFL, flags | O.NONBLOCK)
        made = program.call(number, fd, *args, must_succeed=False)
        program.call(SYS.fcntl, fd, F_SETFL, flags)
        return (await self.task.sysif.execute(program)).require(made, self.task.sysif)

    def _may_block(self) -> bool:
        if self._slow is None:
            mode = os.fstat(self.near.number).st_mode
            self._slow = not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
        return self._slow

    async def pread(self, count: int, offset: int) -> bytes:
        """Read up to ``count`` bytes at ``offset``. ``pread(2)``."""
        with self.task.transient(count) as buffer, self.borrow() as near_id:
            got = await near.pread64(self.task.sysif, near_id, buffer.address, count, offset)
            return buffer.read(0, got)

    async def pwrite(self, data: bytes, offset: int) -> int:
        """Write at ``offset``; returns how many bytes were taken. ``pwrite(2)``."""
        with self.task.transient(bytes(data)) as buffer, self.borrow() as near_id:
            return await near.pwrite64(self.task.sysif, near_id, buffer.address, len(data), offset)

    async def lseek(self, offset: int, whence: int = 0) -> int:
        """Move the file offset (bytes); returns it from the file's start. ``lseek(2)``."""
        with self.borrow() as near_id:
            return await near.lseek(self.task.sysif, near_id, offset, whence)

    async def fcntl(self, op: int, arg: int = 0) -> int:
        """Manipulate the fd by a raw operation with an int argument. ``fcntl(2)``."""
        with self.borrow() as near_id:
            return await near.fcntl(self.task.sysif, near_id, op, arg)

    async def ioctl(self, op: int, arg: int = 0) -> int:
        """Control the device by an operation with an int argument. ``ioctl(2)``."""
        with self.borrow() as near_id:
            return await near.ioctl(self.task.sysif, near_id, op, arg)

    async def ioctl_bytes(self, op: int, data: bytes) -> bytes:
        """Control the device by an operation on a buffer; returns what is in it then."""
        with self.borrow() as near_id, self.task.transient(data) as buffer:
            await near.ioctl(self.task.sysif, near_id, op, buffer.address.value)
            return buffer.read()

    async def getdents(self, size: int = 32768) -> list[str]:
        """Return the next names of a directory; empty at its end. ``getdents64(2)``."""
        with self.task.transient(size) as buffer, self.borrow() as near_id:
            got = await near.getdents64(self.task.sysif, near_id, buffer.address, size)
            return list(directory_names(buffer.read(0, got)))
