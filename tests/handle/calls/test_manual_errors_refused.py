"""Bad arguments that pages name an errno for, and that the library refuses by a named error.

No call is made: what a handle has removed or closed, numbers that do not fit, names that are none,
flags that exclude each other. So the errors that the pages name for these can't be had through
handles: EBADF of what is closed, EINVAL of what is out of range, ENAMETOOLONG of 4096 bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

import rsyscall_ns
from rsyscall_ns import (
    AF,
    CLOCK,
    CLONE,
    IPC,
    KEY_SPEC,
    MAP,
    MPOL_MF,
    RLIMIT,
    SIGEV,
    SO,
    SOCK,
    SOL,
    FileFD,
    FilterProgram,
    PidFD,
    Process,
    Rlimit,
    RsyscallError,
    Sigevent,
    SockaddrUn,
    SocketFD,
    Task,
)
from rsyscall_ns.near.ids import Address
from tests.support.census import nothing_left
from tests.support.provoked import Case, Provoked, Use, cases
from tests.support.steps import no_step

DEEP = "/".join(["x"] * 3000)
NUL = "a\0b"
PAGE = 4096
FIXED = MAP.FIXED | MAP.ANONYMOUS | MAP.PRIVATE


async def removed(task: Task) -> None:
    """Ask of a queue that this handle has removed."""
    queue = await task.ipc.msgget(0, IPC.CREAT)
    await queue.remove()
    with no_step():
        await queue.stat()


async def raised(task: Task) -> None:
    """Set a semaphore to more than it may be."""
    made = await task.ipc.semget(0, 1, IPC.CREAT)
    try:
        with no_step():
            await made.setval(40000)
    finally:
        await made.remove()


async def cancelled(task: Task) -> None:
    """Cancel what was never submitted."""
    async with await task.aio.io_setup(1) as context:
        with no_step():
            await context.io_cancel(5)


async def joined(task: Task) -> None:
    """Join none of the namespaces of a process, by a child."""
    async with task.spawn() as child, await child.process.pidfd_open() as fd:
        with no_step():
            await child.ns.setns(fd)


def spawned(flags: CLONE) -> Use[Task]:
    """Make a child with flags that exclude each other."""

    async def run(task: Task) -> None:
        async with task.spawn(flags):
            pass

    return run


async def watched(task: Task) -> None:
    """Wait for no event."""
    async with await task.fds.epoll_create1() as epoll:
        with no_step():
            await epoll.epoll_wait(0, 0)


async def closed(task: Task) -> None:
    """Use an fd that is closed."""
    fd = await task.fds.eventfd()
    await fd.close()
    with no_step():
        await fd.getfl()


def socket(use: Callable[[SocketFD], Awaitable[object]]) -> Use[Task]:
    """Use a socket."""

    async def run(task: Task) -> None:
        async with await task.net.socket(AF.UNIX, SOCK.STREAM) as made:
            with no_step():
                await use(made)

    return run


def file(use: Callable[[FileFD], Awaitable[object]]) -> Use[Task]:
    """Use a folder."""

    async def run(task: Task) -> None:
        async with await task.fs.open("/") as fd:
            with no_step():
                await use(fd)

    return run


async def kinds(task: Task) -> None:
    """Use an fd as what it is not."""
    async with await task.fds.eventfd() as counter:
        await counter.as_kind(PidFD)


async def notified(task: Task) -> None:
    """Have a timer tell by a thread."""
    await task.clock.timer_create(CLOCK.MONOTONIC, Sigevent(notify=SIGEV.THREAD))


def own(task: Task) -> Process:
    """Return the task's own process, by calls of the task itself."""
    return Process(task, task.process.near)


# a page, and what is raised in place of the errno that it names
REFUSED: Provoked[Task] = {
    "add_key": [
        ("PathError", lambda t: t.keys.add_key("user", NUL, b"a", KEY_SPEC.PROCESS_KEYRING))
    ],
    "chmod": [("ArgumentRangeError", lambda t: t.fs.chmod("/none", 1 << 20))],
    "clone": [
        ("CloneFlagsError", spawned(CLONE.NEWNS | CLONE.FS)),
        ("CloneFlagsError", spawned(CLONE.NEWUSER | CLONE.FS)),
        ("CloneFlagsError", spawned(CLONE.THREAD)),
        ("CloneFlagsError", spawned(CLONE.NEWIPC | CLONE.SYSVSEM)),
        ("CloneFlagsError", spawned(CLONE.NEWPID | CLONE.PARENT)),
    ],
    "getrandom": [("ArgumentRangeError", lambda t: t.random.getrandom(-1))],
    "io_uring_setup": [("ArgumentRangeError", lambda t: t.io_uring.setup(0))],
    "kill": [
        ("ArgumentRangeError", lambda t: own(t).kill(99)),
        ("ArgumentRangeError", lambda t: own(t).kill(-1)),
    ],
    "landlock_create_ruleset": [("LandlockRightsError", lambda t: t.landlock.create_ruleset())],
    "mmap": [
        ("ArgumentRangeError", lambda t: t.mem.mmap(0)),
        ("MappingFlagsError", lambda t: t.mem.mmap(PAGE, flags=FIXED, address=Address(1 << 20))),
    ],
    "move_pages": [
        (
            "ArgumentRangeError",
            lambda t: own(t).move_pages([Address(PAGE)], [0], MPOL_MF(1 << 10)),
        ),
    ],
    "mq_open": [
        ("PathError", lambda t: t.mq.mq_open("/one/more")),
        ("PathError", lambda t: t.mq.mq_open("/")),
    ],
    "open": [
        ("PathError", lambda t: t.fs.open(DEEP)),
        ("PathError", lambda t: t.fs.open(NUL)),
    ],
    "pkey_free": [("ArgumentRangeError", lambda t: t.mem.pkey_free(99))],
    "prctl": [
        ("ArgumentRangeError", lambda t: t.prctl.set_pdeathsig(99)),
        ("ArgumentRangeError", lambda t: t.prctl.set_timerslack(-1)),
    ],
    "prlimit": [("ArgumentRangeError", lambda t: own(t).prlimit(RLIMIT.CORE, Rlimit(-5, 5)))],
    "sched_setaffinity": [("ArgumentRangeError", lambda t: own(t).sched_setaffinity([]))],
    "seccomp": [("FilterError", lambda t: t.seccomp.set_mode_filter(FilterProgram([])))],
    "setpriority": [("ArgumentRangeError", lambda t: own(t).setpriority(100))],
    "setuid": [("ArgumentRangeError", lambda t: t.cred.setuid(-2))],
    "setxattr": [("PathError", lambda t: t.fs.setxattr("/none", NUL, b""))],
    "shmget": [("ArgumentRangeError", lambda t: t.ipc.shmget(0, -1, IPC.CREAT))],
    "sigaction": [("ArgumentRangeError", lambda t: t.signals.ignore(99))],
    "signalfd": [("ArgumentRangeError", lambda t: t.signals.signalfd([99]))],
    "swapon": [("ArgumentRangeError", lambda t: t.host.swapon("/none", priority=99999))],
    "timer_create": [("SigeventError", notified)],
}
# those of what must be made first: the uses see to it that nothing is called then, but that the
# kind of an fd is asked for
MADE: Provoked[Task] = {
    "bind": [("PathError", socket(lambda s: s.bind(SockaddrUn(b"/" + b"x" * 200))))],
    "close": [("FDClosedError", closed)],
    "dup": [("FDTargetError", file(lambda fd: fd.dup3(fd)))],
    "epoll_wait": [("ArgumentRangeError", watched)],
    "getsockopt": [("SocketOptionError", socket(lambda s: s.getsockopt(SOL.SOCKET, SO.PEERPIDFD)))],
    "io_cancel": [("AioNumberError", cancelled)],
    "listen": [("ArgumentRangeError", socket(lambda s: s.listen(1 << 40)))],
    "lseek": [("ArgumentRangeError", file(lambda fd: fd.lseek(1 << 70)))],
    "msgctl": [("SysVRemovedError", removed)],
    "pidfd_send_signal": [("FDKindError", kinds)],
    "semctl": [("ArgumentRangeError", raised)],
    "setns": [("CloneFlagsError", joined)],
}


async def refuse(task: Task, case: Case[Task]) -> None:
    """Assert that an argument is refused by an error of ours, and that nothing is left of it."""
    error = getattr(rsyscall_ns, case.name)
    assert issubclass(error, RsyscallError)

    with nothing_left(task), pytest.raises(error):
        await case.use(task)


@cases(REFUSED)
async def test_a_bad_argument_is_refused_without_a_call(task: Task, case: Case[Task]) -> None:
    with no_step():
        await refuse(task, case)


@cases(MADE)
async def test_a_bad_argument_for_what_is_made_is_refused_without_a_further_call(
    task: Task, case: Case[Task]
) -> None:
    await refuse(task, case)
