"""Errors of pipes, vectors, polls, rings and System V objects: each keeps its errno."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import evolve

from rsyscall_ns import (
    BYTES,
    IORING_ENTER,
    IORING_REGISTER,
    IPC,
    POLL,
    RWF,
    SIGEV,
    SPLICE_F,
    AioContext,
    AioOperation,
    FileFD,
    IoUringFD,
    MqAttr,
    MqFD,
    O,
    PipeFD,
    Pointer,
    PollFD,
    Sigevent,
    SysVSegment,
    SysVSemaphores,
    Task,
    Timespec,
)
from rsyscall_ns.near.ids import Address
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

KEY = time.time_ns() & 0x7FFFFFFF | 1  # of nobody
NAME = f"/rsyscall_ns-{time.time_ns()}"
SMALL = MqAttr(maxmsg=1, msgsize=16)
BAD_NSEC = Timespec(nsec=10**9)
ODD = 1 << 20  # a flag that there is none of
PAGE = 4096
Use = Callable[[Scene], Awaitable[object]]


def on_file(use: Callable[[FileFD], Awaitable[object]], flags: int = O.RDWR) -> Use:
    """Use a file that is empty."""

    async def run(p: Scene) -> None:
        async with await p.task.fs.open(p.folder / "file", flags | O.CREAT) as file:
            await use(file)

    return run


def on_pipe(use: Callable[[PipeFD, PipeFD, Pointer[bytes]], Awaitable[object]]) -> Use:
    """Use a pipe's ends, and a page of memory."""

    async def run(p: Scene) -> None:
        reader, writer = await p.task.fs.pipe2()
        memory = await p.task.malloc(BYTES, PAGE)
        try:
            async with reader, writer:
                await use(reader, writer, memory)
        finally:
            memory.free()

    return run


async def overfilled(_: PipeFD, writer: PipeFD, memory: Pointer[bytes]) -> None:
    """Move memory into a pipe that is full."""
    while True:
        await writer.vmsplice([memory], SPLICE_F.NONBLOCK)


async def spliced(p: Scene) -> None:
    """Move memory into what is no pipe."""
    memory = await p.task.malloc(BYTES, PAGE)
    try:
        async with (
            await p.task.fs.open(p.folder, O.RDONLY) as folder,
            PipeFD(p.task, folder.near) as wrong,
        ):
            await wrong.vmsplice([memory], SPLICE_F.NONBLOCK)
    finally:
        memory.free()


def on_ring(use: Callable[[IoUringFD], Awaitable[object]]) -> Use:
    """Use an io_uring."""

    async def run(p: Scene) -> None:
        ring, _ = await p.task.io_uring.setup(1)
        async with ring:
            await use(ring)

    return run


async def no_ring(p: Scene, use: Callable[[IoUringFD], Awaitable[object]]) -> None:
    """Use an fd that is no io_uring as if it were one."""
    async with await p.task.fds.eventfd() as counter, IoUringFD(p.task, counter.near) as wrong:
        await use(wrong)


async def eventfd_twice(p: Scene) -> None:
    """Register an eventfd where there is one."""
    ring, _ = await p.task.io_uring.setup(1)
    async with ring, await p.task.fds.eventfd() as counter:
        await ring.register_eventfd(counter)
        await ring.register_eventfd(counter)


async def files_twice(ring: IoUringFD) -> None:
    """Register files where some are registered."""
    await ring.register_files([None])
    await ring.register_files([None])


def on_aio(use: Callable[[AioContext], Awaitable[object]]) -> Use:
    """Use a context of aio."""

    async def run(p: Scene) -> None:
        async with await p.task.aio.io_setup(1) as context:
            await use(context)

    return run


def apart(use: Use) -> Use:
    """Let a child wait."""

    async def run(p: Scene) -> None:
        async with p.task.spawn() as child:
            await use(evolve(p, task=child))

    return run


async def cancelled_late(p: Scene) -> None:
    """Cancel what has ended, but whose event has not been taken."""
    async with await p.task.aio.io_setup(1) as context, await p.task.fds.eventfd(1) as counter:
        [number] = await context.io_submit(AioOperation.poll(counter, POLL.IN))
        await context.io_cancel(number)


def on_mq(use: Callable[[MqFD], Awaitable[object]]) -> Use:
    """Use a POSIX message queue that has no name any more."""

    async def run(p: Scene) -> None:
        flags = O.RDWR | O.CREAT | O.EXCL
        async with await p.task.mq.mq_open(NAME, flags, 0o600, SMALL) as queue:
            await p.task.mq.mq_unlink(NAME)
            await use(queue)

    return run


async def notified_twice(queue: MqFD) -> None:
    """Ask to be told where it has been asked for."""
    await queue.mq_notify(Sigevent(notify=SIGEV.NONE))
    await queue.mq_notify(Sigevent(notify=SIGEV.NONE))


async def on_segment(p: Scene, use: Callable[[SysVSegment], Awaitable[object]]) -> None:
    """Use a segment of one page."""
    segment = await p.task.ipc.shmget(KEY, PAGE, IPC.CREAT | IPC.EXCL)
    try:
        await use(segment)
    finally:
        await segment.remove()


async def on_semaphores(p: Scene, use: Callable[[SysVSemaphores], Awaitable[object]]) -> None:
    """Use a set of one semaphore."""
    semaphores = await p.task.ipc.semget(KEY, 1, IPC.CREAT | IPC.EXCL)
    try:
        await use(semaphores)
    finally:
        await semaphores.remove()


async def detached_twice(p: Scene) -> None:
    """Detach a segment that has been detached behind the handle's back."""
    segment = await p.task.ipc.shmget(KEY, PAGE, IPC.CREAT | IPC.EXCL)
    try:
        mapping = await segment.shmat()
        await p.task.mem.munmap(mapping.near, PAGE)
        await mapping.shmdt()
    finally:
        await segment.remove()


def polled(use: Callable[[Task, PollFD], Awaitable[object]]) -> Use:
    """Wait for an eventfd, in a child."""

    async def run(p: Scene) -> None:
        async with p.task.spawn() as child, await child.fds.eventfd() as counter:
            await use(child, PollFD(counter, POLL.IN))

    return run


PROVOKED: Provoked[Scene] = {
    "vmsplice": [
        ("EAGAIN", on_pipe(overfilled)),
        ("EBADF", spliced),
        ("EINVAL", on_pipe(lambda _, w, m: w.vmsplice([m], SPLICE_F(ODD)))),
    ],
    "preadv2": [
        ("EOPNOTSUPP", on_file(lambda f: f.preadv2([1], 0, RWF(ODD)))),
        ("EINVAL", on_file(lambda f: f.preadv2([1], -2))),
        ("EINVAL", on_file(lambda f: f.preadv([1], -1))),
        ("EBADF", on_file(lambda f: f.preadv2([1], 0), O.WRONLY)),
        ("ESPIPE", on_pipe(lambda r, _, __: r.preadv2([1], 0))),
    ],
    "pwritev2": [
        ("EOPNOTSUPP", on_file(lambda f: f.pwritev2([b"a"], 0, RWF(ODD)))),
        ("EINVAL", on_file(lambda f: f.pwritev2([b"a"], -2))),
        ("EINVAL", on_file(lambda f: f.pwritev([b"a"], -1))),
        ("EBADF", on_file(lambda f: f.pwritev2([b"a"], 0), O.RDONLY)),
        ("ESPIPE", on_pipe(lambda _, w, __: w.pwritev2([b"a"], 0))),
    ],
    "ppoll": [("EINVAL", polled(lambda t, one: t.fds.ppoll([one], BAD_NSEC)))],
    "pselect": [("EINVAL", polled(lambda t, one: t.fds.pselect([one.fd], timeout=BAD_NSEC)))],
    "io_uring_enter": [
        ("EOPNOTSUPP", lambda p: no_ring(p, lambda r: r.enter())),
        ("EINVAL", on_ring(lambda r: r.enter(flags=IORING_ENTER(ODD << 10)))),
    ],
    "io_uring_register": [
        ("EOPNOTSUPP", lambda p: no_ring(p, lambda r: r.unregister_files())),
        ("ENXIO", on_ring(lambda r: r.unregister_files())),
        ("ENXIO", on_ring(lambda r: r.unregister_buffers())),
        ("ENXIO", on_ring(lambda r: r.unregister_eventfd())),
        ("ENXIO", on_ring(lambda r: r.register_files_update(0, [None]))),
        ("EBUSY", eventfd_twice),
        ("EBUSY", on_ring(files_twice)),
        ("EBADFD", on_ring(lambda r: r.register_enable_rings())),
        ("EINVAL", on_ring(lambda r: r.register_files([]))),
        ("EINVAL", on_ring(lambda r: r.register(IORING_REGISTER.UNREGISTER_FILES, b"a", 1))),
    ],
    "io_getevents": [("EINVAL", apart(on_aio(lambda c: c.io_getevents(0, 1, BAD_NSEC))))],
    "io_cancel": [("EINVAL", cancelled_late)],
    "mq_notify": [
        ("EBUSY", on_mq(notified_twice)),
    ],
    "mq_getattr": [("EINVAL", on_mq(lambda q: q.mq_setattr(MqAttr(flags=ODD))))],
    "shmat": [
        ("EINVAL", lambda p: on_segment(p, lambda s: s.shmat(address=Address(PAGE * 16 + 1)))),
        ("EINVAL", detached_twice),
    ],
    "semctl": [
        ("EINVAL", lambda p: on_semaphores(p, lambda s: s.getpid(1))),
        ("EINVAL", lambda p: on_semaphores(p, lambda s: s.getncnt(1))),
        ("EINVAL", lambda p: on_semaphores(p, lambda s: s.getzcnt(-1))),
    ],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))
