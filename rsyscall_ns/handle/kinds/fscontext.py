"""FsContextFD: a file system that is being configured, to be made or changed."""

from __future__ import annotations

import os
from contextlib import suppress
from errno import ENODATA
from typing import ClassVar, final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.passing import (
    PathLike,
    Text,
    borrowed,
    given,
    path_given,
    text_given,
)
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD
from rsyscall_ns.near.abi.mount_h import FSCONFIG, FSMOUNT, MOUNT_ATTR
from rsyscall_ns.near.calls import mount as near_mount
from rsyscall_ns.near.calls import rw as near_rw
from rsyscall_ns.near.ids import Address

from .mount import MountFD

__all__ = ["FsContextFD"]

LOG_ROOM = 4096  # bytes; the kernel's messages are shorter than a page
LINK = "anon_inode:[fscontext]"
NO_ATTR = MOUNT_ATTR(0)


@final
class FsContextFD(FileDescriptor):
    """What fsopen and fspick give. An error of its methods has what the kernel says as notes."""

    __slots__ = ()
    kind: ClassVar[str] = "fscontext"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a context of fsopen or fspick."""
        await check_link(fd, cls.__name__, LINK)

    async def set_flag(self, key: Text) -> None:
        """Set a parameter that has no value. ``fsconfig(2)``, FSCONFIG_SET_FLAG."""
        await self._configure(FSCONFIG.SET_FLAG, key)

    async def set_string(self, key: Text, value: Text) -> None:
        """Set a parameter to text, up to 255 bytes. ``fsconfig(2)``, FSCONFIG_SET_STRING."""
        with text_given(self.task, value) as there:
            await self._configure(FSCONFIG.SET_STRING, key, there.address)

    async def set_binary(self, key: Text, value: bytes | Pointer[bytes]) -> None:
        """Set a parameter to bytes. ``fsconfig(2)``, FSCONFIG_SET_BINARY."""
        with given(self.task, value) as there:
            await self._configure(FSCONFIG.SET_BINARY, key, there.address, there.size)

    async def set_path(
        self, key: Text, path: PathLike, *, dir_fd: FileDescriptor | None = None
    ) -> None:
        """Set a parameter to a file by its path. ``fsconfig(2)``, FSCONFIG_SET_PATH."""
        with path_given(self.task, path) as name, borrowed(self.task, dir_fd) as there:
            number = AT_FDCWD if there is None else there.number
            await self._configure(FSCONFIG.SET_PATH, key, name.address, number)

    async def set_path_empty(self, key: Text, fd: FileDescriptor) -> None:
        """Set a parameter to a file by an fd, O_PATH will do. ``fsconfig(2)``."""
        with self.task.transient(1) as empty, fd.borrow(self.task) as there:
            await self._configure(FSCONFIG.SET_PATH_EMPTY, key, empty.address, there.number)

    async def set_fd(self, key: Text, fd: FileDescriptor) -> None:
        """Set a parameter to an open file. ``fsconfig(2)``, FSCONFIG_SET_FD."""
        with fd.borrow(self.task) as there:
            await self._configure(FSCONFIG.SET_FD, key, None, there.number)

    async def create(self) -> None:
        """Make the file system, or find one that is there already. ``fsconfig(2)``."""
        await self._configure(FSCONFIG.CMD_CREATE)

    async def create_excl(self) -> None:
        """Make the file system; one that is there already is an error. ``fsconfig(2)``."""
        await self._configure(FSCONFIG.CMD_CREATE_EXCL)

    async def reconfigure(self) -> None:
        """Change the file system as was set. ``fsconfig(2)``, FSCONFIG_CMD_RECONFIGURE."""
        await self._configure(FSCONFIG.CMD_RECONFIGURE)

    @trio.lowlevel.enable_ki_protection
    async def fsmount(self, attr_flags: MOUNT_ATTR = NO_ATTR) -> MountFD:
        """Return a mount of the file system that was made, mounted nowhere. ``fsmount(2)``."""
        task = self.task
        await task.sweep()
        with self.borrow() as near_id:
            try:
                made = await near_mount.fsmount(
                    task.sysif, near_id, FSMOUNT.CLOEXEC, int(attr_flags)
                )
            except OSError as error:
                await self._explain(near_id, error)
                raise
            return MountFD(task, made)

    async def read_log(self) -> list[str]:
        """Return what the kernel has to say, and nobody has read: ``e``, ``w`` or ``i``, text."""
        with self.borrow() as near_id:
            return await self._read_log(near_id)

    async def _configure(
        self,
        command: FSCONFIG,
        key: Text | None = None,
        value: Address | None = None,
        aux: int = 0,
    ) -> None:
        name = given(self.task, None) if key is None else text_given(self.task, key)
        with self.borrow() as near_id, name as there:
            try:
                await near_mount.fsconfig(
                    self.task.sysif, near_id, command, there.address, value, aux
                )
            except OSError as error:
                await self._explain(near_id, error)
                raise

    async def _explain(self, near_id: ids.FileDescriptor, error: OSError) -> None:
        with suppress(OSError):  # what failed is the error, not what could be said about it
            for line in await self._read_log(near_id):
                error.add_note(line)

    async def _read_log(self, near_id: ids.FileDescriptor) -> list[str]:
        found: list[str] = []
        with self.task.transient(LOG_ROOM) as there:
            while True:
                try:
                    got = await near_rw.read(self.task.sysif, near_id, there.address, LOG_ROOM)
                except OSError as error:
                    if error.errno != ENODATA:
                        raise
                    return found
                found.append(os.fsdecode(there.read(0, got)).rstrip("\n"))
