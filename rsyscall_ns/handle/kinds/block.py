"""BlockFD, LoopFD, LoopControlFD: block devices, and those that are made of files."""

from __future__ import annotations

import stat
import struct
from errno import EBADF, ENOTTY, ENXIO
from typing import ClassVar, final, overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi import loop_h as h
from rsyscall_ns.near.abi.loop_h import LoopConfig, LoopInfo64
from rsyscall_ns.near.ids import fit

from .file import FileFD
from .ioctls import device_of, ioctl_fill, ioctl_give, ioctl_int, ioctl_number

__all__ = ["BlockFD", "LoopControlFD", "LoopFD"]

LONG = 8
MISC, LOOP_CONTROL = 10, 237
RANGE = struct.Struct("<QQ")
U64_MAX = 2**64 - 1
LOOP_LIMIT = 2**20
NEW_INFO = LoopInfo64()


class BlockFD(FileFD):
    """A block device. A loop device is one too."""

    __slots__ = ()
    kind: ClassVar[str] = "block"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a block device."""
        if not stat.S_ISBLK((await device_of(fd)).mode):
            raise FDKindError(fd, cls.__name__, "it is no block device")

    async def size(self) -> int:
        """Return the size in bytes. BLKGETSIZE64."""
        return await ioctl_int(self, h.BLKGETSIZE64, size=LONG)

    async def sector_size(self) -> int:
        """Return the size of the smallest request in bytes. BLKSSZGET."""
        return await ioctl_int(self, h.BLKSSZGET)

    async def physical_sector_size(self) -> int:
        """Return the size of what the device itself writes at once, in bytes. BLKPBSZGET."""
        return await ioctl_int(self, h.BLKPBSZGET)

    async def block_size(self) -> int:
        """Return the size of blocks in the page cache, in bytes. BLKBSZGET."""
        return await ioctl_int(self, h.BLKBSZGET)

    async def io_min(self) -> int:
        """Return the size that requests should at least have, in bytes. BLKIOMIN."""
        return await ioctl_int(self, h.BLKIOMIN)

    async def io_opt(self) -> int:
        """Return the size that is best for requests, in bytes, or 0. BLKIOOPT."""
        return await ioctl_int(self, h.BLKIOOPT)

    async def alignment_offset(self) -> int:
        """Return how far the start lies from a physical sector's; -1: not aligned. BLKALIGNOFF."""
        return await ioctl_int(self, h.BLKALIGNOFF, signed=True)

    async def is_rotational(self) -> bool:
        """Return whether seeking takes time. BLKROTATIONAL."""
        return bool(await ioctl_int(self, h.BLKROTATIONAL, size=2))

    async def disk_seq(self) -> int:
        """Return a number that no other disk has until the next boot. BLKGETDISKSEQ."""
        return await ioctl_int(self, h.BLKGETDISKSEQ, size=LONG)

    async def is_read_only(self) -> bool:
        """Return whether it can't be written. BLKROGET."""
        return bool(await ioctl_int(self, h.BLKROGET))

    async def set_read_only(self, *, on: bool = True) -> None:
        """Forbid writing, or allow it. BLKROSET."""
        await ioctl_int(self, h.BLKROSET, int(on))

    async def get_readahead(self) -> int:
        """Return how much is read ahead, in sectors of 512 bytes. BLKRAGET."""
        return await ioctl_int(self, h.BLKRAGET, size=LONG)

    async def set_readahead(self, sectors: int) -> None:
        """Set how much is read ahead, in sectors of 512 bytes. BLKRASET."""
        await ioctl_number(self, h.BLKRASET, fit("sectors", sectors, 0, 2**31 - 1))

    async def flush_buffers(self) -> None:
        """Write what is in the page cache, and forget it. BLKFLSBUF."""
        await ioctl_number(self, h.BLKFLSBUF)

    async def reread_partitions(self) -> None:
        """Read the partition table again. BLKRRPART."""
        await ioctl_number(self, h.BLKRRPART)

    async def discard(self, start: int, length: int) -> None:
        """Tell the device that it may forget these bytes. BLKDISCARD."""
        await self._range(h.BLKDISCARD, start, length)

    async def secure_discard(self, start: int, length: int) -> None:
        """Have the device forget these bytes, and all copies. BLKSECDISCARD."""
        await self._range(h.BLKSECDISCARD, start, length)

    async def zero_out(self, start: int, length: int) -> None:
        """Fill these bytes with zeros. BLKZEROOUT."""
        await self._range(h.BLKZEROOUT, start, length)

    async def _range(self, op: int, start: int, length: int) -> None:
        fit("start", start, 0, U64_MAX)
        fit("length", length, 0, U64_MAX)
        await ioctl_give(self, op, RANGE.pack(start, length))


@final
class LoopFD(BlockFD):
    """A loop device: a file, or a part of one, as a block device (``loop(4)``)."""

    __slots__ = ()
    kind: ClassVar[str] = "loop"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a loop device, with a file or without."""
        await BlockFD.check_kind(fd)
        try:
            await ioctl_fill(fd, h.LOOP_GET_STATUS64, struct_of(LoopInfo64))
        except OSError as error:
            if error.errno == ENXIO:
                return  # it has no file
            if error.errno not in {ENOTTY, EBADF}:
                raise
            raise FDKindError(fd, cls.__name__, "it is no loop device") from error

    @overload
    async def configure(
        self, file: FileDescriptor, info: LoopInfo64 = ..., *, block_size: int = 0
    ) -> None: ...

    @overload
    async def configure(self, file: Pointer[LoopConfig]) -> None: ...

    async def configure(
        self,
        file: FileDescriptor | Pointer[LoopConfig],
        info: LoopInfo64 = NEW_INFO,
        *,
        block_size: int = 0,
    ) -> None:
        """Give the device its file, all at once; the kernel keeps it open. LOOP_CONFIGURE.

        ``block_size``: in bytes, 0 as the file's. A pointer's struct says all that itself.
        """
        if isinstance(file, Pointer):
            await ioctl_give(self, h.LOOP_CONFIGURE, file)
            return
        fit("block size", block_size, 0, 2**32 - 1)
        with file.borrow(self.task) as near_id:
            await ioctl_give(self, h.LOOP_CONFIGURE, LoopConfig(near_id.number, block_size, info))

    async def clr_fd(self) -> None:
        """Take the file away, at once or when nobody uses the device any more. LOOP_CLR_FD."""
        await ioctl_number(self, h.LOOP_CLR_FD)

    async def change_fd(self, file: FileDescriptor) -> None:
        """Exchange the file of a device that is read only for one of its size. LOOP_CHANGE_FD."""
        with file.borrow(self.task) as near_id:
            await ioctl_number(self, h.LOOP_CHANGE_FD, near_id.number)

    @overload
    async def get_status64(self) -> LoopInfo64: ...

    @overload
    async def get_status64(self, *, into: Pointer[LoopInfo64]) -> Pointer[LoopInfo64]: ...

    async def get_status64(
        self, *, into: Pointer[LoopInfo64] | None = None
    ) -> LoopInfo64 | Pointer[LoopInfo64]:
        """Return what the device is; without a file it raises ENXIO. LOOP_GET_STATUS64."""
        return await ioctl_fill(self, h.LOOP_GET_STATUS64, struct_of(LoopInfo64), into)

    async def set_status64(self, info: LoopInfo64 | Pointer[LoopInfo64]) -> None:
        """Change which part of the file it is, and how it works. LOOP_SET_STATUS64."""
        await ioctl_give(self, h.LOOP_SET_STATUS64, info)

    async def set_capacity(self) -> None:
        """Take note that the file has another size now. LOOP_SET_CAPACITY."""
        await ioctl_number(self, h.LOOP_SET_CAPACITY)

    async def set_direct_io(self, *, on: bool = True) -> None:
        """Pass the page cache of the file by, or not. LOOP_SET_DIRECT_IO."""
        await ioctl_number(self, h.LOOP_SET_DIRECT_IO, int(on))

    async def set_block_size(self, size: int) -> None:
        """Set the size of its sectors, in bytes. LOOP_SET_BLOCK_SIZE."""
        await ioctl_number(self, h.LOOP_SET_BLOCK_SIZE, fit("block size", size, 512, 2**31 - 1))


@final
class LoopControlFD(FileFD):
    """``/dev/loop-control``: which loop devices there are (``loop(4)``)."""

    __slots__ = ()
    kind: ClassVar[str] = "loop-control"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is of that device."""
        found = await device_of(fd)
        device = (found.rdev_major, found.rdev_minor)
        if not stat.S_ISCHR(found.mode) or device != (MISC, LOOP_CONTROL):
            raise FDKindError(fd, cls.__name__, "it is not /dev/loop-control")

    async def get_free(self) -> int:
        """Return the number of a device without a file, which may be made. LOOP_CTL_GET_FREE.

        Somebody else may take it before: then ``LoopFD.configure`` raises EBUSY.
        """
        return await ioctl_number(self, h.LOOP_CTL_GET_FREE)

    async def add(self, number: int) -> int:
        """Make ``/dev/loopN``. LOOP_CTL_ADD."""
        return await ioctl_number(self, h.LOOP_CTL_ADD, fit("number", number, 0, LOOP_LIMIT))

    async def remove(self, number: int) -> int:
        """Remove ``/dev/loopN``, which nobody may use. LOOP_CTL_REMOVE."""
        return await ioctl_number(self, h.LOOP_CTL_REMOVE, fit("number", number, 0, LOOP_LIMIT))
