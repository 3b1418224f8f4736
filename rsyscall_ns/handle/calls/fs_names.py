"""NameCalls: making, linking, renaming, removing and reading names."""

from __future__ import annotations

import os
import stat
from errno import EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS, ETXTBSY
from typing import overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import PathLike, borrowed, path_given, paths_given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.fcntl_h import AT, RENAME
from rsyscall_ns.near.calls import path as near_path
from rsyscall_ns.near.ids import fit

from .fs_open import MODE_LIMIT, PATH_ROOM, OpenCalls

__all__ = ["NO_ACCESS", "NameCalls"]

NO_ACCESS = {ENOENT, EACCES, ENOTDIR, ELOOP, EROFS, EPERM, ENAMETOOLONG, ETXTBSY}


class NameCalls(OpenCalls):
    """Calls on names. A relative path begins at ``dir_fd``, else at the working directory."""

    __slots__ = ()

    async def mkdirat(
        self, path: PathLike, mode: int = 0o777, *, dir_fd: FileDescriptor | None = None
    ) -> None:
        """Make a directory, in one that is there; ``mkdir`` can do more. ``mkdirat(2)``."""
        fit("mode", mode, 0, MODE_LIMIT)
        task = self._task
        with path_given(task, path) as name, borrowed(task, dir_fd) as directory:
            await near_path.mkdirat(task.sysif, directory, name.address, mode)

    async def mknod(
        self,
        path: PathLike,
        mode: int = stat.S_IFREG | 0o666,
        device: int = 0,
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> None:
        """Make a file of the type in ``mode``; ``device`` as of ``os.makedev``. ``mknod(2)``."""
        fit("mode", mode, 0, 0o177777)
        task = self._task
        with path_given(task, path) as name, borrowed(task, dir_fd) as directory:
            await near_path.mknodat(task.sysif, directory, name.address, mode, device)

    async def mkfifo(
        self, path: PathLike, mode: int = 0o666, *, dir_fd: FileDescriptor | None = None
    ) -> None:
        """Make a named pipe. ``mkfifo(3)``."""
        fit("mode", mode, 0, MODE_LIMIT)
        await self.mknod(path, stat.S_IFIFO | mode, dir_fd=dir_fd)

    async def link(
        self,
        path: PathLike,
        new: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        new_dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> None:
        """Give the file at ``path`` another name, ``new``. ``linkat(2)``."""
        task = self._task
        with (
            paths_given(task, path, new) as names,
            borrowed(task, dir_fd) as directory,
            borrowed(task, new_dir_fd) as other,
        ):
            await near_path.linkat(task.sysif, directory, names.first, other, names.second, flags)

    async def symlink(
        self, target: PathLike, path: PathLike, *, dir_fd: FileDescriptor | None = None
    ) -> None:
        """Make a symbolic link at ``path`` that says ``target``. ``symlinkat(2)``."""
        task = self._task
        with paths_given(task, target, path) as names, borrowed(task, dir_fd) as directory:
            await near_path.symlinkat(task.sysif, names.first, directory, names.second)

    async def unlink(
        self, path: PathLike, flags: int = 0, *, dir_fd: FileDescriptor | None = None
    ) -> None:
        """Remove a name; ``AT.REMOVEDIR`` for a directory. ``unlinkat(2)``."""
        task = self._task
        with path_given(task, path) as name, borrowed(task, dir_fd) as directory:
            await near_path.unlinkat(task.sysif, directory, name.address, flags)

    async def rmdir(self, path: PathLike, *, dir_fd: FileDescriptor | None = None) -> None:
        """Remove an empty directory. ``rmdir(2)``."""
        await self.unlink(path, AT.REMOVEDIR, dir_fd=dir_fd)

    async def rename(
        self,
        path: PathLike,
        new: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        new_dir_fd: FileDescriptor | None = None,
        flags: RENAME = RENAME.NONE,
    ) -> None:
        """Change a name to ``new``, replacing what has it unless flags say no. ``renameat2(2)``."""
        task = self._task
        with (
            paths_given(task, path, new) as names,
            borrowed(task, dir_fd) as directory,
            borrowed(task, new_dir_fd) as other,
        ):
            if flags:
                await near_path.renameat2(
                    task.sysif, directory, names.first, other, names.second, flags
                )
            else:
                await near_path.renameat(task.sysif, directory, names.first, other, names.second)

    @overload
    async def readlink(self, path: PathLike, *, dir_fd: FileDescriptor | None = ...) -> str: ...

    @overload
    async def readlink(
        self, path: PathLike, *, dir_fd: FileDescriptor | None = ..., into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def readlink(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        into: Pointer[bytes] | None = None,
    ) -> str | Pointer[bytes]:
        """Return what a symbolic link says. Consumes ``into``. ``readlinkat(2)``."""
        task = self._task
        with (
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
            room(task, BYTES, into, PATH_ROOM) as there,
        ):
            got = await near_path.readlinkat(
                task.sysif, directory, name.address, there.address, there.size
            )
            found = there.result(got)
        return found if isinstance(found, Pointer) else os.fsdecode(found)

    async def access(
        self,
        path: PathLike,
        mode: int = os.F_OK,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> bool:
        """Return whether the path may be used so (``os.R_OK`` ...). ``access(2)``.

        The real ids count, with ``AT.EACCESS`` the effective ones. ``faccessat2(2)``.
        """
        task = self._task
        with path_given(task, path) as name, borrowed(task, dir_fd) as directory:
            try:
                if flags:
                    await near_path.faccessat2(task.sysif, directory, name.address, mode, flags)
                else:
                    await near_path.faccessat(task.sysif, directory, name.address, mode)
            except OSError as error:
                if error.errno not in NO_ACCESS:
                    raise
                return False
            return True
