"""FuseFD: the kernel's questions to the server of a file system, and its answers."""

from __future__ import annotations

import stat
from errno import EINTR, ENOENT
from typing import Any, ClassVar, final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.passing import PathLike, content_of, path_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi import fuse_h as f
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.fuse_change_h import FuseBackingMap
from rsyscall_ns.near.abi.fuse_messages import FuseReply, FuseRequest
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.calls import path as near_path
from rsyscall_ns.near.ids import fit

from .file import FileFD
from .ioctls import device_of, ioctl_give, ioctl_number

__all__ = ["FuseFD"]

MISC, FUSE = 10, 229
ROOM = 132 * 1024  # bytes: a WRITE of 128 KiB and what stands before it
BACKING_LIMIT = 2**31 - 1
Body = bytes | CStruct | Pointer[bytes] | Pointer[Any]


@final
class FuseFD(FileFD):
    """An fd of ``/dev/fuse`` (``fuse(4)``). With the last of a file system all waiting calls fail.

    Whoever serves a file system must not use it: what waits for an answer can't give it.
    """

    __slots__ = ()
    kind: ClassVar[str] = "fuse"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is of that device."""
        found = await device_of(fd)
        device = (found.rdev_major, found.rdev_minor)
        if not stat.S_ISCHR(found.mode) or device != (MISC, FUSE):
            raise FDKindError(fd, cls.__name__, "it is not /dev/fuse")

    async def read_request(self, room: int = ROOM) -> FuseRequest:
        """Wait for the next request. ``room``: for the longest, in bytes; at least 8192.

        The first is INIT. ENODEV: the file system was unmounted.
        """
        fit("room", room, f.FUSE_MIN_READ_BUFFER, 2**30)
        while True:
            try:
                return FuseRequest.unpack(await self.read(room))
            except OSError as error:
                if error.errno not in {ENOENT, EINTR}:  # nobody waits for that one any more
                    raise

    async def read_request_into(self, into: Pointer[bytes]) -> Pointer[bytes]:
        """Wait for the next request, in the caller's memory, for ``FuseRequest.unpack``.

        Consumes it, and returns the part that was filled; the rest is freed. ENOENT: nobody waits
        for that one any more.
        """
        fit("room", into.size(), f.FUSE_MIN_READ_BUFFER, 2**30)
        return await self.read(into)

    async def reply(self, request: FuseRequest, body: Body = b"") -> None:
        """Answer a request. FileNotFoundError: nobody waits for it any more."""
        await self._tell(0, request.unique, body)

    async def reply_error(self, request: FuseRequest, error: int) -> None:
        """Answer a request by an errno."""
        fit("errno", error, 1, 511)
        await self.write(FuseReply(request.unique, error).pack())

    async def notify(self, code: f.FUSE_NOTIFY, body: Body) -> None:
        """Tell the kernel something that it has not asked, such as that a file has changed."""
        await self._tell(code, 0, body)

    async def _tell(self, code: int, unique: int, body: Body) -> None:
        if isinstance(body, Pointer):
            length = f.FuseOutHeader.sizeof() + body.size()
            await self.writev([f.FuseOutHeader(length, code, unique).pack(), body])
            return
        content = content_of(body)
        length = f.FuseOutHeader.sizeof() + len(content)
        await self.write(f.FuseOutHeader(length, code, unique).pack() + content)

    @trio.lowlevel.enable_ki_protection
    async def clone(self, path: PathLike = "/dev/fuse") -> FuseFD:
        """Return one more fd for the same file system, with a queue of its own.

        A request is answered on the fd that it was read from. FUSE_DEV_IOC_CLONE.
        """
        task = self.task
        await task.sweep()
        with path_given(task, path) as name:
            flags = O.RDWR | O.CLOEXEC
            made = FuseFD(task, await near_path.openat(task.sysif, None, name.address, flags, 0))
        try:
            with self.borrow() as near_id:
                number = near_id.number.to_bytes(4, "little")
                await ioctl_give(made, f.FUSE_DEV_IOC_CLONE, number)
        except BaseException:
            await made.close()
            raise
        return made

    async def backing_open(self, file: FileDescriptor) -> int:
        """Register a file that reads and writes go to directly; returns its id, for FuseOpenOut.

        Only root of the whole machine may. Linux 6.9, FUSE_DEV_IOC_BACKING_OPEN.
        """
        with file.borrow(self.task) as near_id:
            what = FuseBackingMap(near_id.number)
            return await ioctl_give(self, f.FUSE_DEV_IOC_BACKING_OPEN, what)

    async def backing_close(self, backing: int) -> None:
        """Forget a file that was registered. FUSE_DEV_IOC_BACKING_CLOSE."""
        number = fit("backing id", backing, 1, BACKING_LIMIT).to_bytes(4, "little")
        await ioctl_give(self, f.FUSE_DEV_IOC_BACKING_CLOSE, number)

    async def sync_init(self) -> None:
        """Have the mount wait until INIT was answered; before it. FUSE_DEV_IOC_SYNC_INIT.

        Until it is mounted, reading and polling wait in the kernel, even with O_NONBLOCK: the
        server must be a child then, not the interpreter. Linux 6.18.
        """
        await ioctl_number(self, f.FUSE_DEV_IOC_SYNC_INIT)
