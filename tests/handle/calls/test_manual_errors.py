"""Errors that the manual pages of files name: each is provoked, and keeps its errno."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from rsyscall_ns import AT, FALLOC_FL, LOCK, RENAME, RESOLVE, XATTR, F, FileFD, O, OpenHow, Task
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

LONG = "x" * 256


@final
@frozen
class Place(Scene):
    """A folder with a file, a directory that is not empty, a link to itself, and a FIFO."""

    @property
    def file(self) -> Path:
        return self.folder / "file"

    @property
    def full(self) -> Path:
        return self.folder / "full"

    @property
    def loop(self) -> Path:
        return self.folder / "loop"

    @property
    def fifo(self) -> Path:
        return self.folder / "fifo"

    async def on(self, use: Callable[[FileFD], Awaitable[object]], flags: int = O.RDONLY) -> None:
        """Use an fd of the file."""
        async with await self.task.fs.open(self.file, flags) as fd:
            await use(fd)

    async def on_folder(self, use: Callable[[FileFD], Awaitable[object]]) -> None:
        """Use an fd of the folder."""
        async with await self.task.fs.open(self.folder, O.RDONLY | O.DIRECTORY) as fd:
            await use(fd)


PROVOKED: Provoked[Place] = {
    "chdir": [
        ("ENOTDIR", lambda p: p.task.fs.chdir(p.file)),
        ("ENAMETOOLONG", lambda p: p.task.fs.chdir(LONG)),
    ],
    "copy_file_range": [
        ("EBADF", lambda p: p.on(lambda fd: fd.copy_file_range(fd, 1))),
        ("EISDIR", lambda p: p.on(lambda fd: p.on_folder(lambda d: d.copy_file_range(fd, 1)), 2)),
    ],
    "fallocate": [
        ("EBADF", lambda p: p.on(lambda fd: fd.fallocate(0, 1))),
        ("EINVAL", lambda p: p.on(lambda fd: fd.fallocate(0, 0), O.RDWR)),
        ("EOPNOTSUPP", lambda p: p.on(punched, O.RDWR)),
    ],
    "fcntl": [
        ("EINVAL", lambda p: p.on(lambda fd: fd.fcntl(F.DUPFD, -1))),
        ("EINVAL", lambda p: p.on(lambda fd: fd.fcntl(9999))),
    ],
    "flock": [("EINVAL", lambda p: p.on(lambda fd: fd.flock(LOCK.NB)))],
    "fsync": [("EBADF", lambda p: p.on(lambda fd: fd.fsync(), O.PATH))],
    "ftruncate": [
        ("EINVAL", lambda p: p.on(lambda fd: fd.ftruncate(5))),
        ("EINVAL", lambda p: p.task.fs.truncate(p.fifo, 5)),
        ("EISDIR", lambda p: p.task.fs.truncate(p.folder, 5)),
    ],
    "getdents": [("ENOTDIR", lambda p: p.on(lambda fd: fd.getdents()))],
    "getxattr": [
        ("ENODATA", lambda p: p.task.fs.getxattr(p.file, "user.none")),
        ("EOPNOTSUPP", lambda p: p.task.fs.getxattr(p.file, "nothing.none")),
        ("ERANGE", lambda p: p.task.fs.setxattr(p.file, "user." + LONG, b"")),
        ("ENODATA", lambda p: p.task.fs.setxattr(p.file, "user.none", b"", XATTR.REPLACE)),
    ],
    "link": [
        ("EEXIST", lambda p: p.task.fs.link(p.file, p.full)),
        ("EXDEV", lambda p: p.task.fs.link("/proc/version", p.folder / "new")),
        ("EPERM", lambda p: p.task.fs.link(p.full, p.folder / "new")),
    ],
    "lseek": [
        ("EINVAL", lambda p: p.on(lambda fd: fd.lseek(-1, os.SEEK_SET))),
        ("EINVAL", lambda p: p.on(lambda fd: fd.lseek(0, 77))),
        ("ENXIO", lambda p: p.on(lambda fd: fd.lseek(99, os.SEEK_DATA))),
    ],
    "mkdir": [
        ("EEXIST", lambda p: p.task.fs.mkdir(p.full)),
        ("ENAMETOOLONG", lambda p: p.task.fs.mkdir(p.folder / LONG)),
        ("ENOENT", lambda p: p.task.fs.mkdir(p.folder / "none" / "below")),
        ("ENOTDIR", lambda p: p.task.fs.mkdir(p.file / "below")),
    ],
    "open": [
        ("EEXIST", lambda p: p.task.fs.open(p.file, O.CREAT | O.EXCL)),
        ("EISDIR", lambda p: p.task.fs.open(p.folder, O.WRONLY)),
        ("ELOOP", lambda p: p.task.fs.open(p.loop)),
        ("ELOOP", lambda p: p.task.fs.open(p.folder / "link", O.NOFOLLOW)),
        ("ENAMETOOLONG", lambda p: p.task.fs.open(p.folder / LONG)),
        ("ENOENT", lambda p: p.task.fs.open(p.folder / "none")),
        ("ENOTDIR", lambda p: p.task.fs.open(p.file, O.DIRECTORY)),
        ("ENXIO", lambda p: p.task.fs.open(p.fifo, O.WRONLY | O.NONBLOCK)),
        ("EINVAL", lambda p: p.task.fs.open(p.folder / "new", O.CREAT | O.DIRECTORY | O.RDWR)),
    ],
    "openat2": [
        ("EINVAL", lambda p: p.task.fs.openat2(p.file, OpenHow(O(1 << 40)))),
        ("EXDEV", lambda p: p.task.fs.openat2("/", OpenHow(O.PATH, resolve=RESOLVE.BENEATH))),
        ("ELOOP", lambda p: resolved(p, RESOLVE.NO_SYMLINKS)),
    ],
    "pread": [
        ("EINVAL", lambda p: p.on(lambda fd: fd.pread(1, -1))),
        ("EISDIR", lambda p: p.on_folder(lambda fd: fd.pread(1, 0))),
        ("EBADF", lambda p: p.on(lambda fd: fd.pread(1, 0), O.WRONLY)),
        ("EBADF", lambda p: p.on(lambda fd: fd.pwrite(b"a", 0))),
    ],
    "readlink": [
        ("EINVAL", lambda p: p.task.fs.readlink(p.file)),
        ("ENOENT", lambda p: p.task.fs.readlink(p.folder / "none")),
        ("ENOTDIR", lambda p: p.task.fs.readlink(p.file / "below")),
    ],
    "rename": [
        ("EINVAL", lambda p: p.task.fs.rename(p.full, p.full / "below")),
        ("EISDIR", lambda p: p.task.fs.rename(p.file, p.full)),
        ("ENOTDIR", lambda p: p.task.fs.rename(p.full, p.file)),
        ("ENOTEMPTY", lambda p: p.task.fs.rename(p.folder / "empty", p.full)),
        ("EEXIST", lambda p: p.task.fs.rename(p.file, p.full, flags=RENAME.NOREPLACE)),
        ("ENOENT", lambda p: p.task.fs.rename(p.file, p.folder / "none", flags=RENAME.EXCHANGE)),
    ],
    "rmdir": [
        ("ENOTEMPTY", lambda p: p.task.fs.rmdir(p.full)),
        ("ENOTDIR", lambda p: p.task.fs.rmdir(p.file)),
        ("EINVAL", lambda p: p.task.fs.rmdir(f"{p.full}/.")),
    ],
    "statx": [
        ("ENOENT", lambda p: p.task.fs.statx("")),
        ("EINVAL", lambda p: p.task.fs.statx(p.file, flags=AT(0x8000))),
    ],
    "symlink": [
        ("EEXIST", lambda p: p.task.fs.symlink("to", p.file)),
        ("ENOENT", lambda p: p.task.fs.symlink("", p.folder / "new")),
    ],
    "unlink": [
        ("EISDIR", lambda p: p.task.fs.unlink(p.full)),
        ("ENOENT", lambda p: p.task.fs.unlink(p.folder / "none")),
    ],
}


async def punched(fd: FileFD) -> None:
    """Punch a hole without the flag that has to go with it."""
    await fd.fallocate(0, 1, FALLOC_FL.PUNCH_HOLE)


async def resolved(place: Place, how: RESOLVE) -> None:
    """Open a link where none is followed."""
    await place.task.fs.openat2(place.folder / "link", OpenHow(O.RDONLY, resolve=how))


@pytest.fixture
def place(task: Task, tmp_path: Path) -> Place:
    made = Place(task, tmp_path)
    made.file.write_bytes(b"text")
    (tmp_path / "empty").mkdir()
    (made.full / "inside").mkdir(parents=True)
    made.loop.symlink_to("loop")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(made.fifo)
    return made


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(place: Place, case: Case[Place]) -> None:
    await provoke(place.task, case, place)
