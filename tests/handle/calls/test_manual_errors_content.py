"""Errors of locks, leases, pipes, seals and full file systems: each keeps its errno.

Not here: EIO, which takes a broken device, EDQUOT, which takes a quota, ENFILE and ENOLCK, which
take the whole machine's, and EINTR, which the library answers by calling again.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from rsyscall_ns import (
    AT,
    BYTES,
    F_SEAL,
    FALLOC_FL,
    LOCK,
    MFD,
    POSIX_FADV,
    RENAME,
    RESOLVE,
    SIG,
    SPLICE_F,
    SYNC_FILE_RANGE,
    F,
    FileFD,
    Flock,
    LockType,
    O,
    OpenHow,
    PipeFD,
    Task,
)
from tests.support.children import IS_ROOT
from tests.support.provoked import Case, Provoked, Scene, Use, cases, provoke

ODD = 1 << 20  # a flag that there is none of
PIPE_MAX_SIZE = int(Path("/proc/sys/fs/pipe-max-size").read_text("ascii"))
CACHED = OpenHow(O.RDONLY, resolve=RESOLVE.CACHED)
NOTIFY = 1026  # F_NOTIFY


@final
@frozen
class Content(Scene):
    """A folder with a file in it."""

    @property
    def file(self) -> Path:
        return self.folder / "file"

    async def on(self, use: Callable[[FileFD], Awaitable[object]], flags: int = O.RDWR) -> None:
        """Use an fd of the file."""
        async with await self.task.fs.open(self.file, flags) as fd:
            await use(fd)

    async def twice(self, use: Callable[[FileFD, FileFD], Awaitable[object]]) -> None:
        """Use the file that is open here and in a child: what is the second's is of another."""
        async with (
            self.task.spawn() as child,
            await self.task.fs.open(self.file, O.RDWR) as first,
            await child.fs.open(self.file, O.RDWR) as second,
        ):
            await use(first, second)

    async def fifo(self, use: Callable[[FileFD], Awaitable[object]]) -> None:
        """Use a FIFO as if it were a file with content."""
        async with await self.task.fs.open(self.folder / "fifo", O.RDWR) as fd:
            await use(fd)

    async def pipe(self, use: Callable[[PipeFD, PipeFD], Awaitable[object]]) -> None:
        """Use a pipe's end to read and its end to write."""
        reader, writer = await self.task.fs.pipe2()
        async with reader, writer:
            await use(reader, writer)


async def locked(first: FileFD, second: FileFD) -> None:
    """Lock a part that another process has locked."""
    await first.setlk(Flock(LockType.WRLCK))
    await second.setlk(Flock(LockType.WRLCK))


async def locked_file(first: FileFD, second: FileFD) -> None:
    """Lock a part that another open file has locked."""
    await first.ofd_setlk(Flock(LockType.WRLCK))
    await second.ofd_setlk(Flock(LockType.RDLCK))


async def flocked(first: FileFD, second: FileFD) -> None:
    """Lock a file that is locked."""
    await first.flock(LOCK.EX)
    await second.flock(LOCK.SH | LOCK.NB)


async def leased(p: Content) -> None:
    """Open what another has leased, without waiting until it gives it back."""
    async with p.task.spawn(own_memory=True) as child:
        await child.signals.ignore(SIG.IO)
        async with await child.fs.open(p.file, O.RDONLY) as fd:
            await fd.setlease(LockType.RDLCK)
            await p.task.fs.open(p.file, O.WRONLY | O.NONBLOCK)


async def narrowed(_: PipeFD, writer: PipeFD) -> None:
    """Make a pipe smaller than what is in it."""
    await writer.write(bytes(5 * 4096))
    await writer.setpipe_sz(4096)


async def widened(p: Content) -> None:
    """Make a pipe larger than one may who has no rights."""
    async with p.task.spawn() as child:
        if IS_ROOT:
            await child.cred.setresuid(65534, 65534, 65534)
        reader, writer = await child.fs.pipe2()
        async with reader, writer:
            await writer.setpipe_sz(2 * PIPE_MAX_SIZE)


async def moved(p: Content, *, empty: bool) -> None:
    """Move, without waiting, from an empty pipe, or into a full one."""
    first, second = await p.task.fs.pipe2()
    third, fourth = await p.task.fs.pipe2()
    async with first, second, third, fourth:
        if not empty:
            await second.write(b"a")
            await fourth.write(bytes(65536))
        await first.splice(fourth, 1, flags=SPLICE_F.NONBLOCK)


async def teed(p: Content) -> None:
    """Copy, without waiting, from an empty pipe."""
    first, second = await p.task.fs.pipe2()
    third, fourth = await p.task.fs.pipe2()
    async with first, second, third, fourth:
        await first.tee(fourth, 1, SPLICE_F.NONBLOCK)


async def seeked(p: Content) -> None:
    """Move from a place in a pipe."""
    async with await p.task.fs.open(p.file, O.RDWR) as fd:
        await p.pipe(lambda reader, _: reader.splice(fd, 1, offset=5))


async def piped(p: Content) -> None:
    """Write to a pipe that nobody reads, in a process that does not die of it."""
    async with p.task.spawn(own_memory=True) as child:
        await child.signals.ignore(SIG.PIPE)
        reader, writer = await child.fs.pipe2()
        async with writer:
            await reader.close()
            await writer.write(b"a")


def sealed(seals: F_SEAL, use: Callable[[FileFD], Awaitable[object]]) -> Use[Content]:
    """Use a memory file that is sealed."""

    async def run(p: Content) -> None:
        async with await p.task.fds.memfd_create("sealed", MFD.ALLOW_SEALING) as fd:
            await fd.ftruncate(4096)
            await fd.add_seals(seals)
            await use(fd)

    return run


async def null_allocated(p: Content) -> None:
    """Allocate room on what is no file."""
    async with await p.task.fs.open("/dev/null", O.RDWR) as fd:
        await fd.fallocate(0, 1)


async def overlapping(fd: FileFD) -> None:
    """Copy a part of a file onto itself."""
    await fd.copy_file_range(fd, 4, offset=0, sink_offset=2)


async def directory(p: Content, use: Callable[[FileFD], Awaitable[object]]) -> None:
    """Use the folder."""
    async with await p.task.fs.open(p.folder, O.RDONLY | O.DIRECTORY) as fd:
        await use(fd)


async def removed(p: Content, use: Callable[[Task, FileFD], Awaitable[object]]) -> None:
    """Use, in a child that works in it, a folder that has been removed."""
    async with p.task.spawn() as child:
        await child.fs.mkdir(p.folder / "gone")
        async with await child.fs.open(p.folder / "gone", O.RDONLY | O.DIRECTORY) as fd:
            await child.fs.chdir(fd)
            await child.fs.rmdir(p.folder / "gone")
            await use(child, fd)


async def short(p: Content) -> None:
    """Read names into less than their length."""
    room = await p.task.malloc(BYTES, 1)
    try:
        await p.task.fs.setxattr(p.file, "user.a", b"abc")
        await p.task.fs.listxattr(p.file, into=room)
    finally:
        room.free()


async def short_value(p: Content) -> None:
    """Read a value into less than its length."""
    room = await p.task.malloc(BYTES, 1)
    try:
        await p.task.fs.setxattr(p.file, "user.a", b"abc")
        await p.task.fs.getxattr(p.file, "user.a", into=room)
    finally:
        room.free()


async def short_cwd(p: Content) -> None:
    """Read the working directory into less than its length."""
    room = await p.task.malloc(BYTES, 1)
    try:
        await p.task.fs.getcwd(into=room)
    finally:
        room.free()


async def short_entries(p: Content) -> None:
    """Read entries into less than one's length."""
    room = await p.task.malloc(BYTES, 8)
    try:
        await directory(p, lambda fd: fd.getdents(room))
    finally:
        room.free()


PROVOKED: Provoked[Content] = {
    "fcntl": [
        ("EAGAIN", lambda p: p.twice(locked)),
        ("EAGAIN", lambda p: p.twice(locked_file)),
        ("EBADF", lambda p: p.on(lambda fd: fd.setlk(Flock(LockType.WRLCK)), O.RDONLY)),
        ("EBADF", lambda p: p.on(lambda fd: fd.setlk(Flock(LockType.RDLCK)), O.WRONLY)),
        ("EBADF", lambda p: p.on(lambda fd: fd.fcntl(F.SETFL, 0), O.PATH)),
        ("EINVAL", lambda p: p.on(lambda fd: fd.setlk(Flock(LockType.RDLCK, start=-1)))),
        ("EINVAL", lambda p: p.on(lambda fd: fd.ofd_setlk(Flock(LockType.RDLCK, pid=1)))),
        ("EBADF", lambda p: p.on(lambda fd: fd.fcntl(F.SETPIPE_SZ, 1))),
        ("EAGAIN", lambda p: p.on(lambda fd: fd.setlease(LockType.RDLCK))),
        ("EBUSY", lambda p: p.pipe(narrowed)),
        ("EPERM", widened),
        ("ENOTDIR", lambda p: p.on(lambda fd: fd.fcntl(NOTIFY, 1))),
    ],
    "flock": [("EWOULDBLOCK", lambda p: p.twice(flocked))],
    "open": [
        ("EWOULDBLOCK", leased),
        ("EINVAL", lambda p: p.task.fs.open(p.folder, O.TMPFILE | O.RDONLY)),
    ],
    "openat2": [
        (
            "EAGAIN",
            lambda p: p.task.fs.openat2(p.folder / "n", CACHED),
        ),
        ("EINVAL", lambda p: p.task.fs.openat2(p.file, OpenHow(O.RDONLY, mode=0o600))),
        ("EINVAL", lambda p: p.task.fs.openat2(p.file, OpenHow(O.RDONLY, resolve=RESOLVE(ODD)))),
    ],
    "fsync": [
        ("EINVAL", lambda p: p.fifo(lambda fd: fd.fsync())),
        ("EINVAL", lambda p: p.fifo(lambda fd: fd.fdatasync())),
    ],
    "splice": [
        ("EAGAIN", lambda p: moved(p, empty=True)),
        ("EAGAIN", lambda p: moved(p, empty=False)),
        ("ESPIPE", seeked),
    ],
    "tee": [("EAGAIN", teed)],
    "write": [
        ("EPIPE", piped),
        ("EPERM", sealed(F_SEAL.WRITE, lambda fd: fd.write(b"a"))),
    ],
    "ftruncate": [("EPERM", sealed(F_SEAL.GROW, lambda fd: fd.ftruncate(8192)))],
    "fallocate": [
        ("EPERM", sealed(F_SEAL.GROW, lambda fd: fd.fallocate(0, 8192))),
        ("EINVAL", lambda p: p.on(lambda fd: fd.fallocate(-1, 1))),
        ("ESPIPE", lambda p: p.fifo(lambda fd: fd.fallocate(0, 1))),
        ("ENODEV", null_allocated),
        ("EOPNOTSUPP", lambda p: p.on(lambda fd: fd.fallocate(0, 1, FALLOC_FL(ODD)))),
        ("EFBIG", lambda p: p.on(lambda fd: fd.fallocate(2**62, 2**62))),
    ],
    "copy_file_range": [("EINVAL", lambda p: p.on(overlapping))],
    "posix_fadvise": [("ESPIPE", lambda p: p.fifo(lambda fd: fd.posix_fadvise(POSIX_FADV.NORMAL)))],
    "readahead": [
        ("EINVAL", lambda p: p.fifo(lambda fd: fd.readahead(0, 1))),
        ("EBADF", lambda p: p.on(lambda fd: fd.readahead(0, 1), O.WRONLY)),
        ("EINVAL", lambda p: directory(p, lambda fd: fd.readahead(0, 1))),
    ],
    "sync_file_range": [
        ("ESPIPE", lambda p: p.fifo(lambda fd: fd.sync_file_range(0, 1))),
        ("EINVAL", lambda p: p.on(lambda fd: fd.sync_file_range(0, 1, SYNC_FILE_RANGE(ODD)))),
        ("EINVAL", lambda p: p.on(lambda fd: fd.sync_file_range(-1, 1))),
    ],
    "getdents": [
        ("EINVAL", short_entries),
        ("ENOENT", lambda p: removed(p, lambda _, fd: fd.getdents())),
    ],
    "getcwd": [
        ("ENOENT", lambda p: removed(p, lambda t, _: t.fs.getcwd())),
        ("ERANGE", short_cwd),
    ],
    "listxattr": [("ERANGE", short)],
    "getxattr": [("ERANGE", short_value)],
    "mknod": [
        ("EEXIST", lambda p: p.task.fs.mknod(p.file, 0o010600)),
        ("EINVAL", lambda p: p.task.fs.mknod(p.folder / "new", 0o030600)),
        ("EPERM", lambda p: p.task.fs.mknod(p.folder / "new", 0o040700)),
    ],
    "unlink": [("EINVAL", lambda p: p.task.fs.unlink(p.file, ODD))],
    "link": [("EINVAL", lambda p: p.task.fs.link(p.file, p.folder / "new", flags=AT(ODD)))],
    "rename": [("EINVAL", lambda p: p.task.fs.rename(p.file, p.folder / "n", flags=RENAME(ODD)))],
    "chmod": [("EINVAL", lambda p: p.task.fs.chmod(p.file, 0o600, flags=AT(ODD)))],
    "chown": [("EINVAL", lambda p: p.task.fs.chown(p.file, flags=AT(ODD)))],
    "stat": [("EINVAL", lambda p: p.task.fs.stat(p.file, flags=AT(ODD)))],
    "utimensat": [
        ("EINVAL", lambda p: p.task.fs.utimensat(p.file, flags=AT(ODD))),
    ],
    "faccessat2": [
        ("EINVAL", lambda p: p.task.fs.access(p.file, 8)),
        ("EINVAL", lambda p: p.task.fs.access(p.file, flags=AT(ODD))),
    ],
    "name_to_handle_at": [
        ("EINVAL", lambda p: p.task.fs.name_to_handle_at(p.file, flags=AT(ODD))),
    ],
}


@pytest.fixture
def content(task: Task, tmp_path: Path) -> Content:
    (tmp_path / "file").write_bytes(b"a file's bytes")
    os.mkfifo(tmp_path / "fifo")
    return Content(task, tmp_path)


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    content: Content, case: Case[Content]
) -> None:
    await provoke(content.task, case, content)
