"""Errors of who may not: other users' files, clocks and processes; each keeps its errno.

ESRCH of ``utimensat(2)`` is not here: no kernel of ours tells it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rsyscall_ns import (
    ADJ,
    CLOCK,
    IPC,
    PERF_TYPE,
    REBOOT,
    RLIMIT,
    SCHED,
    O,
    PerfEventAttr,
    Process,
    Q,
    QuotaType,
    SchedAttr,
    SchedParam,
    Task,
    Timespec,
    Timex,
)
from rsyscall_ns.near.calls import host
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.ids import Process as NearProcess
from tests.support.provoked import Case, Provoked, Use, cases, powerless, provoke

ROOTS = "/etc/passwd"  # root's file, which everybody may read
FIRST = NearProcess(1)
KEY = time.time_ns() & 0x7FFFFFFF | 1  # of nobody
NAME = f"/rsyscall_ns-{time.time_ns()}"
NEW = IPC.CREAT | IPC.EXCL
PLAIN_USER = 65534


def init(use: Callable[[Process], Awaitable[object]]) -> Use[Task]:
    """Use process 1, of which a child without rights may know nothing."""
    return powerless(lambda child: use(Process(child, FIRST)))


def setting(name: str) -> int:
    """Return a setting of the kernel."""
    return int(Path(f"/proc/sys/{name}").read_text("ascii"))


async def handled(child: Task) -> None:
    """Open a file by its handle."""
    handle, _ = await child.fs.name_to_handle_at(ROOTS)
    async with await child.fs.open("/") as root:
        await root.open_by_handle_at(handle)


async def measured(child: Task) -> None:
    """Count what the kernel does."""
    if setting("kernel/perf_event_paranoid") < 2:
        pytest.skip("everybody may measure the kernel here (perf_event_paranoid)")
    await child.fds.perf_event_open(PerfEventAttr(type=PERF_TYPE.SOFTWARE))


async def faulted(child: Task) -> None:
    """Ask for the kernel's faults too."""
    if setting("vm/unprivileged_userfaultfd"):
        pytest.skip("everybody may have the kernel's faults here (unprivileged_userfaultfd)")
    await child.mem.userfaultfd(0)


async def quota_told(child: Task) -> None:
    """Ask for root's quota."""
    async with await child.fs.open("/") as root:
        await root.quotactl_fd(Q.GETQUOTA, QuotaType.USRQUOTA, 0)


async def traced(process: Process) -> None:
    """Trace a process."""
    async with process.ptrace_seize():
        pass


async def watched(child: Task) -> None:
    """Watch a file that may not be read."""
    async with await child.fs.inotify_init1() as watches:
        await watches.add_watch("/proc/1/environ")


async def device_made(child: Task) -> None:
    """Make a device."""
    name = f"/tmp/rsyscall_ns-{time.time_ns()}"  # noqa: S108 - never made
    await child.fs.mknod(name, 0o020600, 0x103)


FILES: Provoked[Task] = {
    "open": [
        ("EACCES", powerless(lambda t: t.fs.open(ROOTS, O.WRONLY))),
        ("EACCES", powerless(lambda t: t.fs.open("/etc/new", O.WRONLY | O.CREAT))),
        ("EACCES", powerless(lambda t: t.fs.open("/etc", O.TMPFILE | O.RDWR))),
        ("EPERM", powerless(lambda t: t.fs.open(ROOTS, O.NOATIME))),
    ],
    "chmod": [("EPERM", powerless(lambda t: t.fs.chmod(ROOTS, 0o644)))],
    "chown": [
        ("EPERM", powerless(lambda t: t.fs.chown(ROOTS, 0, -1))),
        ("EPERM", powerless(lambda t: t.fs.lchown(ROOTS, -1, 0))),
    ],
    "utimensat": [
        ("EPERM", powerless(lambda t: t.fs.utimensat(ROOTS, (1, 1)))),
        ("EACCES", powerless(lambda t: t.fs.utimensat(ROOTS))),
    ],
    "truncate": [("EACCES", powerless(lambda t: t.fs.truncate(ROOTS, 1 << 40)))],
    "mkdir": [("EACCES", powerless(lambda t: t.fs.mkdir("/etc/new")))],
    "mknod": [
        ("EPERM", powerless(device_made)),
        ("EACCES", powerless(lambda t: t.fs.mknod("/etc/new", 0o010600))),
    ],
    "symlink": [("EACCES", powerless(lambda t: t.fs.symlink("to", "/etc/new")))],
    "unlink": [("EACCES", powerless(lambda t: t.fs.unlink(ROOTS)))],
    "rmdir": [("EACCES", powerless(lambda t: t.fs.rmdir("/etc")))],
    "rename": [("EACCES", powerless(lambda t: t.fs.rename(ROOTS, "/etc/new")))],
    "setxattr": [
        ("EACCES", powerless(lambda t: t.fs.setxattr(ROOTS, "user.a", b""))),
        ("EPERM", powerless(lambda t: t.fs.setxattr(ROOTS, "trusted.a", b""))),
    ],
    "removexattr": [("EPERM", powerless(lambda t: t.fs.removexattr(ROOTS, "trusted.a")))],
    "inotify_add_watch": [("EACCES", powerless(watched))],
    "open_by_handle_at": [("EPERM", powerless(handled))],
    "chdir": [("EACCES", powerless(lambda t: t.fs.chdir("/proc/1/cwd")))],
    "readlink": [("EACCES", powerless(lambda t: t.fs.readlink("/proc/1/exe")))],
    "quotactl": [("EPERM", powerless(quota_told))],
}
MACHINE: Provoked[Task] = {
    "clock_adjtime": [
        ("EPERM", powerless(lambda t: t.clock.clock_adjtime(CLOCK.REALTIME, Timex(ADJ.TICK)))),
    ],
    "clock_settime": [
        ("EPERM", powerless(lambda t: t.clock.clock_settime(CLOCK.REALTIME, Timespec(2**31)))),
    ],
    "timerfd_create": [
        ("EPERM", powerless(lambda t: t.fds.timerfd_create(CLOCK.REALTIME_ALARM))),
    ],
    "syslog": [("EPERM", powerless(lambda t: host.syslog(t.sysif, 9, None, 0)))],
    "perf_event_open": [("EACCES", powerless(measured))],
    "userfaultfd": [("EPERM", powerless(faulted))],
    "reboot": [("EPERM", powerless(lambda t: t.host.reboot(REBOOT.CAD_OFF, machine=True)))],
    "vhangup": [("EPERM", powerless(lambda t: t.host.vhangup()))],
    "ptrace": [("EPERM", init(traced))],
    "migrate_pages": [("EPERM", init(lambda p: p.migrate_pages([0], [0])))],
    "move_pages": [("EPERM", init(lambda p: p.move_pages([Address(4096)])))],
    "get_robust_list": [("EPERM", init(lambda p: p.get_robust_list()))],
    "sched_setparam": [("EPERM", init(lambda p: p.sched_setparam(SchedParam(0))))],
    "sched_setattr": [
        ("EPERM", init(lambda p: p.sched_setattr(SchedAttr(policy=SCHED.BATCH)))),
    ],
    "prlimit": [("EPERM", init(lambda p: p.prlimit(RLIMIT.NOFILE)))],
}


@cases(FILES)
async def test_a_file_of_another_keeps_the_errno_of_the_page(task: Task, case: Case[Task]) -> None:
    await provoke(task, case, task)


@cases(MACHINE)
async def test_what_is_roots_keeps_the_errno_of_the_page(task: Task, case: Case[Task]) -> None:
    await provoke(task, case, task)
