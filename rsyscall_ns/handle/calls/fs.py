"""``task.fs``: files, directories, pipes."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from errno import (
    EACCES,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    EPERM,
    EROFS,
    ETXTBSY,
)
from typing import final

from rsyscall_ns.handle.context import MemoryTask
from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.calls import fs as near
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.strings import StrPath, c_path

__all__ = ["FileSystem"]

Named = Awaitable[int | None]
NO_ACCESS = {ENOENT, EACCES, ENOTDIR, ELOOP, EROFS, EPERM, ENAMETOOLONG, ETXTBSY}
PATH_ROOM = 4096
MODE_LIMIT = 0o7777


@final
class FileSystem:
    """System calls on paths, seen from the task's root, working directory and mounts."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def open(self, path: StrPath, flags: int = O.RDONLY, mode: int = 0o666) -> FileDescriptor:
        """Open a file, always close-on-exec. ``open(2)``.

        The open of a FIFO waits in the kernel for its other end: give ``O.NONBLOCK``, or open it
        in a child, where that does not hold up the event loop.
        """
        fit("mode", mode, 0, MODE_LIMIT)
        task = self._task
        await task.sweep()
        with task.transient(c_path(path)) as name:
            try:
                made = await near.openat(
                    task.sysif, AT_FDCWD, name.address, flags | O.CLOEXEC, mode
                )
            except OSError as error:
                error.filename = os.fspath(path)
                raise
            return FileDescriptor(task, made)

    async def pipe2(self, flags: int = 0) -> tuple[FileDescriptor, FileDescriptor]:
        """Make a pipe, close-on-exec; returns the end to read and the end to write. ``pipe(2)``."""
        task = self._task
        await task.sweep()
        with task.transient(8) as pair:
            await near.pipe2(task.sysif, pair.address, flags | O.CLOEXEC)
            return two_fds(task, pair.read())

    async def mkdir(self, path: StrPath, mode: int = 0o777) -> None:
        """Make a directory. ``mkdir(2)``."""
        fit("mode", mode, 0, MODE_LIMIT)
        with self._task.transient(c_path(path)) as name:
            await self._named(path, near.mkdirat(self._task.sysif, AT_FDCWD, name.address, mode))

    async def unlink(self, path: StrPath, flags: int = 0) -> None:
        """Remove a name; ``AT.REMOVEDIR`` for a directory. ``unlinkat(2)``."""
        with self._task.transient(c_path(path)) as name:
            await self._named(path, near.unlinkat(self._task.sysif, AT_FDCWD, name.address, flags))

    async def access(self, path: StrPath, mode: int = os.F_OK) -> bool:
        """Return whether the path may be used so (``os.R_OK`` ...). ``access(2)``."""
        with self._task.transient(c_path(path)) as name:
            try:
                await near.faccessat(self._task.sysif, AT_FDCWD, name.address, mode)
            except OSError as error:
                if error.errno not in NO_ACCESS:
                    raise
                return False
            return True

    async def is_dir(self, path: StrPath) -> bool:
        """Return whether the path leads to a directory."""
        try:
            directory = await self.open(path, O.PATH | O.DIRECTORY)
        except OSError:
            return False
        await directory.close()
        return True

    async def readlink(self, path: StrPath) -> str:
        """Return what a symbolic link says. ``readlink(2)``."""
        with self._task.transient(c_path(path)) as name, self._task.transient(PATH_ROOM) as room:
            got = await self._named(
                path,
                near.readlinkat(self._task.sysif, AT_FDCWD, name.address, room.address, PATH_ROOM),
            )
            return os.fsdecode(room.read(0, got))

    async def chdir(self, path: StrPath | FileDescriptor) -> None:
        """Change the working directory. ``chdir(2)``, ``fchdir(2)``."""
        if isinstance(path, FileDescriptor):
            with path.borrow(self._task) as directory:
                await near.fchdir(self._task.sysif, directory)
            return
        with self._task.transient(c_path(path)) as name:
            await self._named(path, near.chdir(self._task.sysif, name.address))

    async def chroot(self, path: StrPath) -> None:
        """Change the root directory; the working directory stays where it is. ``chroot(2)``."""
        with self._task.transient(c_path(path)) as name:
            await self._named(path, near.chroot(self._task.sysif, name.address))

    async def getcwd(self) -> str:
        """Return the working directory. ``getcwd(2)``."""
        with self._task.transient(PATH_ROOM) as room:
            got = await near.getcwd(self._task.sysif, room.address, PATH_ROOM)
            return os.fsdecode(room.read(0, got - 1))

    async def listdir(self, path: StrPath) -> list[str]:
        """Return the names in a directory, without ``.`` and ``..``. ``getdents64(2)``."""
        found: list[str] = []
        async with await self.open(path, O.RDONLY | O.DIRECTORY) as directory:
            while names := await directory.getdents():
                found += [name for name in names if name not in {".", ".."}]
        return found

    async def read_bytes(self, path: StrPath) -> bytes:
        """Return the whole content of a file."""
        parts: list[bytes] = []
        async with await self.open(path) as file:
            while part := await file.read(65536):
                parts.append(part)
        return b"".join(parts)

    @staticmethod
    async def _named(path: StrPath, call: Named) -> int:
        try:
            return await call or 0
        except OSError as error:
            error.filename = os.fspath(path)
            raise


def two_fds(task: MemoryTask, data: bytes) -> tuple[FileDescriptor, FileDescriptor]:
    """Return handles of the two ints that pipe2 or socketpair wrote."""
    first, second = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
    return (
        FileDescriptor(task, ids.FileDescriptor(first)),
        FileDescriptor(task, ids.FileDescriptor(second)),
    )
