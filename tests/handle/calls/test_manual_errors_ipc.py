"""Errors that the pages of System V and POSIX IPC and of aio name: each keeps its errno."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rsyscall_ns import (
    AF,
    BYTES,
    IPC,
    MSGRCV,
    SEM,
    SOCK,
    AioContext,
    AioOperation,
    MqAttr,
    MqFD,
    O,
    Sembuf,
    SysVMessage,
    SysVQueue,
    SysVSegment,
    SysVSemaphores,
    Task,
    Timespec,
)
from tests.support.limits import fd_table_full
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

KEY = time.time_ns() & 0x7FFFFFFF | 1  # of nobody
NAME = f"/rsyscall_ns-{time.time_ns()}"
LONG = "/" + "x" * 256
MADE = O.RDWR | O.CREAT | O.EXCL
SMALL = MqAttr(maxmsg=1, msgsize=16)
HUGE = 1 << 46
MANY = 1 << 21  # events: more than a machine lets all have together
MSGMAX = int(Path("/proc/sys/kernel/msgmax").read_text("ascii"))


async def on_queue(p: Scene, use: Callable[[SysVQueue], Awaitable[object]]) -> None:
    """Use a message queue of System V."""
    queue = await p.task.ipc.msgget(KEY, IPC.CREAT | IPC.EXCL)
    try:
        await use(queue)
    finally:
        await queue.remove()


async def on_semaphores(p: Scene, use: Callable[[SysVSemaphores], Awaitable[object]]) -> None:
    """Use a set of one semaphore."""
    semaphores = await p.task.ipc.semget(KEY, 1, IPC.CREAT | IPC.EXCL)
    try:
        await use(semaphores)
    finally:
        await semaphores.remove()


async def on_segment(p: Scene, use: Callable[[SysVSegment], Awaitable[object]]) -> None:
    """Use a segment of one page."""
    segment = await p.task.ipc.shmget(KEY, 4096, IPC.CREAT | IPC.EXCL)
    try:
        await use(segment)
    finally:
        await segment.remove()


async def on_mq(p: Scene, use: Callable[[MqFD], Awaitable[object]], flags: int = O.RDWR) -> None:
    """Use a POSIX message queue that has no name any more."""
    async with await p.task.mq.mq_open(NAME, flags | O.CREAT | O.EXCL, 0o600, SMALL) as queue:
        await p.task.mq.mq_unlink(NAME)
        await use(queue)


async def on_aio(p: Scene, use: Callable[[AioContext], Awaitable[object]]) -> None:
    async with await p.task.aio.io_setup(1) as context:
        await use(context)


async def overfilled(queue: MqFD) -> None:
    """Send two messages where there is room for one."""
    await queue.mq_timedsend(b"a")
    await queue.mq_timedsend(b"a", deadline=Timespec(1))


async def overfilled_at_once(queue: MqFD) -> None:
    """Send two messages where there is room for one, without waiting."""
    await queue.mq_timedsend(b"a")
    await queue.mq_timedsend(b"a")


async def too_long(queue: SysVQueue) -> None:
    """Receive a message into less than its length."""
    await queue.msgsnd(SysVMessage(b"abc"))
    await queue.msgrcv(1)


async def no_room(p: Scene) -> None:
    """Open a queue in a process that may have no more fds."""
    with fd_table_full(p.task.process.near.id):
        await p.task.mq.mq_open(NAME, MADE, 0o600, SMALL)


async def unreadable(p: Scene) -> None:
    """Submit a read of an fd that is open to write only."""
    room = await p.task.malloc(BYTES, 1)
    try:
        async with await p.task.fs.open(p.folder / "new", O.WRONLY | O.CREAT) as file:
            await on_aio(p, lambda c: c.io_submit(AioOperation.pread(file, room)))
    finally:
        room.free()


async def unsynced(p: Scene) -> None:
    """Bring a socket to its device."""
    async with await p.task.net.socket(AF.UNIX, SOCK.STREAM) as socket:
        await on_aio(p, lambda c: c.io_submit(AioOperation.fsync(socket)))


PROVOKED: Provoked[Scene] = {
    "msgget": [
        ("EEXIST", lambda p: on_queue(p, lambda _: p.task.ipc.msgget(KEY, IPC.CREAT | IPC.EXCL))),
        ("ENOENT", lambda p: p.task.ipc.msgget(KEY)),
    ],
    "msgop": [
        ("EINVAL", lambda p: on_queue(p, lambda q: q.msgsnd(SysVMessage(bytes(MSGMAX + 1))))),
        ("E2BIG", lambda p: on_queue(p, too_long)),
        ("ENOMSG", lambda p: on_queue(p, lambda q: q.msgrcv(flags=MSGRCV(IPC.NOWAIT)))),
    ],
    "semget": [
        (
            "EEXIST",
            lambda p: on_semaphores(p, lambda _: p.task.ipc.semget(KEY, 1, IPC.CREAT | IPC.EXCL)),
        ),
        ("EINVAL", lambda p: on_semaphores(p, lambda _: p.task.ipc.semget(KEY, 2))),
        ("EINVAL", lambda p: p.task.ipc.semget(KEY, 0, IPC.CREAT)),
        ("ENOENT", lambda p: p.task.ipc.semget(KEY, 1)),
    ],
    "semop": [
        ("EAGAIN", lambda p: on_semaphores(p, lambda s: s.semop([Sembuf(0, -1, SEM.NOWAIT)]))),
        (
            "EAGAIN",
            lambda p: on_semaphores(p, lambda s: s.semtimedop([Sembuf(0, -1)], Timespec())),
        ),
        ("EFBIG", lambda p: on_semaphores(p, lambda s: s.semop([Sembuf(1, 1)]))),
        ("E2BIG", lambda p: on_semaphores(p, lambda s: s.semop([Sembuf()] * 2000))),
        ("ERANGE", lambda p: on_semaphores(p, lambda s: s.semop([Sembuf(0, 32767)] * 2))),
    ],
    "semctl": [
        ("EINVAL", lambda p: on_semaphores(p, lambda s: s.getval(1))),
        ("EINVAL", lambda p: on_semaphores(p, lambda s: s.setval(1, 1))),
    ],
    "shmget": [
        (
            "EEXIST",
            lambda p: on_segment(p, lambda _: p.task.ipc.shmget(KEY, 1, IPC.CREAT | IPC.EXCL)),
        ),
        ("EINVAL", lambda p: on_segment(p, lambda _: p.task.ipc.shmget(KEY, 8192))),
        ("EINVAL", lambda p: p.task.ipc.shmget(KEY, 0, IPC.CREAT)),
        ("ENOENT", lambda p: p.task.ipc.shmget(KEY, 1)),
        ("ENOMEM", lambda p: p.task.ipc.shmget(KEY, HUGE, IPC.CREAT)),
    ],
    "mq_open": [
        ("ENOENT", lambda p: p.task.mq.mq_open(NAME)),
        ("EINVAL", lambda p: p.task.mq.mq_open(NAME, MADE, 0o600, MqAttr(maxmsg=-1, msgsize=1))),
        ("ENAMETOOLONG", lambda p: p.task.mq.mq_open(LONG)),
        ("EMFILE", no_room),
    ],
    "mq_unlink": [
        ("ENOENT", lambda p: p.task.mq.mq_unlink(NAME)),
        ("ENAMETOOLONG", lambda p: p.task.mq.mq_unlink(LONG)),
    ],
    "mq_send": [
        ("EAGAIN", lambda p: on_mq(p, overfilled_at_once, O.RDWR | O.NONBLOCK)),
        ("EBADF", lambda p: on_mq(p, lambda q: q.mq_timedsend(b"a"), O.RDONLY)),
        ("EMSGSIZE", lambda p: on_mq(p, lambda q: q.mq_timedsend(bytes(17)))),
        ("ETIMEDOUT", lambda p: on_mq(p, overfilled)),
    ],
    "mq_receive": [
        ("EAGAIN", lambda p: on_mq(p, lambda q: q.mq_timedreceive(), O.RDWR | O.NONBLOCK)),
        ("EBADF", lambda p: on_mq(p, lambda q: q.mq_timedreceive(), O.WRONLY)),
        ("EMSGSIZE", lambda p: on_mq(p, lambda q: q.mq_timedreceive(1))),
        ("ETIMEDOUT", lambda p: on_mq(p, lambda q: q.mq_timedreceive(16, Timespec(1)))),
    ],
    "io_setup": [
        ("EAGAIN", lambda p: p.task.aio.io_setup(MANY)),
        ("EINVAL", lambda p: p.task.aio.io_setup(4 * MANY)),
    ],
    "io_submit": [
        ("EBADF", unreadable),
        ("EINVAL", unsynced),
    ],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))
