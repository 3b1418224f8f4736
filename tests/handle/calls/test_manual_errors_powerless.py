"""Errors that a process without rights gets: each is provoked, and keeps its errno."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable

import pytest

from rsyscall_ns import (
    AF,
    CLOCK,
    CLONE,
    FAN_INIT,
    IOPRIO_CLASS,
    KCMP,
    LANDLOCK_ACCESS_FS,
    SCHED,
    SOCK,
    UMOUNT,
    IoPriority,
    LandlockDisabledError,
    MissingCallError,
    NamespaceNotAllowedError,
    O,
    PidFD,
    Process,
    Q,
    QuotaType,
    SchedParam,
    Task,
)
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.ids import Process as NearProcess
from tests.support.census import nothing_left
from tests.support.provoked import Case, Provoked, Use, cases, powerless, provoke

LONG = "x" * 65
FIRST = NearProcess(1)


def init(use: Callable[[Process], Awaitable[object]]) -> Use[Task]:
    """Use process 1, of which a child without rights may know nothing."""
    return powerless(lambda child: use(Process(child, FIRST)))


def watched(use: Callable[[PidFD], Awaitable[object]]) -> Use[Task]:
    """Use a pidfd of process 1."""

    async def run(child: Task) -> None:
        async with await Process(child, FIRST).pidfd_open() as fd:
            await use(fd)

    return powerless(run)


def own(use: Callable[[Process], Awaitable[object]]) -> Use[Task]:
    """Use the own process of a child, by calls of the child itself."""
    return powerless(lambda child: use(Process(child, child.process.near)))


def offered(use: Use[Task]) -> Use[Task]:
    """Use a child, if the kernel has what it asks for."""

    async def run(child: Task) -> None:
        try:
            await use(child)
        except MissingCallError as error:
            pytest.skip(f"not in this kernel: {error}")

    return powerless(run)


def restricted(times: int, *, no_new_privs: bool) -> Use[Task]:
    """Restrict a child without rights by rules, so many times."""

    async def run(child: Task) -> None:
        try:
            rules = await child.landlock.create_ruleset(LANDLOCK_ACCESS_FS.MAKE_SOCK)
        except (MissingCallError, LandlockDisabledError) as error:
            pytest.skip(f"no landlock here: {error}")
        async with rules:
            for _ in range(times):
                await rules.restrict_self(no_new_privs=no_new_privs)

    return powerless(run)


async def joined(child: Task) -> None:
    """Join a network namespace, the own one."""
    async with await child.ns.open("net") as fd:
        await child.ns.setns(fd)


async def clock_set(child: Task) -> None:
    """Set the clock to what it says."""
    await child.clock.clock_settime(CLOCK.REALTIME, await child.clock.clock_gettime(CLOCK.REALTIME))


def named(use: Use[Task]) -> Use[Task]:
    """Use a child that is root of a host name of its own."""

    async def run(task: Task) -> None:
        async with task.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as child:
            await use(child)

    return run


async def no_more(task: Task) -> None:
    """Make a namespace in a user namespace that may have none of the kind."""
    async with task.spawn(CLONE.NEWUSER) as child:
        path = "/proc/sys/user/max_net_namespaces"
        async with await child.fs.open(path, O.WRONLY) as file:
            await file.write(b"0")
        await child.ns.unshare(CLONE.NEWNET)


PROVOKED: Provoked[Task] = {
    "chroot": [("EPERM", powerless(lambda t: t.fs.chroot("/")))],
    "mount": [("EPERM", powerless(lambda t: t.mount.mount("none", "/", "tmpfs")))],
    "umount2": [("EPERM", powerless(lambda t: t.mount.umount2("/proc", UMOUNT.DETACH)))],
    "pivot_root": [("EPERM", powerless(lambda t: t.mount.pivot_root("/", "/")))],
    "fsopen": [("EPERM", powerless(lambda t: t.mount.fsopen("tmpfs")))],
    "open_tree": [("EPERM", powerless(lambda t: t.mount.open_tree("/", 1)))],
    "move_mount": [("EPERM", powerless(lambda t: t.mount.move_mount("/proc", "/")))],
    "fanotify_init": [("EPERM", powerless(lambda t: t.fs.fanotify_init(FAN_INIT.CLASS_CONTENT)))],
    "sethostname": [
        ("EPERM", powerless(lambda t: t.ns.sethostname("a"))),
        ("EPERM", powerless(lambda t: t.ns.setdomainname("a"))),
        ("EINVAL", named(lambda t: t.ns.sethostname(LONG))),
        ("EINVAL", named(lambda t: t.ns.setdomainname(LONG))),
    ],
    "clock_settime": [("EPERM", powerless(clock_set))],
    "socket": [("EPERM", powerless(lambda t: t.net.socket(AF.INET, SOCK.RAW, 1)))],
    "setpriority": [
        ("EACCES", own(lambda p: p.setpriority(-5))),
        ("EPERM", init(lambda p: p.setpriority(5))),
    ],
    "sched_setscheduler": [
        ("EPERM", own(lambda p: p.sched_setscheduler(SCHED.FIFO, SchedParam(5)))),
        ("EPERM", init(lambda p: p.sched_setscheduler(SCHED.BATCH))),
        ("EPERM", init(lambda p: p.sched_setaffinity([0]))),
    ],
    "ioprio_set": [
        ("EPERM", own(lambda p: p.ioprio_set(IoPriority(IOPRIO_CLASS.RT, 4)))),
        ("EPERM", init(lambda p: p.ioprio_set(IoPriority(IOPRIO_CLASS.BE, 4)))),
    ],
    "kill": [
        ("EPERM", init(lambda p: p.kill(0))),
        ("EPERM", watched(lambda fd: fd.send_signal(0))),
    ],
    "pidfd_getfd": [("EPERM", watched(lambda fd: fd.pidfd_getfd(0)))],
    "process_vm_readv": [("EPERM", init(lambda p: p.process_vm_readv([(Address(4096), 1)])))],
    "kcmp": [("EPERM", own(lambda p: p.kcmp(Process(p.task, FIRST), KCMP.VM)))],
    "landlock_restrict_self": [
        ("EPERM", restricted(1, no_new_privs=False)),
        ("E2BIG", restricted(65, no_new_privs=True)),
    ],
    "acct": [("EPERM", offered(lambda t: t.host.acct("/none")))],
    "delete_module": [("EPERM", offered(lambda t: t.host.delete_module("none")))],
    "init_module": [("EPERM", offered(lambda t: t.host.init_module(b"none")))],
    "kexec_load": [("EPERM", offered(lambda t: t.host.kexec_load(None, [])))],
    "swapon": [
        ("EPERM", offered(lambda t: t.host.swapon("/none"))),
        ("EPERM", offered(lambda t: t.host.swapoff("/none"))),
    ],
    "iopl": [
        ("EPERM", offered(lambda t: t.host.iopl(3))),
        ("EPERM", offered(lambda t: t.host.ioperm(0, 1, turn_on=True))),
    ],
    "quotactl": [
        ("ENOENT", powerless(lambda t: t.fs.quotactl(Q.GETFMT, QuotaType.USRQUOTA, "/none"))),
        ("ENOTBLK", powerless(lambda t: t.fs.quotactl(Q.GETFMT, QuotaType.USRQUOTA, "/"))),
    ],
}


# what is refused of a namespace has an error with a name, which says what to do
NAMESPACES: Provoked[Task] = {
    "unshare": [
        ("EPERM", powerless(lambda t: t.ns.unshare(CLONE.NEWNET))),
        ("EPERM", powerless(lambda t: t.ns.unshare(CLONE.NEWNS))),
        ("ENOSPC", no_more),
    ],
    "setns": [("EPERM", powerless(joined))],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(task: Task, case: Case[Task]) -> None:
    await provoke(task, case, task)


@cases(NAMESPACES)
async def test_a_namespace_is_refused_with_the_errno_of_the_page(
    task: Task, case: Case[Task]
) -> None:
    with nothing_left(task), pytest.raises(NamespaceNotAllowedError) as caught:
        await case.use(task)

    assert caught.value.errno == getattr(errno, case.name)
