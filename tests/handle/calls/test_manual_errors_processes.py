"""Errors that the manual pages of processes and signals name: each keeps its errno."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rsyscall_ns import (
    CLOCK,
    IOPRIO_CLASS,
    IOPRIO_WHO,
    PIDFD,
    PIDFD_SIGNAL,
    PRIO,
    RLIMIT,
    SCHED,
    SCHED_FLAG,
    SI,
    SIG,
    SIGEV,
    IoPriority,
    Itimerspec,
    PidFD,
    PosixTimer,
    Process,
    Rlimit,
    SchedAttr,
    SchedParam,
    Sigevent,
    Task,
    Timespec,
    ValueSiginfo,
)
from rsyscall_ns.near.ids import Process as NearProcess
from rsyscall_ns.near.ids import ProcessGroup
from tests.support.children import FOREVER, TRUE
from tests.support.provoked import Case, cases, provoke

NOBODY = 2**22 + 1  # no process has an id as high
SHORT = Timespec(nsec=1)
BAD_NSEC = Timespec(nsec=10**9)
Use = Callable[[Task], Awaitable[object]]


def nobody(use: Callable[[Process], Awaitable[object]]) -> Use:
    """Use the process that there is none of."""
    return lambda task: use(Process(task, NearProcess(NOBODY)))


def pidfd(use: Callable[[Task, PidFD], Awaitable[object]]) -> Use:
    """Use a pidfd of the task's own process."""

    async def run(task: Task) -> None:
        async with await task.process.pidfd_open() as fd:
            await use(task, fd)

    return run


def ended(use: Callable[[PidFD], Awaitable[object]]) -> Use:
    """Use a pidfd of a process that has been waited for."""

    async def run(task: Task) -> None:
        async with task.launch(TRUE) as process, await process.pidfd_open() as fd:
            await process.wait()
            await use(fd)

    return run


def timer(use: Callable[[PosixTimer], Awaitable[object]]) -> Use:
    """Use a timer."""

    async def run(task: Task) -> None:
        made = await task.clock.timer_create(CLOCK.MONOTONIC, Sigevent(notify=SIGEV.NONE))
        try:
            await use(made)
        finally:
            await made.timer_delete()

    return run


async def grouped_late(task: Task) -> None:
    """Choose the group of a child that has exec'd."""
    async with task.launch(FOREVER) as process:
        await process.setpgid()


async def session_twice(task: Task) -> None:
    """Begin a session where one has begun."""
    async with task.spawn() as child:
        await child.proc.setsid()
        await child.proc.setsid()


async def group_of_a_leader(task: Task) -> None:
    """Choose the group of the leader of a session."""
    async with task.spawn() as child:
        await child.proc.setsid()
        await child.process.setpgid(ProcessGroup(child.process.near.id))


async def group_of_nobody(task: Task) -> None:
    """Choose a group that there is none of."""
    async with task.spawn() as child:
        await child.process.setpgid(ProcessGroup(NOBODY))


def limited(new: Rlimit) -> Use:
    """Set a limit of a child."""

    async def run(task: Task) -> None:
        async with task.spawn() as child:
            await child.process.prlimit(RLIMIT.NOFILE, new)

    return run


def scheduled(policy: SCHED, priority: int) -> Use:
    """Choose how the task is scheduled."""
    return lambda task: task.process.sched_setscheduler(policy, SchedParam(priority))


def info(code: SI) -> ValueSiginfo:
    """Return what may come along with a signal, or may not."""
    return ValueSiginfo(SIG.USR1, 0, code, 1, 0, 0)


PROVOKED: dict[str, list[tuple[str, Use]]] = {
    "kill": [
        ("ESRCH", nobody(lambda p: p.kill(0))),
        ("ESRCH", nobody(lambda p: p.killpg(0))),
    ],
    "tgkill": [
        ("ESRCH", nobody(lambda p: p.tgkill(NOBODY, 0))),
        ("ESRCH", lambda t: t.process.tgkill(NOBODY, 0)),
    ],
    "rt_sigqueueinfo": [
        ("ESRCH", nobody(lambda p: p.rt_sigqueueinfo(SIG.USR1, info(SI.QUEUE)))),
        ("EPERM", lambda t: Process(t, NearProcess(1)).rt_sigqueueinfo(0, info(SI.TKILL))),
        ("ESRCH", lambda t: t.process.rt_tgsigqueueinfo(NOBODY, 0, info(SI.QUEUE))),
    ],
    "pidfd_open": [
        ("ESRCH", nobody(lambda p: p.pidfd_open())),
        ("EINVAL", lambda t: t.process.pidfd_open(PIDFD(1 << 20))),
    ],
    "pidfd_send_signal": [
        ("ESRCH", ended(lambda fd: fd.send_signal(0))),
        ("EINVAL", pidfd(lambda _, fd: fd.send_signal(0, flags=PIDFD_SIGNAL(3)))),
        ("EINVAL", pidfd(lambda _, fd: fd.send_signal(SIG.USR2, info(SI.QUEUE)))),
    ],
    "pidfd_getfd": [
        ("EBADF", pidfd(lambda _, fd: fd.pidfd_getfd(2**20 + 5))),
        ("ESRCH", ended(lambda fd: fd.pidfd_getfd(0))),
    ],
    "setpgid": [
        ("EACCES", grouped_late),
        ("EPERM", group_of_a_leader),
        ("EPERM", group_of_nobody),
        ("ESRCH", nobody(lambda p: p.getpgid())),
    ],
    "setsid": [("EPERM", session_twice), ("ESRCH", nobody(lambda p: p.getsid()))],
    "prlimit": [
        ("EINVAL", limited(Rlimit(2, 1))),
        ("EPERM", limited(Rlimit(2**40, 2**40))),
        ("ESRCH", nobody(lambda p: p.prlimit(RLIMIT.NOFILE))),
    ],
    "getpriority": [
        ("ESRCH", nobody(lambda p: p.getpriority())),
        ("ESRCH", lambda t: t.proc.getpriority(PRIO.PGRP, NOBODY)),
        ("ESRCH", lambda t: t.proc.setpriority(PRIO.USER, NOBODY, 0)),
    ],
    "sched_setscheduler": [
        ("EINVAL", scheduled(SCHED.NORMAL, 1)),
        ("EINVAL", scheduled(SCHED.FIFO, 0)),
        ("EINVAL", scheduled(SCHED.RR, 100)),
        ("ESRCH", nobody(lambda p: p.sched_setscheduler(SCHED.NORMAL))),
        ("ESRCH", nobody(lambda p: p.sched_getscheduler())),
    ],
    "sched_setparam": [
        ("EINVAL", lambda t: t.process.sched_setparam(SchedParam(5))),
        ("ESRCH", nobody(lambda p: p.sched_setparam(SchedParam(0)))),
        ("ESRCH", nobody(lambda p: p.sched_getparam())),
        ("ESRCH", nobody(lambda p: p.sched_rr_get_interval())),
    ],
    "sched_setattr": [
        ("EINVAL", lambda t: t.process.sched_setattr(SchedAttr(policy=SCHED.DEADLINE, runtime=9))),
        ("EINVAL", lambda t: t.process.sched_setattr(SchedAttr(flags=SCHED_FLAG(1 << 40)))),
        ("E2BIG", lambda t: t.process.sched_setattr(SchedAttr(size=8))),
        ("ESRCH", nobody(lambda p: p.sched_setattr(SchedAttr()))),
        ("ESRCH", nobody(lambda p: p.sched_getattr())),
    ],
    "sched_setaffinity": [
        ("ESRCH", nobody(lambda p: p.sched_setaffinity([0]))),
        ("ESRCH", nobody(lambda p: p.sched_getaffinity())),
    ],
    "ioprio_set": [
        ("EINVAL", lambda t: t.process.ioprio_set(IoPriority(IOPRIO_CLASS.NONE, 5))),
        ("ESRCH", nobody(lambda p: p.ioprio_set(IoPriority(IOPRIO_CLASS.BE, 4)))),
        ("ESRCH", nobody(lambda p: p.ioprio_get())),
        ("ESRCH", lambda t: t.proc.ioprio_get(IOPRIO_WHO.PGRP, NOBODY)),
    ],
    "rt_sigtimedwait": [
        ("EAGAIN", lambda t: t.signals.sigtimedwait([SIG.USR2], Timespec())),
        ("EINVAL", lambda t: t.signals.sigtimedwait([SIG.USR2], BAD_NSEC)),
    ],
    "sigaction": [("EINVAL", lambda t: t.signals.ignore(SIG.KILL))],
    "timer_create": [
        ("EOPNOTSUPP", lambda t: t.clock.timer_create(CLOCK.MONOTONIC_RAW)),
    ],
    "timer_settime": [("EINVAL", timer(lambda t: t.timer_settime(Itimerspec(BAD_NSEC, BAD_NSEC))))],
    "clock_gettime": [
        ("EINVAL", lambda t: t.clock.clock_settime(CLOCK.MONOTONIC, Timespec())),
        ("EINVAL", lambda t: t.clock.clock_settime(CLOCK.REALTIME, BAD_NSEC)),
    ],
    "clock_nanosleep": [
        ("EINVAL", lambda t: t.clock.clock_nanosleep(CLOCK.MONOTONIC, BAD_NSEC)),
        ("EOPNOTSUPP", lambda t: t.clock.clock_nanosleep(CLOCK.THREAD_CPUTIME_ID, SHORT)),
        ("EOPNOTSUPP", lambda t: t.clock.clock_nanosleep(CLOCK.MONOTONIC_RAW, SHORT)),
    ],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(task: Task, case: Case[Task]) -> None:
    await provoke(task, case, task)
