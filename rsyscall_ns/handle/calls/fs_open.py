"""OpenCalls: opening files, making pipes, and where paths begin: root and working directory."""

from __future__ import annotations

import os
from typing import overload

import attrs
import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.pairs import two_made
from rsyscall_ns.handle.kinds.file import FileFD
from rsyscall_ns.handle.kinds.pipe import PipeFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import PathLike, borrowed, given, path_given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.fdpair import FD_PAIR, FDPair
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.fcntl_h import AT, O
from rsyscall_ns.near.abi.file_handle_h import MAX_HANDLE_SZ, FileHandle
from rsyscall_ns.near.abi.openat2_h import OpenHow
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import path as near_path
from rsyscall_ns.near.calls import rw as near_rw
from rsyscall_ns.near.ids import fit

__all__ = ["MODE_LIMIT", "OpenCalls"]

PATH_ROOM = 4096
MODE_LIMIT = 0o7777
EMPTY_HANDLE = FileHandle(0, bytes(MAX_HANDLE_SZ)).pack()  # says how much room there is


class OpenCalls:
    """Calls that open something, or change where paths begin."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def open(
        self,
        path: PathLike,
        flags: int = O.RDONLY,
        mode: int = 0o666,
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> FileFD:
        """Open a file, always close-on-exec. ``open(2)``.

        The open of a FIFO waits in the kernel for its other end: give ``O.NONBLOCK``, or open it
        in a child, where that does not hold up the event loop.
        """
        fit("mode", mode, 0, MODE_LIMIT)
        task = self._task
        await task.sweep()
        with path_given(task, path) as name, borrowed(task, dir_fd) as directory:
            made = await near_path.openat(
                task.sysif, directory, name.address, flags | O.CLOEXEC, mode
            )
            return FileFD(task, made)

    @trio.lowlevel.enable_ki_protection
    async def openat2(
        self,
        path: PathLike,
        how: OpenHow | Pointer[OpenHow],
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> FileFD:
        """Open a file, with rules for where its path may lead; always close-on-exec.

        What breaks a rule raises EXDEV or ELOOP. ``openat2(2)``.
        """
        task = self._task
        await task.sweep()
        value = await how.read() if isinstance(how, Pointer) else how
        value = attrs.evolve(value, flags=O(value.flags | O.CLOEXEC))
        with (
            given(task, value) as there,
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
        ):
            made = await near_path.openat2(
                task.sysif, directory, name.address, there.address, there.size
            )
            return FileFD(task, made)

    @overload
    async def name_to_handle_at(
        self, path: PathLike, *, dir_fd: FileDescriptor | None = ..., flags: AT = ...
    ) -> tuple[FileHandle, int]: ...

    @overload
    async def name_to_handle_at(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = ...,
        flags: AT = ...,
        into: Pointer[bytes],
    ) -> tuple[Pointer[bytes], int]: ...

    async def name_to_handle_at(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
        into: Pointer[bytes] | None = None,
    ) -> tuple[FileHandle | Pointer[bytes], int]:
        """Return a file's handle, which outlives its fds, and the id of the mount it is on.

        ``FileFD.open_by_handle_at`` opens it. ``into``: a handle's memory, with its size in it.
        ``name_to_handle_at(2)``.
        """
        task = self._task
        if into is not None:  # the kernel believes the size that is in there
            FileHandle.unpack(into.as_bytes(), exact=False)
        with (
            path_given(task, path) as name,
            borrowed(task, dir_fd) as directory,
            task.transient(EMPTY_HANDLE) as own,
            given(task, into) as theirs,
            task.transient(8) as mount,
        ):
            handle = theirs.address or own.address
            await near_path.name_to_handle_at(
                task.sysif, directory, name.address, handle, mount.address, flags
            )
            mount_id = int.from_bytes(mount.read(), "little")
            return into or FileHandle.unpack(own.read(), exact=False), mount_id

    @trio.lowlevel.enable_ki_protection
    async def pipe2(
        self, flags: int = 0, *, into: Pointer[FDPair] | None = None
    ) -> tuple[PipeFD, PipeFD]:
        """Make a pipe, close-on-exec; returns the end to read and the end to write.

        ``into``: is filled with their numbers, which stay the handles' own. ``pipe(2)``.
        """
        task = self._task
        await task.sweep()
        with room(task, FD_PAIR, into) as pair:
            await near_fd.pipe2(task.sysif, pair.address, flags | O.CLOEXEC)
            first, second = two_made(pair.result())
            return PipeFD(task, first), PipeFD(task, second)

    async def chdir(self, path: PathLike | FileDescriptor) -> None:
        """Change the working directory. ``chdir(2)``, ``fchdir(2)``."""
        if isinstance(path, FileDescriptor):
            with path.borrow(self._task) as directory:
                await near_path.fchdir(self._task.sysif, directory)
            return
        with path_given(self._task, path) as name:
            await near_path.chdir(self._task.sysif, name.address)

    async def chroot(self, path: PathLike) -> None:
        """Change the root directory; the working directory stays where it is. ``chroot(2)``."""
        with path_given(self._task, path) as name:
            await near_path.chroot(self._task.sysif, name.address)

    @overload
    async def getcwd(self) -> str: ...

    @overload
    async def getcwd(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def getcwd(self, *, into: Pointer[bytes] | None = None) -> str | Pointer[bytes]:
        """Return the working directory. Consumes ``into``, and a NUL is in there. ``getcwd(2)``."""
        with room(self._task, BYTES, into, PATH_ROOM) as there:
            got = await near_path.getcwd(self._task.sysif, there.address, there.size)
            found = there.result(got)
        return found if isinstance(found, Pointer) else os.fsdecode(found[:-1])

    async def umask(self, mask: int) -> int:
        """Set which permissions new files don't get; returns the old mask. ``umask(2)``."""
        return await near_path.umask(self._task.sysif, fit("mask", mask, 0, 0o777))

    async def sync(self) -> None:
        """Wait until all file systems are on their devices; it can't be cancelled. ``sync(2)``."""
        await near_rw.sync(self._task.sysif)
