"""Errors that the pages of pipes, of events and of set-up name: each keeps its errno."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from rsyscall_ns import (
    EFD,
    EPOLL,
    EPOLL_CTL,
    FAN,
    FAN_MARK,
    IN,
    IORING_SETUP,
    TFD,
    EpollFD,
    FanotifyFD,
    InotifyFD,
    IoUringParams,
    Itimerspec,
    O,
    PipeFD,
    Task,
    Timespec,
)
from rsyscall_ns import FAN_INIT as INIT
from tests.support.limits import fd_table_full
from tests.support.provoked import Case, Provoked, Scene, Use, cases, provoke

UNKNOWN = 1 << 20
FAR = 9999
ALONE = IoUringParams(flags=IORING_SETUP.SQ_AFF)  # without what it belongs to


@final
@frozen
class Events(Scene):
    """A folder with a file in it."""

    @property
    def file(self) -> Path:
        return self.folder / "file"

    async def full(self, use: Use[Events]) -> None:
        """Make an fd in a process that may have no more."""
        with fd_table_full(self.task.process.near.id):
            await use(self)

    async def pipe(self, use: Callable[[PipeFD, PipeFD], Awaitable[object]]) -> None:
        """Use a pipe's end to read and its end to write."""
        reader, writer = await self.task.fs.pipe2()
        async with reader, writer:
            await use(reader, writer)

    async def epoll(self, use: Callable[[EpollFD], Awaitable[object]]) -> None:
        async with await self.task.fds.epoll_create1() as epoll:
            await use(epoll)

    async def inotify(self, use: Callable[[InotifyFD], Awaitable[object]]) -> None:
        async with await self.task.fs.inotify_init1() as watches:
            await use(watches)

    async def fanotify(self, use: Callable[[FanotifyFD], Awaitable[object]]) -> None:
        async with await self.task.fs.fanotify_init(INIT.REPORT_FID) as group:
            await use(group)


async def on_itself(p: Events) -> None:
    """Tee a pipe into itself."""
    await p.pipe(lambda reader, writer: reader.tee(writer, 1))


async def appended(p: Events) -> None:
    """Splice into a file that only grows."""
    reader, writer = await p.task.fs.pipe2()
    async with (
        reader,
        writer,
        await p.task.fs.open(p.file, O.WRONLY | O.APPEND) as file,
    ):
        await writer.write(b"a")
        await reader.splice(file, 1)


async def sent_to(p: Events, flags: int) -> None:
    """Send a file's bytes to one that is open with these flags."""
    async with (
        await p.task.fs.open(p.file) as source,
        await p.task.fs.open(p.file, flags) as sink,
    ):
        await sink.sendfile(source, 1)


async def wrong_end(p: Events) -> None:
    """Splice from a pipe's end to write."""
    first, second = await p.task.fs.pipe2()
    async with first, second:
        await second.splice(first, 1)


async def unwatched(p: Events, op: EPOLL_CTL) -> None:
    """Change or remove what an epoll does not watch."""
    async with await p.task.fds.eventfd() as counter:
        if op == EPOLL_CTL.DEL:
            await p.epoll(lambda e: e.delete(counter))
        else:
            await p.epoll(lambda e: e.modify(counter, EPOLL.IN))


async def file_watched(p: Events) -> None:
    """Watch what can't be waited for."""
    async with await p.task.fs.open(p.file) as file:
        await p.epoll(lambda e: e.add(file, EPOLL.IN))


async def timer_set(p: Events, new: Itimerspec) -> None:
    async with await p.task.fds.timerfd_create() as timer:
        await timer.timerfd_settime(new)


PROVOKED: Provoked[Events] = {
    "pipe": [
        ("EINVAL", lambda p: p.task.fs.pipe2(UNKNOWN)),
        ("EMFILE", lambda p: p.full(lambda p: p.task.fs.pipe2())),
    ],
    "tee": [("EINVAL", on_itself)],
    "splice": [
        ("EINVAL", appended),
        ("EBADF", wrong_end),
    ],
    "sendfile": [
        ("EBADF", lambda p: sent_to(p, O.RDONLY)),
        ("EINVAL", lambda p: sent_to(p, O.WRONLY | O.APPEND)),
    ],
    "read": [
        ("EBADF", lambda p: p.pipe(lambda _, writer: writer.read(1))),
    ],
    "write": [
        ("EBADF", lambda p: p.pipe(lambda reader, _: reader.write(b"a"))),
    ],
    "pread": [("ESPIPE", lambda p: p.pipe(lambda reader, _: reader.pread(1, 0)))],
    "pwrite": [("ESPIPE", lambda p: p.pipe(lambda _, writer: writer.pwrite(b"a", 0)))],
    "lseek": [("ESPIPE", lambda p: p.pipe(lambda reader, _: reader.lseek(0)))],
    "epoll_create1": [
        ("EINVAL", lambda p: p.task.fds.epoll_create1(UNKNOWN)),
        ("EMFILE", lambda p: p.full(lambda p: p.task.fds.epoll_create1())),
    ],
    "epoll_ctl": [
        ("EINVAL", lambda p: p.epoll(lambda e: e.add(e, EPOLL.IN))),
        ("ENOENT", lambda p: unwatched(p, EPOLL_CTL.DEL)),
        ("ENOENT", lambda p: unwatched(p, EPOLL_CTL.MOD)),
        ("EPERM", file_watched),
    ],
    "eventfd": [
        ("EINVAL", lambda p: p.task.fds.eventfd(flags=EFD(UNKNOWN))),
        ("EMFILE", lambda p: p.full(lambda p: p.task.fds.eventfd())),
    ],
    "timerfd_create": [
        ("EINVAL", lambda p: p.task.fds.timerfd_create(flags=TFD(UNKNOWN))),
        ("EMFILE", lambda p: p.full(lambda p: p.task.fds.timerfd_create())),
        ("EINVAL", lambda p: timer_set(p, Itimerspec(value=Timespec(0, 10**9)))),
    ],
    "signalfd": [
        ("EINVAL", lambda p: p.task.signals.signalfd([], UNKNOWN)),
        ("EMFILE", lambda p: p.full(lambda p: p.task.signals.signalfd([]))),
    ],
    "inotify_init": [
        ("EINVAL", lambda p: p.task.fs.inotify_init1(UNKNOWN)),
        ("EMFILE", lambda p: p.full(lambda p: p.task.fs.inotify_init1())),
    ],
    "inotify_add_watch": [
        ("EINVAL", lambda p: p.inotify(lambda i: i.add_watch(p.file, IN(0)))),
        ("ENOENT", lambda p: p.inotify(lambda i: i.add_watch(p.folder / "none"))),
        ("ENAMETOOLONG", lambda p: p.inotify(lambda i: i.add_watch("x" * 256))),
        ("ENOTDIR", lambda p: p.inotify(lambda i: i.add_watch(p.file, IN.ONLYDIR | IN.OPEN))),
    ],
    "inotify_rm_watch": [("EINVAL", lambda p: p.inotify(lambda i: i.rm_watch(FAR)))],
    "fanotify_init": [
        ("EINVAL", lambda p: p.task.fs.fanotify_init(INIT.REPORT_NAME)),
        ("EMFILE", lambda p: p.full(lambda p: p.task.fs.fanotify_init(INIT.REPORT_FID))),
    ],
    "fanotify_mark": [
        ("EINVAL", lambda p: p.fanotify(lambda f: f.mark(FAN_MARK.ADD, FAN.NONE, p.file))),
        ("ENOENT", lambda p: p.fanotify(lambda f: f.mark(FAN_MARK.REMOVE, FAN.OPEN, p.file))),
        ("ENOENT", lambda p: p.fanotify(lambda f: f.mark(FAN_MARK.ADD, FAN.OPEN, "/none"))),
        (
            "ENOTDIR",
            lambda p: p.fanotify(
                lambda f: f.mark(FAN_MARK.ADD | FAN_MARK.ONLYDIR, FAN.OPEN, p.file)
            ),
        ),
    ],
    "io_uring_setup": [
        ("EINVAL", lambda p: p.task.io_uring.setup(1, ALONE)),
        ("EMFILE", lambda p: p.full(lambda p: p.task.io_uring.setup(1))),
    ],
}


@pytest.fixture
def events(task: Task, tmp_path: Path) -> Events:
    made = Events(task, tmp_path)
    made.file.write_bytes(b"text")
    return made


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(events: Events, case: Case[Events]) -> None:
    await provoke(events.task, case, events)
