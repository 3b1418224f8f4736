"""ContentFD: how long a file is, where its blocks are, and what of it is written to the device."""

from __future__ import annotations

from typing import overload

from rsyscall_ns.handle.pointers.passing import Offset, given, offset_given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.arrays import UINT64
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.cachestat_h import Cachestat, CachestatRange
from rsyscall_ns.near.abi.falloc_h import FALLOC_FL
from rsyscall_ns.near.abi.fcntl_h import POSIX_FADV, RWH, SYNC_FILE_RANGE, F
from rsyscall_ns.near.abi.fs_h import FICLONE, FICLONERANGE, FileCloneRange
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import rw as near_rw
from rsyscall_ns.near.calls.base import c_size
from rsyscall_ns.near.ids import fit

from .file_xattrs import XattrFD

__all__ = ["ContentFD"]


class ContentFD(XattrFD):
    """An fd of a file with content. Lengths and offsets are bytes; a length of 0 is up to the end.

    What waits for a device can't be cancelled, and in the interpreter's own task it holds up the
    event loop: do it in a child where that matters.
    """

    __slots__ = ()

    async def ftruncate(self, length: int) -> None:
        """Set the length of the file; what is added are zeros. ``ftruncate(2)``."""
        with self.borrow() as near_id:
            await near_rw.ftruncate(self.task.sysif, near_id, length)

    async def fallocate(
        self, offset: int, length: int, mode: FALLOC_FL = FALLOC_FL.ALLOCATE_RANGE
    ) -> None:
        """Allocate, free, zero, insert or collapse part of the file. ``fallocate(2)``."""
        with self.borrow() as near_id:
            await near_rw.fallocate(self.task.sysif, near_id, mode, offset, length)

    async def fsync(self) -> None:
        """Wait until content and metadata are on the device. ``fsync(2)``."""
        with self.borrow() as near_id:
            await near_rw.fsync(self.task.sysif, near_id)

    async def fdatasync(self) -> None:
        """Wait until the content is on the device. ``fdatasync(2)``."""
        with self.borrow() as near_id:
            await near_rw.fdatasync(self.task.sysif, near_id)

    async def syncfs(self) -> None:
        """Wait until the file system that the file is on is on its device. ``syncfs(2)``."""
        with self.borrow() as near_id:
            await near_rw.syncfs(self.task.sysif, near_id)

    async def sync_file_range(
        self, offset: int = 0, length: int = 0, flags: SYNC_FILE_RANGE = SYNC_FILE_RANGE.WRITE
    ) -> None:
        """Have part of the content written to the device. ``sync_file_range(2)``."""
        with self.borrow() as near_id:
            await near_rw.sync_file_range(self.task.sysif, near_id, offset, length, flags)

    async def readahead(self, offset: int, count: int) -> None:
        """Have part of the content read into memory. ``readahead(2)``."""
        with self.borrow() as near_id:
            await near_rw.readahead(self.task.sysif, near_id, offset, count)

    async def posix_fadvise(self, advice: POSIX_FADV, offset: int = 0, length: int = 0) -> None:
        """Tell how part of the content will be used. ``posix_fadvise(2)``."""
        with self.borrow() as near_id:
            await near_rw.fadvise64(self.task.sysif, near_id, offset, length, advice)

    @overload
    async def cachestat(self, offset: int = ..., length: int = ...) -> Cachestat: ...

    @overload
    async def cachestat(
        self, offset: int = ..., length: int = ..., *, into: Pointer[Cachestat]
    ) -> Pointer[Cachestat]: ...

    async def cachestat(
        self, offset: int = 0, length: int = 0, *, into: Pointer[Cachestat] | None = None
    ) -> Cachestat | Pointer[Cachestat]:
        """Count the pages of part of the content that are cached. ``cachestat(2)``, Linux 6.5."""
        task = self.task
        with (
            given(task, CachestatRange(offset, length)) as part,
            room(task, struct_of(Cachestat), into) as there,
            self.borrow() as near_id,
        ):
            await near_rw.cachestat(task.sysif, near_id, part.address, there.address, 0)
            return there.result()

    @overload
    async def get_rw_hint(self) -> RWH: ...

    @overload
    async def get_rw_hint(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_rw_hint(self, *, into: Pointer[int] | None = None) -> RWH | Pointer[int]:
        """Return how long data of the file are expected to live. ``F_GET_RW_HINT(2const)``."""
        with room(self.task, UINT64, into) as there, self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, F.GET_RW_HINT, there.address.value)
            found = there.result()
        return found if isinstance(found, Pointer) else RWH(found)

    async def set_rw_hint(self, hint: RWH | Pointer[int]) -> None:
        """Tell how long data of the file will live. ``F_SET_RW_HINT(2const)``."""
        number = hint if isinstance(hint, Pointer) else fit("hint", hint, 0, 2**64 - 1)
        content = number if isinstance(number, Pointer) else UINT64.to_bytes(number)
        with given(self.task, content) as there, self.borrow() as near_id:
            assert there.address is not None, "it is never None"
            await near_fd.fcntl(self.task.sysif, near_id, F.SET_RW_HINT, there.address.value)

    async def created_query(self) -> bool:
        """Return whether this very open made the file. ``F_CREATED_QUERY(2const)``, Linux 6.12."""
        with self.borrow() as near_id:
            return bool(await near_fd.fcntl(self.task.sysif, near_id, F.CREATED_QUERY))

    async def copy_file_range(
        self,
        sink: ContentFD,
        count: int,
        *,
        offset: Offset = None,
        sink_offset: Offset = None,
    ) -> int:
        """Copy up to ``count`` bytes into another file; returns how many. ``copy_file_range(2)``.

        Without an offset the file's own is used, and moves; one in a pointer's memory moves too.
        In the interpreter's own task it copies 16 MiB at most, so as not to hold the event loop.
        """
        task = self.task
        size = self.at_once(c_size("count", count))
        with (
            offset_given(task, offset) as here,
            offset_given(task, sink_offset) as there,
            self.borrow() as near_id,
            sink.borrow(task) as target,
        ):
            return await near_rw.copy_file_range(
                task.sysif, near_id, here.address, target, there.address, size, 0
            )

    async def ficlone(self, source: ContentFD) -> None:
        """Have this file share all blocks of another, until a write. ``FICLONE(2const)``."""
        with self.borrow() as near_id, source.borrow(self.task) as origin:
            await near_fd.ioctl(self.task.sysif, near_id, FICLONE, origin.number)

    async def ficlonerange(
        self, source: ContentFD, offset: int = 0, length: int = 0, sink_offset: int = 0
    ) -> None:
        """Have part of this file share blocks with part of another. ``FICLONERANGE(2const)``."""
        with self.borrow() as near_id, source.borrow(self.task) as origin:
            part = FileCloneRange(origin.number, offset, length, sink_offset)
            with self.task.transient(part.pack()) as there:
                await near_fd.ioctl(self.task.sysif, near_id, FICLONERANGE, there.address.value)
