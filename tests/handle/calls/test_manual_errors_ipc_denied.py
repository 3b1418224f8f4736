"""Errors of objects of IPC that one may not use, that are gone, or of which there are enough.

EIDRM comes to who waits; who comes later is told EINVAL. EOVERFLOW of ``shmctl(2)`` is that of ids
of 16 bits, which no kernel of ours has. ERANGE of ``semctl(2)`` and a bad name of a queue
are refused by the library (``test_manual_errors_refused``).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
import trio
from attrs import evolve

from rsyscall_ns import (
    CLONE,
    IPC,
    MSGRCV,
    RLIMIT,
    SHMGET,
    SYS,
    MqAttr,
    MsqidDs,
    O,
    Rlimit,
    Sembuf,
    SysVMessage,
    SysVQueue,
    SysVSegment,
    SysVSemaphores,
    Task,
    Timespec,
)
from tests.support.blocking import until_blocked
from tests.support.children import IS_ROOT
from tests.support.provoked import Case, Provoked, Use, cases, powerless, provoke

KEY = time.time_ns() & 0x7FFFFFFF | 1  # of nobody
NAME = f"/rsyscall_ns-{time.time_ns()}"
NEW = IPC.CREAT | IPC.EXCL
MADE = O.RDWR | O.CREAT | O.EXCL
SMALL = MqAttr(maxmsg=1, msgsize=16)
NOWAIT = MSGRCV(IPC.NOWAIT)
MESSAGE = SysVMessage(b"a")
BAD_NSEC = Timespec(nsec=10**9)
PLAIN_USER = 65534
T = TypeVar("T", SysVQueue, SysVSegment, SysVSemaphores)
Get = Callable[[Task, IPC, int], Awaitable[T]]


def queue(task: Task, flags: IPC, mode: int) -> Awaitable[SysVQueue]:
    """Return the message queue."""
    return task.ipc.msgget(KEY, flags, mode)


def semaphores(task: Task, flags: IPC, mode: int) -> Awaitable[SysVSemaphores]:
    """Return the set of one semaphore."""
    return task.ipc.semget(KEY, 1, flags, mode)


def segment(task: Task, flags: IPC, mode: int) -> Awaitable[SysVSegment]:
    """Return the segment of one page."""
    return task.ipc.shmget(KEY, 4096, flags, mode)


def forbidden(get: Get[T], use: Callable[[Task, T], Awaitable[object]]) -> Use[Task]:
    """Use what nobody may use, in a child without rights whose own it is."""

    async def run(child: Task) -> None:
        made = await get(child, NEW, 0)
        try:
            await use(child, made)
        finally:
            await made.remove()

    return powerless(run)


def theirs(get: Get[T], use: Callable[[T], Awaitable[object]]) -> Use[Task]:
    """Use, in a child of another user, what is ours."""

    async def run(task: Task) -> None:
        made = await get(task, NEW, 0o666)
        try:
            async with task.spawn() as child:
                await child.cred.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
                await use(await get(child, IPC.NONE, 0o666))
        finally:
            await made.remove()

    return run


def gone(get: Get[T], use: Callable[[T], Awaitable[object]]) -> Use[Task]:
    """Use what another handle has removed."""

    async def run(task: Task) -> None:
        made = await get(task, NEW, 0o600)
        second = await get(task, IPC.NONE, 0)
        await made.remove()
        await use(second)

    return run


def awaited(get: Get[T], use: Callable[[T], Awaitable[object]], call: int) -> Use[Task]:
    """Wait, in a child, for what is removed meanwhile."""

    async def run(task: Task) -> None:
        async with task.spawn() as child:
            made = await get(task, NEW, 0o600)

            async def remove() -> None:
                await until_blocked(child, call)
                await made.remove()

            waiter = await get(child, IPC.NONE, 0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(remove)
                error = await failure(use(waiter))
        raise error

    return run


async def failure(call: Awaitable[object]) -> OSError:
    """Return the error of a call that must fail."""
    with pytest.raises(OSError, match=r"\(2\)") as caught:
        await call
    return caught.value


def own(get: Get[T], use: Callable[[T], Awaitable[object]]) -> Use[Task]:
    """Use what is a child's own that has no rights."""

    async def run(child: Task) -> None:
        made = await get(child, NEW, 0o600)
        try:
            await use(made)
        finally:
            await made.remove()

    return powerless(run)


async def fills(made: SysVQueue) -> None:
    """Send until there is no more room."""
    while True:
        await made.msgsnd(SysVMessage(bytes(4096)), NOWAIT)


async def grows(made: SysVQueue) -> None:
    """Give a queue more room than everybody may give."""
    now = await made.stat()
    assert isinstance(now, MsqidDs)
    await made.set(evolve(now, qbytes=1 << 30))


async def kept(made: SysVQueue) -> None:
    """Set what a queue is."""
    await made.set(await made.stat())


async def semaphores_kept(made: SysVSemaphores) -> None:
    """Set what a set of semaphores is."""
    await made.set(await made.stat())


async def segment_kept(made: SysVSegment) -> None:
    """Set what a segment is."""
    await made.set(await made.stat())


def enough(setting: str, use: Use[Task]) -> Use[Task]:
    """Use a child whose namespace of IPC may have none of a kind."""

    async def run(task: Task) -> None:
        async with task.spawn(CLONE.NEWUSER | CLONE.NEWIPC, uid_map=True, gid_map=True) as child:
            try:
                old = (await child.fs.read_bytes(f"/proc/sys/{setting}")).split()
                none = b" ".join([*old[:-1], b"0"])
                await child.fs.write_bytes(f"/proc/sys/{setting}", none)
            except PermissionError:
                pytest.skip(f"a namespace of IPC has no {setting} of its own to set (Linux 5.19)")
            await use(child)

    return run


async def opened(child: Task, name: str = NAME) -> None:
    """Open a queue that may not be opened."""
    async with await child.mq.mq_open(NAME, MADE, 0, SMALL):
        try:
            await child.mq.mq_open(name)
        finally:
            await child.mq.mq_unlink(NAME)


async def huge(child: Task) -> None:
    """Make a segment of huge pages where nothing may be locked."""
    await child.process.prlimit(RLIMIT.MEMLOCK, Rlimit(0, 0))
    await child.ipc.shmget(KEY, 1, SHMGET.HUGETLB | NEW)


async def made_twice(task: Task) -> None:
    """Make a queue of a name that there is."""
    async with await task.mq.mq_open(NAME, MADE, 0o600, SMALL):
        try:
            await task.mq.mq_open(NAME, MADE, 0o600, SMALL)
        finally:
            await task.mq.mq_unlink(NAME)


async def late(task: Task, *, full: bool) -> None:
    """Wait until a moment that can't be, in a child."""
    async with task.spawn() as child, await child.mq.mq_open(NAME, MADE, 0o600, SMALL) as made:
        await child.mq.mq_unlink(NAME)
        if full:
            await made.mq_timedsend(b"a")
            await made.mq_timedsend(b"a", deadline=BAD_NSEC)
        else:
            await made.mq_timedreceive(deadline=BAD_NSEC)


PROVOKED: Provoked[Task] = {
    "msgget": [
        ("EACCES", forbidden(queue, lambda t, _: queue(t, IPC.NONE, 0o600))),
        ("ENOSPC", enough("kernel/msgmni", lambda t: queue(t, NEW, 0o600))),
    ],
    "msgop": [
        ("EACCES", forbidden(queue, lambda _, q: q.msgsnd(MESSAGE, NOWAIT))),
        ("EACCES", forbidden(queue, lambda _, q: q.msgrcv(flags=NOWAIT))),
        ("EAGAIN", own(queue, fills)),
        ("EINVAL", gone(queue, lambda q: q.msgsnd(MESSAGE))),
        ("EINVAL", gone(queue, lambda q: q.msgrcv())),
        ("EIDRM", awaited(queue, lambda q: q.msgrcv(), SYS.msgrcv)),
    ],
    "msgctl": [
        ("EACCES", forbidden(queue, lambda _, q: q.stat())),
        ("EINVAL", gone(queue, lambda q: q.stat())),
        ("EINVAL", gone(queue, lambda q: q.remove())),
        ("EPERM", own(queue, grows)),
    ],
    "semget": [
        ("EACCES", forbidden(semaphores, lambda t, _: semaphores(t, IPC.NONE, 0o600))),
        ("EINVAL", lambda t: t.ipc.semget(KEY, 1 << 20, NEW)),
        ("ENOSPC", enough("kernel/sem", lambda t: semaphores(t, NEW, 0o600))),
    ],
    "semop": [
        ("EACCES", forbidden(semaphores, lambda _, s: s.semop([Sembuf(0, 1)]))),
        ("EINVAL", gone(semaphores, lambda s: s.semop([Sembuf(0, 1)]))),
        ("EINVAL", own(semaphores, lambda s: s.semop([]))),
        ("EIDRM", awaited(semaphores, lambda s: s.semop([Sembuf(0, -1)]), SYS.semop)),
    ],
    "semctl": [
        ("EACCES", forbidden(semaphores, lambda _, s: s.getval())),
        ("EACCES", forbidden(semaphores, lambda _, s: s.getall())),
        ("EACCES", forbidden(semaphores, lambda _, s: s.setall([1]))),
        ("EACCES", forbidden(semaphores, lambda _, s: s.stat())),
        ("EINVAL", gone(semaphores, lambda s: s.stat())),
        ("EINVAL", gone(semaphores, lambda s: s.getval())),
        ("EINVAL", gone(semaphores, lambda s: s.remove())),
    ],
    "shmget": [
        ("EACCES", forbidden(segment, lambda t, _: segment(t, IPC.NONE, 0o600))),
        ("EPERM", powerless(huge)),
        ("ENOSPC", enough("kernel/shmmni", lambda t: segment(t, NEW, 0o600))),
    ],
    "shmat": [
        ("EACCES", forbidden(segment, lambda _, s: s.shmat())),
        ("EINVAL", gone(segment, lambda s: s.shmat())),
    ],
    "shmctl": [
        ("EACCES", forbidden(segment, lambda _, s: s.stat())),
        ("EINVAL", gone(segment, lambda s: s.stat())),
        ("EINVAL", gone(segment, lambda s: s.lock())),
        ("EINVAL", gone(segment, lambda s: s.remove())),
    ],
    "mq_open": [
        ("EACCES", powerless(opened)),
        ("EEXIST", made_twice),
        (
            "ENOSPC",
            enough("fs/mqueue/queues_max", lambda t: t.mq.mq_open(NAME, MADE, 0o600, SMALL)),
        ),
    ],
    "mq_send": [("EINVAL", lambda t: late(t, full=True))],
    "mq_receive": [("EINVAL", lambda t: late(t, full=False))],
}
# of another user's: only root can become another user
THEIRS: Provoked[Task] = {
    "msgctl": [
        ("EPERM", theirs(queue, kept)),
        ("EPERM", theirs(queue, lambda q: q.remove())),
    ],
    "semctl": [
        ("EPERM", theirs(semaphores, semaphores_kept)),
        ("EPERM", theirs(semaphores, lambda s: s.remove())),
    ],
    "shmctl": [
        ("EPERM", theirs(segment, segment_kept)),
        ("EPERM", theirs(segment, lambda s: s.remove())),
        ("EPERM", theirs(segment, lambda s: s.lock())),
    ],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(task: Task, case: Case[Task]) -> None:
    await provoke(task, case, task)


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
@cases(THEIRS)
async def test_what_is_another_users_keeps_the_errno_of_the_page(
    task: Task, case: Case[Task]
) -> None:
    await provoke(task, case, task)
