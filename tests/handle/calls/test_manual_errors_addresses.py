"""EFAULT, which the pages name for each address that a call takes: the call keeps it.

Handles take pointers to memory that is there, so none of their methods can be given an address
like this one. The thin calls below them can; those that take fds too are in
``test_manual_errors_addresses_fds``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import pytest

from rsyscall_ns import (
    AF,
    BPF_CMD,
    CLOCK,
    CLONE,
    FUTEX_CMD,
    ITIMER,
    KEY_SPEC,
    KEYCTL,
    LSM_ATTR,
    PR,
    RLIMIT,
    RUSAGE,
    SCHED,
    SIG,
    SIG_BLOCK,
    SOCK,
    O,
    Q,
    QuotaType,
    Task,
)
from rsyscall_ns.near.abi.quota_h import qcmd
from rsyscall_ns.near.abi.seccomp_h import SECCOMP_OP
from rsyscall_ns.near.calls import (
    attr,
    clock,
    cred,
    fd,
    host,
    ipc,
    mem,
    mount,
    net,
    path,
    process,
    rw,
    scheduling,
    signals,
    xattr,
)
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.interface import SyscallInterface
from tests.support.children import IS_ROOT
from tests.support.provoked import Case, Use, cases, provoke

NOWHERE = Address(4096)  # no process may map what lies so low
PAGE = 4096
SIGSET = 8  # bytes
Bare = Callable[[SyscallInterface], Awaitable[object]]

CALLS: Mapping[str, Bare] = {
    # paths
    "chdir": lambda s: path.chdir(s, NOWHERE),
    "faccessat": lambda s: path.faccessat(s, None, NOWHERE, 0),
    "faccessat2": lambda s: path.faccessat2(s, None, NOWHERE, 0, 0),
    "linkat": lambda s: path.linkat(s, None, NOWHERE, None, NOWHERE, 0),
    "mkdirat": lambda s: path.mkdirat(s, None, NOWHERE, 0),
    "mknodat": lambda s: path.mknodat(s, None, NOWHERE, 0o010600, 0),
    "name_to_handle_at": lambda s: path.name_to_handle_at(s, None, NOWHERE, NOWHERE, NOWHERE, 0),
    "openat": lambda s: path.openat(s, None, NOWHERE, O.RDONLY),
    "openat2": lambda s: path.openat2(s, None, NOWHERE, NOWHERE, 24),
    "readlinkat": lambda s: path.readlinkat(s, None, NOWHERE, NOWHERE, 1),
    "renameat2": lambda s: path.renameat2(s, None, NOWHERE, None, NOWHERE, 0),
    "symlinkat": lambda s: path.symlinkat(s, NOWHERE, None, NOWHERE),
    "unlinkat": lambda s: path.unlinkat(s, None, NOWHERE, 0),
    "getcwd": lambda s: path.getcwd(s, NOWHERE, PAGE),
    # attributes
    "fchmodat": lambda s: attr.fchmodat(s, None, NOWHERE, 0),
    "fchmodat2": lambda s: attr.fchmodat2(s, None, NOWHERE, 0, 0),
    "fchownat": lambda s: attr.fchownat(s, None, NOWHERE, 0, 0, 0),
    "file_getattr": lambda s: attr.file_getattr(s, None, NOWHERE, NOWHERE, 24, 0),
    "file_setattr": lambda s: attr.file_setattr(s, None, NOWHERE, NOWHERE, 24, 0),
    "newfstatat": lambda s: attr.newfstatat(s, None, NOWHERE, NOWHERE, 0),
    "statfs": lambda s: attr.statfs(s, NOWHERE, NOWHERE),
    "statx": lambda s: attr.statx(s, None, NOWHERE, 0, 0, NOWHERE),
    "truncate": lambda s: rw.truncate(s, NOWHERE, 0),
    "utimensat": lambda s: attr.utimensat(s, None, NOWHERE, None, 0),
    "quotactl": lambda s: attr.quotactl(s, qcmd(Q.GETFMT, QuotaType.USRQUOTA), NOWHERE, 0, None),
    "getxattr": lambda s: xattr.getxattr(s, NOWHERE, NOWHERE, NOWHERE, 1),
    "lgetxattr": lambda s: xattr.lgetxattr(s, NOWHERE, NOWHERE, NOWHERE, 1),
    "listxattr": lambda s: xattr.listxattr(s, NOWHERE, NOWHERE, 1),
    "llistxattr": lambda s: xattr.llistxattr(s, NOWHERE, NOWHERE, 1),
    "setxattr": lambda s: xattr.setxattr(s, NOWHERE, NOWHERE, NOWHERE, 1, 0),
    "lsetxattr": lambda s: xattr.lsetxattr(s, NOWHERE, NOWHERE, NOWHERE, 1, 0),
    "removexattr": lambda s: xattr.removexattr(s, NOWHERE, NOWHERE),
    "lremovexattr": lambda s: xattr.lremovexattr(s, NOWHERE, NOWHERE),
    "getxattrat": lambda s: xattr.getxattrat(s, None, NOWHERE, 0, NOWHERE, NOWHERE, 16),
    "setxattrat": lambda s: xattr.setxattrat(s, None, NOWHERE, 0, NOWHERE, NOWHERE, 16),
    "listxattrat": lambda s: xattr.listxattrat(s, None, NOWHERE, 0, NOWHERE, 1),
    "removexattrat": lambda s: xattr.removexattrat(s, None, NOWHERE, 0, NOWHERE),
    # fds that are made
    "memfd_create": lambda s: fd.memfd_create(s, NOWHERE, 0),
    "pipe2": lambda s: fd.pipe2(s, NOWHERE, 0),
    "ppoll": lambda s: fd.ppoll(s, NOWHERE, 1, None, None, SIGSET),
    "pselect6": lambda s: fd.pselect6(s, 1, NOWHERE, None, None, None, None),
    "perf_event_open": lambda s: fd.perf_event_open(s, NOWHERE, 0, -1, None, 0),
    "socketpair": lambda s: net.socketpair(s, AF.UNIX, SOCK.STREAM, 0, NOWHERE),
    # clocks
    "clock_adjtime": lambda s: clock.clock_adjtime(s, CLOCK.REALTIME, NOWHERE),
    "clock_getres": lambda s: clock.clock_getres(s, CLOCK.REALTIME, NOWHERE),
    "clock_gettime": lambda s: clock.clock_gettime(s, CLOCK.REALTIME, NOWHERE),
    "clock_nanosleep": lambda s: clock.clock_nanosleep(s, CLOCK.REALTIME, 0, NOWHERE, None),
    "clock_settime": lambda s: clock.clock_settime(s, CLOCK.REALTIME, NOWHERE),
    "adjtimex": lambda s: clock.adjtimex(s, NOWHERE),
    "gettimeofday": lambda s: clock.gettimeofday(s, NOWHERE, None),
    "settimeofday": lambda s: clock.settimeofday(s, NOWHERE, None),
    "nanosleep": lambda s: clock.nanosleep(s, NOWHERE, None),
    "timer_create": lambda s: clock.timer_create(s, CLOCK.MONOTONIC, NOWHERE, NOWHERE),
    "timer_settime": lambda s: clock.timer_settime(s, 0, 0, NOWHERE, None),
    "times": lambda s: clock.times(s, NOWHERE),
    # rights and keys
    "capget": lambda s: cred.capget(s, NOWHERE, NOWHERE),
    "capset": lambda s: cred.capset(s, NOWHERE, NOWHERE),
    "getresuid": lambda s: cred.getresuid(s, NOWHERE, NOWHERE, NOWHERE),
    "getresgid": lambda s: cred.getresgid(s, NOWHERE, NOWHERE, NOWHERE),
    "add_key": lambda s: cred.add_key(s, NOWHERE, NOWHERE, None, 0, KEY_SPEC.PROCESS_KEYRING),
    "request_key": lambda s: cred.request_key(s, NOWHERE, NOWHERE, None, 0),
    "keyctl": lambda s: cred.keyctl(s, KEYCTL.JOIN_SESSION_KEYRING, PAGE),
    "landlock_create_ruleset": lambda s: host.landlock_create_ruleset(s, NOWHERE, 8, 0),
    "seccomp": lambda s: host.seccomp(s, SECCOMP_OP.GET_ACTION_AVAIL, 0, NOWHERE),
    "bpf": lambda s: host.bpf(s, BPF_CMD.MAP_CREATE, NOWHERE, 64),
    "lsm_list_modules": lambda s: host.lsm_list_modules(s, NOWHERE, NOWHERE, 0),
    "lsm_get_self_attr": lambda s: host.lsm_get_self_attr(s, LSM_ATTR.CURRENT, None, NOWHERE, 0),
    # processes
    "prctl": lambda s: process.prctl(s, PR.SET_NAME, PAGE),
    "getcpu": lambda s: scheduling.getcpu(s, NOWHERE, None, None),
    "getrusage": lambda s: scheduling.getrusage(s, RUSAGE.SELF, NOWHERE),
    "getrlimit": lambda s: scheduling.getrlimit(s, RLIMIT.NOFILE, NOWHERE),
    "setrlimit": lambda s: scheduling.setrlimit(s, RLIMIT.NOFILE, NOWHERE),
    "prlimit64": lambda s: scheduling.prlimit64(s, None, RLIMIT.NOFILE, NOWHERE, None),
    "sched_getaffinity": lambda s: scheduling.sched_getaffinity(s, None, PAGE, NOWHERE),
    "sched_setaffinity": lambda s: scheduling.sched_setaffinity(s, None, PAGE, NOWHERE),
    "sched_getattr": lambda s: scheduling.sched_getattr(s, None, NOWHERE, 48, 0),
    "sched_setattr": lambda s: scheduling.sched_setattr(s, None, NOWHERE, 0),
    "sched_getparam": lambda s: scheduling.sched_getparam(s, None, NOWHERE),
    "sched_setparam": lambda s: scheduling.sched_setparam(s, None, NOWHERE),
    "sched_setscheduler": lambda s: scheduling.sched_setscheduler(s, None, SCHED.NORMAL, NOWHERE),
    "sched_rr_get_interval": lambda s: scheduling.sched_rr_get_interval(s, None, NOWHERE),
    "futex": lambda s: scheduling.futex(s, NOWHERE, FUTEX_CMD.WAIT, 0),
    "futex_wait": lambda s: scheduling.futex_wait(s, NOWHERE, 0, 1, 2, None, CLOCK.MONOTONIC),
    "futex_wake": lambda s: scheduling.futex_wake(s, NOWHERE, 1, 1, 2),
    "futex_waitv": lambda s: scheduling.futex_waitv(s, NOWHERE, 1, 0, None, CLOCK.MONOTONIC),
    "futex_requeue": lambda s: scheduling.futex_requeue(s, NOWHERE, 0, 0, 0),
    "get_robust_list": lambda s: process.get_robust_list(s, None, NOWHERE, NOWHERE),
    "rt_sigaction": lambda s: signals.rt_sigaction(s, SIG.USR2, NOWHERE, None, SIGSET),
    "rt_sigpending": lambda s: signals.rt_sigpending(s, NOWHERE, SIGSET),
    "rt_sigprocmask": lambda s: signals.rt_sigprocmask(s, SIG_BLOCK, NOWHERE, None, SIGSET),
    "rt_sigsuspend": lambda s: signals.rt_sigsuspend(s, NOWHERE, SIGSET),
    "rt_sigtimedwait": lambda s: signals.rt_sigtimedwait(s, NOWHERE, None, None, SIGSET),
    "rt_sigqueueinfo": lambda s: signals.rt_sigqueueinfo(s, None, SIG.USR2, NOWHERE),
    "sigaltstack": lambda s: signals.sigaltstack(s, NOWHERE, None),
    "getitimer": lambda s: signals.getitimer(s, ITIMER.REAL, NOWHERE),
    "setitimer": lambda s: signals.setitimer(s, ITIMER.REAL, NOWHERE, None),
    "execve": lambda s: process.execve(s, NOWHERE, None, None),
    "execveat": lambda s: process.execveat(s, None, NOWHERE, None, None, 0),
    "uname": lambda s: host.uname(s, NOWHERE),
    "sysinfo": lambda s: host.sysinfo(s, NOWHERE),
    "getrandom": lambda s: host.getrandom(s, NOWHERE, 1, 0),
    # memory
    "get_mempolicy": lambda s: mem.get_mempolicy(s, NOWHERE, None, 0, None, 0),
    "set_mempolicy": lambda s: mem.set_mempolicy(s, 2, NOWHERE, 64),
    "migrate_pages": lambda s: mem.migrate_pages(s, None, 64, NOWHERE, NOWHERE),
    "move_pages": lambda s: mem.move_pages(s, None, 1, NOWHERE, None, NOWHERE, 0),
    "process_vm_readv": lambda s: mem.process_vm_readv(s, None, NOWHERE, 1, NOWHERE, 1, 0),
    # objects of IPC
    "io_setup": lambda s: ipc.io_setup(s, 1, NOWHERE),
    "io_uring_setup": lambda s: ipc.io_uring_setup(s, 1, NOWHERE),
    "mq_open": lambda s: ipc.mq_open(s, NOWHERE, O.RDWR, 0, None),
    "mq_unlink": lambda s: ipc.mq_unlink(s, NOWHERE),
    "statmount": lambda s: mount.statmount(s, NOWHERE, NOWHERE, 1, 0),
    "listmount": lambda s: mount.listmount(s, NOWHERE, NOWHERE, 1, 0),
    "open_tree": lambda s: mount.open_tree(s, None, NOWHERE, 0),
}

# calls of a child that is root in namespaces of its own
ROOTED: Mapping[str, Bare] = {
    "chroot": lambda s: path.chroot(s, NOWHERE),
    "fsopen": lambda s: mount.fsopen(s, NOWHERE, 0),
    "fspick": lambda s: mount.fspick(s, None, NOWHERE, 0),
    "mount": lambda s: mount.mount(s, None, NOWHERE, None, 0, None),
    "mount_setattr": lambda s: mount.mount_setattr(s, None, NOWHERE, 0, NOWHERE, 32),
    "move_mount": lambda s: mount.move_mount(s, None, NOWHERE, None, NOWHERE, 0),
    "pivot_root": lambda s: mount.pivot_root(s, NOWHERE, NOWHERE),
    "setdomainname": lambda s: host.setdomainname(s, NOWHERE, 1),
    "sethostname": lambda s: host.sethostname(s, NOWHERE, 1),
    "umount2": lambda s: mount.umount2(s, NOWHERE, 0),
}
# calls that only root of the machine gets as far
ROOTS: Mapping[str, Bare] = {
    "acct": lambda s: process.acct(s, NOWHERE),
    "delete_module": lambda s: host.delete_module(s, NOWHERE, 0),
    "init_module": lambda s: host.init_module(s, NOWHERE, PAGE, NOWHERE),
    "setgroups": lambda s: cred.setgroups(s, 1, NOWHERE),
    "swapoff": lambda s: mount.swapoff(s, NOWHERE),
    "swapon": lambda s: mount.swapon(s, NOWHERE, 0),
    "syslog": lambda s: host.syslog(s, 3, Address(2**63), 1),
}


async def make(call: Bare, task: Task) -> None:
    """Make a call."""
    await call(task.sysif)


async def rooted(call: Bare, task: Task) -> None:
    """Make a call in a child that has namespaces of its own."""
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWUTS) as child:
        await make(call, child)


Way = Callable[[Bare, Task], Awaitable[None]]


def table(calls: Mapping[str, Bare], way: Way) -> dict[str, list[tuple[str, Use[Task]]]]:
    """Return the one error of each call, made in some way."""
    return {name: [("EFAULT", partial(way, call))] for name, call in calls.items()}


@cases(table(CALLS, make) | table(ROOTED, rooted))
async def test_a_bad_address_is_told_with_the_errno_of_the_page(
    task: Task, case: Case[Task]
) -> None:
    await provoke(task, case, task)


@pytest.mark.skipif(not IS_ROOT, reason="needs the rights of root of the machine")
@cases(table(ROOTS, make))
async def test_a_bad_address_of_root_is_told_with_the_errno_of_the_page(
    task: Task, case: Case[Task]
) -> None:
    await provoke(task, case, task)
