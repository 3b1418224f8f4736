"""Errors of arguments that pages rule out, of processes, programs, memory and sockets.

EBADF of a closed fd and ENOTSOCK of another kind of fd are not here: a handle that is closed is
refused by the library, and each kind of fd has the calls of its kind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import evolve

from rsyscall_ns import (
    AF,
    BYTES,
    CLOCK,
    EPOLL,
    IN,
    KCMP,
    MEMBARRIER,
    MPOL,
    MPOL_F,
    MSG,
    PERF_ATTR,
    PERF_TYPE,
    PKEY,
    PR,
    SHUT,
    SIG,
    SOCK,
    Command,
    EpollFD,
    KcmpEpollSlot,
    MemoryMapping,
    NumaPolicy,
    O,
    PerfEventAttr,
    Process,
    Q,
    QuotaType,
    SockaddrIn,
    SocketFD,
    Task,
    Timespec,
)
from rsyscall_ns.near.calls import attr as near_attr
from rsyscall_ns.near.calls import clock as near_clock
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.calls import mem as near_mem
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.calls import scheduling as near_scheduling
from rsyscall_ns.near.calls import signals as near_signals
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.ids import Process as NearProcess
from tests.support.limits import fd_table_full
from tests.support.provoked import Case, Provoked, Scene, Use, cases, provoke

PAGE = 4096
ODD = 1 << 20  # a flag that there is none of
NOBODY = NearProcess(2**22 + 1)  # no process has an id as high
LONG = "x" * 256
NOWHERE = Address(PAGE)
SCRIPT = b"#!/bin/rsyscall_ns-has-none\n"


def mapped(use: Callable[[MemoryMapping], Awaitable[object]]) -> Use[Scene]:
    """Use a page."""

    async def run(p: Scene) -> None:
        async with await p.task.mem.mmap(PAGE) as mapping:
            await use(mapping)

    return run


def epolls(use: Callable[[EpollFD, EpollFD], Awaitable[object]]) -> Use[Scene]:
    """Use two epolls."""

    async def run(p: Scene) -> None:
        async with (
            await p.task.fds.epoll_create1() as first,
            await p.task.fds.epoll_create1() as second,
        ):
            await use(first, second)

    return run


async def watched_twice(first: EpollFD, second: EpollFD) -> None:
    """Watch what is watched."""
    await first.add(second, EPOLL.IN)
    await first.add(second, EPOLL.IN)


async def circled(first: EpollFD, second: EpollFD) -> None:
    """Let two epolls watch each other."""
    await first.add(second, EPOLL.IN)
    await second.add(first, EPOLL.IN)


async def inotified_twice(p: Scene) -> None:
    """Watch what is watched, and must not be."""
    async with await p.task.fs.inotify_init1() as watches:
        await watches.add_watch(p.folder, IN.OPEN | IN.MASK_CREATE)
        await watches.add_watch(p.folder, IN.OPEN | IN.MASK_CREATE)


def socket(
    use: Callable[[SocketFD], Awaitable[object]], domain: AF = AF.INET, kind: SOCK = SOCK.STREAM
) -> Use[Scene]:
    """Use a socket."""

    async def run(p: Scene) -> None:
        async with await p.task.net.socket(domain, kind) as made:
            await use(made)

    return run


async def sent_to_nobody(p: Scene) -> None:
    """Send what nobody takes any more, in a process that does not die of it."""
    async with p.task.spawn(own_memory=True) as child:
        await child.signals.ignore(SIG.PIPE)
        left, right = await child.net.socketpair()
        async with left:
            await right.close()
            await left.send(b"a")


async def read_without_waiting(p: Scene) -> None:
    """Read an empty pipe without waiting, in a child."""
    async with p.task.spawn() as child:
        reader, writer = await child.fs.pipe2(O.NONBLOCK)
        async with reader, writer:
            await reader.read(1)


async def written_without_waiting(p: Scene) -> None:
    """Write to a full pipe without waiting, in a child."""
    async with p.task.spawn() as child:
        reader, writer = await child.fs.pipe2(O.NONBLOCK)
        async with reader, writer:
            while True:
                await writer.write(bytes(65536))


def program(content: bytes, mode: int, argument: str = "a", path: str = "program") -> Use[Scene]:
    """Run a file with some content."""

    async def run(p: Scene) -> None:
        await p.task.fs.write_bytes(p.folder / "program", content)
        await p.task.fs.chmod(p.folder / "program", mode)
        async with p.task.launch(Command(p.folder / path, ["program", argument])):
            pass

    return run


async def file_executed(p: Scene) -> None:
    """Run a folder."""
    async with p.task.launch(Command(p.folder, ["folder"])):
        pass


async def slept(p: Scene, time: Timespec) -> None:
    """Sleep in a child."""
    async with p.task.spawn() as child:
        await child.clock.clock_nanosleep(CLOCK.MONOTONIC, time)


async def quota_of(p: Scene, op: Q) -> None:
    """Ask for a quota of a device that there is none of."""
    await p.task.fs.quotactl(op, QuotaType.USRQUOTA, p.folder)


async def stayed(p: Scene) -> None:
    """Look for a file that is in no epoll."""
    async with await p.task.fds.epoll_create1() as epoll:
        own = p.task.process
        slot = KcmpEpollSlot(epoll.near.number, epoll.near.number)
        await Process(p.task, own.near).kcmp(
            Process(p.task, own.near), KCMP.EPOLL_TFD, epoll.near.number, slot
        )


def measured(attr: PerfEventAttr) -> Use[Scene]:
    """Measure what can't be."""
    return lambda p: p.task.fds.perf_event_open(attr)


async def folder_read(p: Scene) -> None:
    """Read a folder as if it were a file."""
    async with await p.task.fs.open(p.folder, O.RDONLY | O.DIRECTORY) as fd:
        await fd.read(1)


async def unregistered(p: Scene) -> None:
    """Use a barrier that the process has not asked for before."""
    async with p.task.spawn(own_memory=True) as child:
        await child.mem.membarrier(MEMBARRIER.PRIVATE_EXPEDITED)


async def traced_nobody(p: Scene) -> None:
    """Trace the process that there is none of."""
    async with Process(p.task, NOBODY).ptrace_seize():
        pass


def no_fd(use: Callable[[Task], Awaitable[object]]) -> Use[Scene]:
    """Make an fd in a process that may have no more."""

    async def run(p: Scene) -> None:
        with fd_table_full(p.task.process.near.id):
            await use(p.task)

    return run


def two(p: Scene) -> tuple[NearProcess, NearProcess]:
    """Return the task's process, twice."""
    return p.task.process.near, p.task.process.near


async def unavailable(p: Scene) -> None:
    """Ask for an action that there is none of."""
    place = await p.task.ptr((0x12340000).to_bytes(4, "little"), BYTES)
    try:
        await near_host.seccomp(p.task.sysif, 2, 0, place.near)
    finally:
        place.free()


async def quota_odd(p: Scene) -> None:
    """Ask for a kind of quota that there is none of."""
    async with await p.task.fs.open("/") as root:
        await near_attr.quotactl_fd(p.task.sysif, root.near, Q.GETQUOTA << 8 | 9, 0, None)


CPU_CLOCK = PerfEventAttr(type=PERF_TYPE.SOFTWARE, flags=PERF_ATTR.EXCLUDE_KERNEL)
FREQUENT = evolve(CPU_CLOCK, flags=PERF_ATTR.EXCLUDE_KERNEL | PERF_ATTR.FREQ, sample_period=1 << 40)


PROVOKED: Provoked[Scene] = {
    "epoll_ctl": [
        ("EEXIST", epolls(watched_twice)),
        ("ELOOP", epolls(circled)),
    ],
    "inotify_add_watch": [("EEXIST", inotified_twice)],
    "accept": [("EINVAL", socket(lambda s: s.accept()))],
    "connect": [("ECONNREFUSED", socket(lambda s: s.connect(SockaddrIn("127.0.0.1", 1))))],
    "shutdown": [
        ("ENOTCONN", socket(lambda s: s.shutdown(SHUT.WR))),
    ],
    "send": [
        ("EPIPE", sent_to_nobody),
        ("EINVAL", socket(lambda s: s.sendto(b"a", SockaddrIn("127.0.0.1", 0)), kind=SOCK.DGRAM)),
        ("EOPNOTSUPP", socket(lambda s: s.send(b"a", MSG.OOB), AF.UNIX, SOCK.DGRAM)),
    ],
    "read": [("EAGAIN", read_without_waiting), ("EISDIR", folder_read)],
    "write": [("EAGAIN", written_without_waiting)],
    "execve": [
        ("EACCES", program(b"#!/bin/sh\n", 0o644)),
        ("EACCES", file_executed),
        ("ENOEXEC", program(b"nothing\0\1", 0o755)),
        ("ENOENT", program(SCRIPT, 0o755)),
        ("E2BIG", program(b"#!/bin/sh\n", 0o755, "a" * (1 << 18))),
        ("ENOTDIR", program(b"#!/bin/sh\n", 0o755, path="program/below")),
        ("ENOENT", program(b"#!/bin/sh\n", 0o755, path="other")),
        ("ENAMETOOLONG", program(b"#!/bin/sh\n", 0o755, path=LONG)),
    ],
    "getpriority": [
        ("EINVAL", lambda p: near_scheduling.getpriority(p.task.sysif, 99, 0)),
    ],
    "getrusage": [("EINVAL", lambda p: near_scheduling.getrusage(p.task.sysif, 99, NOWHERE))],
    "getitimer": [("EINVAL", lambda p: near_signals.getitimer(p.task.sysif, 99, NOWHERE))],
    "sched_get_priority_max": [
        ("EINVAL", lambda p: near_scheduling.sched_get_priority_max(p.task.sysif, 99)),
        ("EINVAL", lambda p: near_scheduling.sched_get_priority_min(p.task.sysif, 99)),
    ],
    "sigprocmask": [
        ("EINVAL", lambda p: near_signals.rt_sigprocmask(p.task.sysif, 0, None, None, 3)),
    ],
    "prctl": [
        ("EINVAL", lambda p: near_process.prctl(p.task.sysif, 9999)),
        ("EINVAL", lambda p: near_process.prctl(p.task.sysif, PR.SET_NO_NEW_PRIVS, 2)),
        ("EINVAL", lambda p: near_process.prctl(p.task.sysif, PR.SET_DUMPABLE, 5)),
        ("EINVAL", lambda p: near_process.prctl(p.task.sysif, PR.SET_TIMING, 1)),
        ("EINVAL", lambda p: near_process.prctl(p.task.sysif, PR.SET_THP_DISABLE, 1, 1 << 20)),
        ("ENODEV", lambda p: near_process.prctl(p.task.sysif, PR.GET_SPECULATION_CTRL, 99)),
    ],
    "membarrier": [
        ("EINVAL", lambda p: p.task.mem.membarrier(MEMBARRIER.QUERY, 99)),
        ("EPERM", unregistered),
    ],
    "get_mempolicy": [("EINVAL", lambda p: p.task.mem.get_mempolicy(MPOL_F(1 << 3)))],
    "set_mempolicy": [
        ("EINVAL", lambda p: p.task.mem.set_mempolicy(NumaPolicy(MPOL.BIND))),
        ("EINVAL", lambda p: p.task.mem.set_mempolicy(NumaPolicy(99))),
    ],
    "mbind": [("EINVAL", mapped(lambda m: m.mbind(NumaPolicy(MPOL.BIND))))],
    "move_pages": [
        ("ENODEV", lambda p: p.task.process.move_pages([NOWHERE], [500])),
        ("ESRCH", lambda p: Process(p.task, NOBODY).move_pages([NOWHERE])),
    ],
    "migrate_pages": [("ESRCH", lambda p: Process(p.task, NOBODY).migrate_pages([0], [0]))],
    "process_vm_readv": [
        ("ESRCH", lambda p: Process(p.task, NOBODY).process_vm_readv([(NOWHERE, 1)])),
    ],
    "get_robust_list": [("ESRCH", lambda p: Process(p.task, NOBODY).get_robust_list())],
    "ptrace": [("ESRCH", traced_nobody)],
    "pkey_alloc": [
        ("EINVAL", lambda p: p.task.mem.pkey_alloc(PKEY(1 << 5))),
    ],
    "mseal": [
        ("EINVAL", mapped(lambda m: near_mem.mseal(m.task.sysif, m.near, PAGE, 1))),
        ("EINVAL", mapped(lambda m: near_mem.mseal(m.task.sysif, m.near + 1, PAGE, 0))),
    ],
    "memfd_secret": [("EMFILE", no_fd(lambda t: t.fds.memfd_secret()))],
    "userfaultfd": [("EMFILE", no_fd(lambda t: t.mem.userfaultfd(1)))],
    "perf_event_open": [
        ("EMFILE", no_fd(lambda t: t.fds.perf_event_open(CPU_CLOCK))),
        ("EINVAL", measured(evolve(CPU_CLOCK, sample_type=1 << 40))),
        (
            "EINVAL",
            measured(FREQUENT),
        ),
        ("ENOENT", measured(evolve(CPU_CLOCK, config=9999))),
        ("E2BIG", measured(evolve(CPU_CLOCK, size=8))),
        (
            "ESRCH",
            lambda p: p.task.fds.perf_event_open(CPU_CLOCK, Process(p.task, NOBODY)),
        ),
    ],
    "timerfd_create": [("EINVAL", lambda p: p.task.fds.timerfd_create(CLOCK.MONOTONIC_RAW))],
    "clock_adjtime": [
        ("EOPNOTSUPP", lambda p: p.task.clock.clock_adjtime(CLOCK.MONOTONIC)),
    ],
    "clock_getres": [
        ("EINVAL", lambda p: near_clock.clock_getres(p.task.sysif, 99, NOWHERE)),
        ("EINVAL", lambda p: near_clock.clock_gettime(p.task.sysif, 99, NOWHERE)),
    ],
    "timer_delete": [
        ("EINVAL", lambda p: near_clock.timer_delete(p.task.sysif, 9999)),
        ("EINVAL", lambda p: near_clock.timer_getoverrun(p.task.sysif, 9999)),
    ],
    "clock_nanosleep": [("EINVAL", lambda p: slept(p, Timespec(-1)))],
    "io_destroy": [("EINVAL", lambda p: near_ipc.io_destroy(p.task.sysif, PAGE))],
    "kcmp": [
        ("ENOENT", stayed),
        ("EINVAL", lambda p: near_fd.kcmp(p.task.sysif, *two(p), 99, 0, 0)),
    ],
    "seccomp": [
        ("EINVAL", lambda p: near_host.seccomp(p.task.sysif, 99, 0, None)),
        ("EOPNOTSUPP", unavailable),
    ],
    "sysfs": [("EINVAL", lambda p: p.task.host.sysfs_index("nothing"))],
    "quotactl": [
        ("ENOTBLK", lambda p: quota_of(p, Q.GETQUOTA)),
        ("EINVAL", quota_odd),
    ],
    "unshare": [("EINVAL", lambda p: near_process.unshare(p.task.sysif, 1))],
    "arch_prctl": [("EINVAL", lambda p: near_process.arch_prctl(p.task.sysif, 99, 0))],
    "wait": [
        ("ECHILD", lambda p: near_process.wait4(p.task.sysif, NOBODY.id, None, 0, None)),
        ("EINVAL", lambda p: near_process.wait4(p.task.sysif, -1, None, 1 << 20, None)),
    ],
    "landlock_create_ruleset": [
        ("E2BIG", lambda p: near_host.landlock_create_ruleset(p.task.sysif, NOWHERE, 8192, 0)),
    ],
    "bpf": [("EINVAL", lambda p: near_host.bpf(p.task.sysif, 999, None, 0))],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))
