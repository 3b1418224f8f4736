"""EFAULT of calls on fds and on objects of IPC: each call keeps it.

Handles take pointers to memory that is there; the thin calls below them take any address. A bad
address to ``shmat(2)`` and ``shmdt(2)`` is EINVAL. The calls on mappings are in the
table of memory.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rsyscall_ns import (
    AF,
    CLOCK,
    EPOLL,
    EPOLL_CTL,
    FAN_INIT,
    FAN_MARK,
    IORING_REGISTER,
    IPC,
    KCMP,
    LANDLOCK_ACCESS_FS,
    LANDLOCK_RULE,
    SIG,
    SIGEV,
    SO,
    SOCK,
    SOL,
    F,
    FileDescriptor,
    MqAttr,
    O,
    Sigevent,
    SysVQueue,
    SysVSegment,
    SysVSemaphores,
    Task,
)
from rsyscall_ns.near.abi.ipc_h import IPC_CTL
from rsyscall_ns.near.calls import (
    attr,
    clock,
    events,
    fd,
    host,
    ipc,
    mem,
    net,
    path,
    process,
    rw,
    xattr,
)
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.ids import FileDescriptor as NearFD
from rsyscall_ns.near.interface import SyscallInterface
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

NOWHERE = Address(4096)  # no process may map what lies so low
PAGE = 4096
SIGSET = 8  # bytes
KEY = time.time_ns() & 0x7FFFFFFF | 1  # of nobody
NAME = f"/rsyscall_ns-{time.time_ns()}"
SMALL = MqAttr(maxmsg=1, msgsize=16)
FIONREAD = 0x541B
Use = Callable[[Scene], Awaitable[object]]
OnFD = Callable[[SyscallInterface, NearFD], Awaitable[object]]
OnEnds = Callable[[SyscallInterface, NearFD, NearFD], Awaitable[object]]
OnID = Callable[[SyscallInterface, int], Awaitable[object]]
SysV = SysVQueue | SysVSegment | SysVSemaphores


def opened(make: Callable[[Scene], Awaitable[FileDescriptor]]) -> Callable[[OnFD], Use]:
    """Return how to use an fd that is made so."""

    def used_by(use: OnFD) -> Use:
        async def run(p: Scene) -> None:
            async with await make(p) as fd_made:
                await use(p.task.sysif, fd_made.near)

        return run

    return used_by


def made_new(make: Callable[[Scene], Awaitable[SysV]]) -> Callable[[OnID], Use]:
    """Return how to use an object of System V that is made so."""

    def used_by(use: OnID) -> Use:
        async def run(p: Scene) -> None:
            made = await make(p)
            try:
                await use(p.task.sysif, made.near.id)
            finally:
                await made.remove()

        return run

    return used_by


NEW = IPC.CREAT | IPC.EXCL
folder = opened(lambda p: p.task.fs.open(p.folder, O.RDONLY | O.DIRECTORY))
socket = opened(lambda p: p.task.net.socket(AF.INET, SOCK.DGRAM))
inotify = opened(lambda p: p.task.fs.inotify_init1())
fanotify = opened(lambda p: p.task.fs.fanotify_init(FAN_INIT.REPORT_FID))
rules = opened(lambda p: p.task.landlock.create_ruleset(LANDLOCK_ACCESS_FS.READ_FILE))
timerfd = opened(lambda p: p.task.fds.timerfd_create())
queue = made_new(lambda p: p.task.ipc.msgget(KEY, NEW))
semaphores = made_new(lambda p: p.task.ipc.semget(KEY, 1, NEW))
segment = made_new(lambda p: p.task.ipc.shmget(KEY, PAGE, NEW))


def file(use: OnFD) -> Use:
    """Use a file that has bytes in it."""

    async def run(p: Scene) -> None:
        async with await p.task.fs.open(p.folder / "file", O.RDWR | O.CREAT) as opened:
            await opened.write(b"bytes")
            await opened.lseek(0)
            await use(p.task.sysif, opened.near)

    return run


def pipe(
    use: OnEnds,
) -> Use:
    """Use a pipe's end to read, which has a byte, and its end to write."""

    async def run(p: Scene) -> None:
        reader, writer = await p.task.fs.pipe2()
        async with reader, writer:
            await writer.write(b"a")
            await use(p.task.sysif, reader.near, writer.near)

    return run


def paired(use: OnFD) -> Use:
    """Use one end of a pair, for which something has come."""

    async def run(p: Scene) -> None:
        left, right = await p.task.net.socketpair(kind=SOCK.DGRAM)
        async with left, right:
            await right.send(b"a")
            await use(p.task.sysif, left.near)

    return run


async def accepted(p: Scene) -> None:
    """Accept a connection, and have the peer's name told where nothing is."""
    net_calls = p.task.net
    async with (
        await net_calls.socket(AF.INET, SOCK.STREAM) as server,
        await net_calls.socket(AF.INET, SOCK.STREAM) as client,
    ):
        await server.listen()
        name = await server.getsockname()
        assert name is not None
        await client.connect(name)
        await net.accept4(p.task.sysif, server.near, NOWHERE, NOWHERE, SOCK.CLOEXEC)


def epoll(use: OnFD) -> Use:
    """Use an epoll for which something is ready."""

    async def run(p: Scene) -> None:
        async with await p.task.fds.epoll_create1() as made, await p.task.fds.eventfd(1) as ready:
            await made.add(ready, EPOLL.IN)
            await use(p.task.sysif, made.near)

    return run


def pidfd(use: OnFD) -> Use:
    """Use a pidfd of the task's process."""

    async def run(p: Scene) -> None:
        async with await p.task.process.pidfd_open() as made:
            # the calls about a child are its parent's
            await use(p.task.process.task.sysif, made.near)

    return run


def ring(use: OnFD) -> Use:
    """Use an io_uring."""

    async def run(p: Scene) -> None:
        made, _ = await p.task.io_uring.setup(1)
        async with made:
            await use(p.task.sysif, made.near)

    return run


def mq(use: OnFD) -> Use:
    """Use a POSIX message queue that has no name any more."""

    async def run(p: Scene) -> None:
        flags = O.RDWR | O.CREAT | O.EXCL
        async with await p.task.mq.mq_open(NAME, flags, 0o600, SMALL) as queue:
            await p.task.mq.mq_unlink(NAME)
            await use(p.task.sysif, queue.near)

    return run


def aio(use: OnID) -> Use:
    """Use a context of aio."""

    async def run(p: Scene) -> None:
        async with await p.task.aio.io_setup(1) as context:
            await use(p.task.sysif, context.near)

    return run


def timer(use: OnID) -> Use:
    """Use a timer of the process."""

    async def run(p: Scene) -> None:
        made = await p.task.clock.timer_create(CLOCK.MONOTONIC, Sigevent(notify=SIGEV.NONE))
        try:
            await use(p.task.sysif, made.near)
        finally:
            await made.timer_delete()

    return run


async def sent(p: Scene) -> None:
    """Send a file from a place that is told where nothing is."""
    async with await p.task.fs.open(p.folder / "file", O.RDWR | O.CREAT) as opened:
        await rw.sendfile(p.task.sysif, opened.near, opened.near, NOWHERE, 1)


async def compared(p: Scene) -> None:
    """Compare a file with one that an epoll watches, which is told where nothing is."""
    own = p.task.process.near
    await fd.kcmp(p.task.sysif, own, own, KCMP.EPOLL_TFD, 0, PAGE)


PROVOKED: Provoked[Scene] = {
    "read": [("EFAULT", file(lambda s, f: rw.read(s, f, NOWHERE, 1)))],
    "readv": [("EFAULT", file(lambda s, f: rw.readv(s, f, NOWHERE, 1)))],
    "pread64": [("EFAULT", file(lambda s, f: rw.pread64(s, f, NOWHERE, 1, 0)))],
    "preadv": [("EFAULT", file(lambda s, f: rw.preadv(s, f, NOWHERE, 1, 0)))],
    "preadv2": [("EFAULT", file(lambda s, f: rw.preadv2(s, f, NOWHERE, 1, 0, 0)))],
    "write": [
        ("EFAULT", file(lambda s, f: rw.write(s, f, NOWHERE, 1))),
        ("EFAULT", pipe(lambda s, _, w: rw.write(s, w, NOWHERE, 1))),
    ],
    "writev": [("EFAULT", file(lambda s, f: rw.writev(s, f, NOWHERE, 1)))],
    "pwrite64": [("EFAULT", file(lambda s, f: rw.pwrite64(s, f, NOWHERE, 1, 0)))],
    "pwritev": [("EFAULT", file(lambda s, f: rw.pwritev(s, f, NOWHERE, 1, 0)))],
    "pwritev2": [("EFAULT", file(lambda s, f: rw.pwritev2(s, f, NOWHERE, 1, 0, 0)))],
    "vmsplice": [("EFAULT", pipe(lambda s, _, w: rw.vmsplice(s, w, NOWHERE, 1, 0)))],
    "sendfile": [("EFAULT", sent)],
    "copy_file_range": [
        ("EFAULT", file(lambda s, f: rw.copy_file_range(s, f, NOWHERE, f, None, 1, 0))),
    ],
    "cachestat": [("EFAULT", file(lambda s, f: rw.cachestat(s, f, NOWHERE, NOWHERE, 0)))],
    "getdents64": [("EFAULT", folder(lambda s, f: path.getdents64(s, f, NOWHERE, PAGE)))],
    "open_by_handle_at": [
        ("EFAULT", folder(lambda s, f: path.open_by_handle_at(s, f, NOWHERE, O.PATH))),
    ],
    "fcntl": [
        ("EFAULT", file(lambda s, f: fd.fcntl(s, f, F.GETLK, PAGE))),
        ("EFAULT", file(lambda s, f: fd.fcntl(s, f, F.SETLK, PAGE))),
        ("EFAULT", file(lambda s, f: fd.fcntl(s, f, F.OFD_SETLK, PAGE))),
    ],
    "ioctl": [("EFAULT", pipe(lambda s, r, _: fd.ioctl(s, r, FIONREAD, PAGE)))],
    "fstat": [("EFAULT", file(lambda s, f: attr.fstat(s, f, NOWHERE)))],
    "fstatfs": [("EFAULT", file(lambda s, f: attr.fstatfs(s, f, NOWHERE)))],
    "fgetxattr": [("EFAULT", file(lambda s, f: xattr.fgetxattr(s, f, NOWHERE, NOWHERE, 1)))],
    "fsetxattr": [("EFAULT", file(lambda s, f: xattr.fsetxattr(s, f, NOWHERE, NOWHERE, 1, 0)))],
    "fremovexattr": [("EFAULT", file(lambda s, f: xattr.fremovexattr(s, f, NOWHERE)))],
    "kcmp": [("EFAULT", compared)],
    "accept": [("EFAULT", accepted)],
    "bind": [("EFAULT", socket(lambda s, f: net.bind(s, f, NOWHERE, 16)))],
    "connect": [("EFAULT", socket(lambda s, f: net.connect(s, f, NOWHERE, 16)))],
    "getsockname": [("EFAULT", socket(lambda s, f: net.getsockname(s, f, NOWHERE, NOWHERE)))],
    "getpeername": [("EFAULT", paired(lambda s, f: net.getpeername(s, f, NOWHERE, NOWHERE)))],
    "getsockopt": [
        (
            "EFAULT",
            socket(lambda s, f: net.getsockopt(s, f, SOL.SOCKET, SO.TYPE, NOWHERE, NOWHERE)),
        ),
        ("EFAULT", socket(lambda s, f: net.setsockopt(s, f, SOL.SOCKET, SO.SNDBUF, NOWHERE, 4))),
    ],
    "send": [
        ("EFAULT", paired(lambda s, f: net.sendto(s, f, NOWHERE, 1, 0, None, 0))),
        ("EFAULT", paired(lambda s, f: net.sendmsg(s, f, NOWHERE, 0))),
        ("EFAULT", paired(lambda s, f: net.sendmmsg(s, f, NOWHERE, 1, 0))),
    ],
    "recv": [
        ("EFAULT", paired(lambda s, f: net.recvfrom(s, f, NOWHERE, 1, 0, None, None))),
        ("EFAULT", paired(lambda s, f: net.recvmsg(s, f, NOWHERE, 0))),
        ("EFAULT", paired(lambda s, f: net.recvmmsg(s, f, NOWHERE, 1, 0, None))),
    ],
    "epoll_ctl": [
        ("EFAULT", epoll(lambda s, f: events.epoll_ctl(s, f, EPOLL_CTL.ADD, f, NOWHERE))),
    ],
    "epoll_wait": [
        ("EFAULT", epoll(lambda s, f: events.epoll_pwait(s, f, NOWHERE, 1, 0, None, SIGSET))),
        ("EFAULT", epoll(lambda s, f: events.epoll_pwait2(s, f, NOWHERE, 1, None, None, SIGSET))),
    ],
    "inotify_add_watch": [
        ("EFAULT", inotify(lambda s, f: events.inotify_add_watch(s, f, NOWHERE, 1))),
    ],
    "fanotify_mark": [
        (
            "EFAULT",
            fanotify(lambda s, f: events.fanotify_mark(s, f, FAN_MARK.ADD, 1, None, NOWHERE)),
        ),
    ],
    "timerfd_create": [
        ("EFAULT", timerfd(lambda s, f: events.timerfd_settime(s, f, 0, NOWHERE, None))),
        ("EFAULT", timerfd(lambda s, f: events.timerfd_gettime(s, f, NOWHERE))),
    ],
    "pidfd_send_signal": [
        ("EFAULT", pidfd(lambda s, f: process.pidfd_send_signal(s, f, SIG.USR2, NOWHERE, 0))),
    ],
    "process_madvise": [
        ("EFAULT", pidfd(lambda s, f: mem.process_madvise(s, f, NOWHERE, 1, 20, 0))),
    ],
    "io_uring_register": [
        (
            "EFAULT",
            ring(lambda s, f: ipc.io_uring_register(s, f, IORING_REGISTER.BUFFERS, NOWHERE, 1)),
        ),
        (
            "EFAULT",
            ring(lambda s, f: ipc.io_uring_register(s, f, IORING_REGISTER.EVENTFD, NOWHERE, 1)),
        ),
    ],
    "landlock_add_rule": [
        (
            "EFAULT",
            rules(
                lambda s, f: host.landlock_add_rule(s, f, LANDLOCK_RULE.PATH_BENEATH, NOWHERE, 0)
            ),
        ),
    ],
    "mq_send": [("EFAULT", mq(lambda s, f: ipc.mq_timedsend(s, f, NOWHERE, 1, 0, None)))],
    "mq_getattr": [("EFAULT", mq(lambda s, f: ipc.mq_getsetattr(s, f, NOWHERE, None)))],
    "mq_notify": [("EFAULT", mq(lambda s, f: ipc.mq_notify(s, f, NOWHERE)))],
    "msgop": [
        ("EFAULT", queue(lambda s, i: ipc.msgsnd(s, i, NOWHERE, 1, IPC.NOWAIT))),
    ],
    "msgctl": [
        ("EFAULT", queue(lambda s, i: ipc.msgctl(s, i, IPC_CTL.STAT, NOWHERE))),
        ("EFAULT", queue(lambda s, i: ipc.msgctl(s, i, IPC_CTL.SET, NOWHERE))),
        ("EFAULT", queue(lambda s, i: ipc.msgctl(s, i, IPC_CTL.INFO, NOWHERE))),
    ],
    "semop": [
        ("EFAULT", semaphores(lambda s, i: ipc.semop(s, i, NOWHERE, 1))),
        ("EFAULT", semaphores(lambda s, i: ipc.semtimedop(s, i, NOWHERE, 1, NOWHERE))),
    ],
    "semctl": [
        ("EFAULT", semaphores(lambda s, i: ipc.semctl(s, i, 0, IPC_CTL.STAT, PAGE))),
        ("EFAULT", semaphores(lambda s, i: ipc.semctl(s, i, 0, IPC_CTL.SET, PAGE))),
    ],
    "shmctl": [
        ("EFAULT", segment(lambda s, i: ipc.shmctl(s, i, IPC_CTL.STAT, NOWHERE))),
        ("EFAULT", segment(lambda s, i: ipc.shmctl(s, i, IPC_CTL.SET, NOWHERE))),
    ],
    "io_submit": [("EFAULT", aio(lambda s, i: ipc.io_submit(s, i, 1, NOWHERE)))],
    "io_cancel": [("EFAULT", aio(lambda s, i: ipc.io_cancel(s, i, NOWHERE, NOWHERE)))],
    "io_getevents": [("EFAULT", aio(lambda s, i: ipc.io_getevents(s, i, 0, 1, None, NOWHERE)))],
    "timer_settime": [
        ("EFAULT", timer(lambda s, i: clock.timer_settime(s, i, 0, NOWHERE, None))),
        ("EFAULT", timer(lambda s, i: clock.timer_gettime(s, i, NOWHERE))),
    ],
}


@cases(PROVOKED)
async def test_a_bad_address_is_told_with_the_errno_of_the_page(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))
