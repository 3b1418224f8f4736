"""``task.fs``: files, directories, pipes; and what takes several calls."""

from __future__ import annotations

import os
import stat
from errno import EEXIST, EISDIR, ENOENT
from typing import final

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import PathLike
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.dirent_h import DirectoryEntry
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.strings import StrPath

from .fs_names import NO_ACCESS
from .fs_trees import DIRECTORY, TemporaryDirectory, remove_tree
from .fs_watches import WatchCalls

__all__ = ["FileSystem"]

PART = 65536  # bytes


@final
class FileSystem(WatchCalls):
    """System calls on paths, seen from the task's root, working directory and mounts.

    A path is a str, bytes, an ``os.PathLike``, or a pointer to bytes that end with a NUL. A
    relative one begins at ``dir_fd``, a directory, else at the working directory.
    """

    __slots__ = ()

    async def mkdir(
        self,
        path: PathLike,
        mode: int = 0o777,
        *,
        parents: bool = False,
        dir_fd: FileDescriptor | None = None,
    ) -> None:
        """Make a directory; with ``parents`` also those above it that are missing. ``mkdir(2)``."""
        try:
            await self.mkdirat(path, mode, dir_fd=dir_fd)
        except OSError as error:
            if error.errno != ENOENT or not parents or isinstance(path, Pointer):
                raise
            if not _above(os.fsdecode(path)):
                raise
        else:
            return
        missing = [_above(os.fsdecode(path))]
        while missing:
            try:
                await self.mkdirat(missing[-1], dir_fd=dir_fd)
            except OSError as error:
                above = _above(missing[-1])
                if error.errno == ENOENT and above:
                    missing.append(above)
                    continue
                if error.errno != EEXIST:  # somebody else made it meanwhile
                    raise
            missing.pop()
        await self.mkdirat(path, mode, dir_fd=dir_fd)

    async def exists(self, path: PathLike, *, dir_fd: FileDescriptor | None = None) -> bool:
        """Return whether the path leads to something."""
        return await self._mode(path, dir_fd) is not None

    async def is_file(self, path: PathLike, *, dir_fd: FileDescriptor | None = None) -> bool:
        """Return whether the path leads to a regular file."""
        return stat.S_ISREG(await self._mode(path, dir_fd) or 0)

    async def is_dir(self, path: PathLike, *, dir_fd: FileDescriptor | None = None) -> bool:
        """Return whether the path leads to a directory."""
        return stat.S_ISDIR(await self._mode(path, dir_fd) or 0)

    async def _mode(self, path: PathLike, dir_fd: FileDescriptor | None) -> int | None:
        try:
            return (await self.stat(path, dir_fd=dir_fd)).mode
        except OSError as error:
            if error.errno not in NO_ACCESS:
                raise
            return None

    async def scandir(
        self, path: PathLike, *, dir_fd: FileDescriptor | None = None
    ) -> list[DirectoryEntry]:
        """Return a directory's entries, without ``.`` and ``..``. ``getdents64(2)``.

        ``FileFD.entries`` gives those of a large directory one by one.
        """
        flags = O.RDONLY | O.DIRECTORY
        async with await self.open(path, flags, dir_fd=dir_fd) as directory:
            return [entry async for entry in directory.entries()]

    async def listdir(self, path: PathLike, *, dir_fd: FileDescriptor | None = None) -> list[str]:
        """Return the names in a directory, without ``.`` and ``..``. ``getdents64(2)``."""
        return [entry.name for entry in await self.scandir(path, dir_fd=dir_fd)]

    async def read_bytes(self, path: PathLike, *, dir_fd: FileDescriptor | None = None) -> bytes:
        """Return the whole content of a file."""
        parts: list[bytes] = []
        async with await self.open(path, dir_fd=dir_fd) as file:
            while part := await file.read(PART):
                parts.append(part)
        return b"".join(parts)

    async def read_text(
        self,
        path: PathLike,
        encoding: str = "utf-8",
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> str:
        """Return the whole content of a file as text."""
        return (await self.read_bytes(path, dir_fd=dir_fd)).decode(encoding)

    async def write_bytes(
        self,
        path: PathLike,
        data: bytes,
        mode: int = 0o666,
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> None:
        """Make a file with this content, or replace that of one."""
        flags = O.WRONLY | O.CREAT | O.TRUNC
        async with await self.open(path, flags, mode, dir_fd=dir_fd) as file:
            await file.write_all(data)

    async def write_text(
        self,
        path: PathLike,
        text: str,
        mode: int = 0o666,
        *,
        encoding: str = "utf-8",
        dir_fd: FileDescriptor | None = None,
    ) -> None:
        """Make a file with this text, or replace the content of one."""
        await self.write_bytes(path, text.encode(encoding), mode, dir_fd=dir_fd)

    async def rmtree(self, path: StrPath, *, dir_fd: FileDescriptor | None = None) -> None:
        """Remove a file, or a directory with all below it. Symbolic links are not followed.

        Below ``path`` it goes from directory to directory by fds, one for each level, and not into
        another mount, which raises EXDEV. What is removed stays so when it is cancelled.
        """
        try:
            await self.unlink(path, dir_fd=dir_fd)
        except OSError as error:
            if error.errno != EISDIR:
                raise
            directory = await self.open(path, DIRECTORY, dir_fd=dir_fd)
            await remove_tree(self, path, directory, dir_fd)

    def mkdtemp(
        self,
        prefix: str = "tmp-",
        directory: StrPath = "/tmp",  # noqa: S108 - under a random name
    ) -> TemporaryDirectory:
        """Make a directory for oneself; ``async with`` it: leaving removes it with all in it.

        Gives an object with its ``path`` and its ``fd``. ``mkdtemp(3)``.
        """
        return TemporaryDirectory(self, prefix, directory)


def _above(path: str) -> str:
    """Return the path of the directory that a path's last name is in; "" where it has none."""
    return os.path.dirname(path.rstrip("/"))  # noqa: PTH120 - no I/O here
