"""FileFD: what ``open(2)`` gives, a file of any type that has a name in a file system."""

from __future__ import annotations

import stat
from collections import deque
from typing import ClassVar, Self, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES, struct_of
from rsyscall_ns.near.abi.dirent_h import DirectoryEntry, directory_entries
from rsyscall_ns.near.abi.fcntl_h import AT, O
from rsyscall_ns.near.abi.file_handle_h import FileHandle
from rsyscall_ns.near.abi.stat_h import STATX, Statx
from rsyscall_ns.near.calls import attr as near_attr
from rsyscall_ns.near.calls import path as near_path
from rsyscall_ns.transport.pace import pace

from .file_locks import LockableFD

__all__ = ["DirectoryEntries", "FileFD"]

DIRECTORY_ROOM = 32768


class FileFD(LockableFD):
    """A file, directory, device or FIFO. What it is tells ``statx``. Some kinds are based on it."""

    __slots__ = ()
    kind: ClassVar[str] = "file"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError if ``fd`` is a socket, or of no type, as what has no name is."""
        with (
            fd.borrow() as near_id,
            room(fd.task, struct_of(Statx)) as there,
            fd.task.transient(1) as empty,
        ):
            await near_attr.statx(
                fd.task.sysif, near_id, empty.address, AT.EMPTY_PATH, STATX.TYPE, there.address
            )
            found = there.result()
        assert isinstance(found, Statx)
        if stat.S_IFMT(found.mode) in {0, stat.S_IFSOCK}:
            raise FDKindError(fd, cls.__name__, "it is no file that open(2) gives")

    @overload
    async def getdents(self, size: int = ...) -> list[DirectoryEntry]: ...

    @overload
    async def getdents(self, size: Pointer[bytes]) -> Pointer[bytes]: ...

    async def getdents(
        self, size: int | Pointer[bytes] = DIRECTORY_ROOM
    ) -> list[DirectoryEntry] | Pointer[bytes]:
        """Return the next entries of a directory, up to ``size`` bytes; none at its end.

        With a pointer: consumes it, and returns the part that was filled, for
        ``directory_entries``; the rest is freed. ``getdents64(2)``.
        """
        into = size if isinstance(size, Pointer) else None
        count = size if isinstance(size, int) else None
        with room(self.task, BYTES, into, count) as there, self.borrow() as near_id:
            got = await near_path.getdents64(self.task.sysif, near_id, there.address, there.size)
            found = there.result(got)
        return found if isinstance(found, Pointer) else list(directory_entries(found))

    def entries(self) -> DirectoryEntries:
        """Iterate over a directory's entries but ``.`` and ``..``, from its offset on."""
        return DirectoryEntries(self)

    @trio.lowlevel.enable_ki_protection
    async def open_by_handle_at(
        self, handle: FileHandle | Pointer[bytes], flags: int = O.RDONLY
    ) -> FileFD:
        """Open a file of this one's file system by its handle, close-on-exec; as root.

        ``open_by_handle_at(2)``.
        """
        task = self.task
        if isinstance(handle, Pointer):  # the kernel believes the size that is in there
            FileHandle.unpack(handle.as_bytes(), exact=False)
        await task.sweep()
        content = handle if isinstance(handle, Pointer) else handle.pack()
        with given(task, content) as there, self.borrow() as near_id:
            made = await near_path.open_by_handle_at(
                task.sysif, near_id, there.address, flags | O.CLOEXEC
            )
            return FileFD(task, made)


@final
class DirectoryEntries:
    """``async for entry in directory.entries()``."""

    __slots__ = ("_directory", "_next")

    def __init__(self, directory: FileFD) -> None:
        self._directory = directory
        self._next: deque[DirectoryEntry] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> DirectoryEntry:
        await pace()
        while not self._next:
            found = await self._directory.getdents()
            if not found:
                raise StopAsyncIteration
            self._next.extend(entry for entry in found if entry.name not in {".", ".."})
        return self._next.popleft()
