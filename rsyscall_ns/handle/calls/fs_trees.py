"""Directories with all that is in them: removing them, and making some for a time."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from errno import EISDIR, ENOENT
from functools import partial
from typing import Final, Self, final

import trio
from attrs import define

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.file import FileFD
from rsyscall_ns.near.abi.dirent_h import DT
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.openat2_h import RESOLVE, OpenHow
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.transport.apart import to_the_end

from .fs_watches import WatchCalls

__all__ = ["DIRECTORY", "TemporaryDirectory", "remove_tree"]

NAME_BYTES: Final = 8
DIRECTORY: Final = O.RDONLY | O.DIRECTORY | O.NOFOLLOW
BELOW: Final = OpenHow(flags=DIRECTORY, resolve=RESOLVE.NO_XDEV | RESOLVE.NO_SYMLINKS)


@define
class Level:
    """A directory that is being emptied, and its name in the one above."""

    name: StrPath
    fd: FileFD
    left: list[str]  # directories in it, not yet entered


async def remove_tree(
    calls: WatchCalls, name: StrPath, directory: FileFD, dir_fd: FileDescriptor | None
) -> None:
    """Remove a directory, which is open, and all below it, by fds. Closes it."""
    levels: list[Level] = []
    try:
        levels.append(await _enter(calls, name, directory))
        while levels:
            level = levels[-1]
            if level.left:
                inner = level.left.pop()
                found = await calls.openat2(inner, BELOW, dir_fd=level.fd)
                levels.append(await _enter(calls, inner, found))
            else:
                await level.fd.close()
                levels.pop()
                above = levels[-1].fd if levels else dir_fd
                await calls.rmdir(level.name, dir_fd=above)
    finally:
        with trio.CancelScope(shield=True):
            for level in levels:
                await level.fd.close()


async def _enter(calls: WatchCalls, name: StrPath, directory: FileFD) -> Level:
    """Remove all from a directory that is no directory itself."""
    try:
        left = [
            entry.name
            for entry in [entry async for entry in directory.entries()]
            if entry.type == DT.DIR or not await _unlinked(calls, entry.name, directory)
        ]
    except BaseException:
        await directory.close()
        raise
    return Level(name, directory, left)


async def _unlinked(calls: WatchCalls, name: str, directory: FileFD) -> bool:
    """Remove a name; returns whether that was possible: a directory stays."""
    try:
        await calls.unlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno == ENOENT:
            return True
        if error.errno != EISDIR:
            raise
        return False
    return True


@final
class TemporaryDirectory:
    """A directory of one's own for the time of a block, as ``task.fs.mkdtemp`` makes it."""

    __slots__ = ("_above", "_calls", "_name", "_parent", "_prefix", "fd")

    fd: FileFD

    def __init__(self, calls: WatchCalls, prefix: str, parent: StrPath) -> None:
        self._calls = calls
        self._prefix = prefix
        self._parent = os.fsdecode(parent)

    @property
    def path(self) -> str:
        """Where it was made."""
        return f"{self._parent.rstrip('/')}/{self._name}"

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Self:
        self._above = await self._calls.open(self._parent, O.PATH | O.DIRECTORY)
        try:
            await self._make()
        except BaseException:
            await to_the_end(self._above.close)
            raise
        return self

    async def _make(self) -> None:
        while True:
            self._name = f"{self._prefix}{secrets.token_hex(NAME_BYTES)}"
            with suppress(FileExistsError):
                await self._calls.mkdirat(self._name, 0o700, dir_fd=self._above)
                break
        try:
            self.fd = await self._calls.open(self._name, DIRECTORY, dir_fd=self._above)
        except BaseException:
            await to_the_end(partial(self._calls.rmdir, self._name, dir_fd=self._above))
            raise

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        await to_the_end(self._remove)

    async def _remove(self) -> None:
        async with self._above:
            with suppress(FileNotFoundError):  # moved or removed: it is empty, at least
                if self.fd.valid:
                    await self.fd.lseek(0)
                else:  # closed by its user
                    self.fd = await self._calls.open(self._name, DIRECTORY, dir_fd=self._above)
                await remove_tree(self._calls, self._name, self.fd, self._above)
