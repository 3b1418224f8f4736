"""What the kernel has, and lets this user have."""

from __future__ import annotations

from errno import ENOENT, ENOSYS, EPERM
from typing import Final

from rsyscall_ns.near.abi.bpf_h import BPF_MAP_TYPE
from rsyscall_ns.near.abi.perf_event_h import PERF_ATTR, PERF_COUNT_SW, PERF_TYPE, PerfEventAttr
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.seccomp_h import SECCOMP_RET
from rsyscall_ns.tasks.task import Task

from .finding import MissingError, Probe
from .sysctl import needs, setting

__all__ = ["PROBES"]


async def pidfds(task: Task) -> str:
    """Ask the pidfd of a child that was reaped for its exit status."""
    async with task.launch(await task.which("true")) as child:
        await child.wait()
        assert child.pidfd is not None, "every child of this interpreter has one"
        if await child.pidfd.exit_status() is None:
            return "of every child; it tells no exit status once that was reaped: Linux 6.15 does"
    return "of every child; it tells the exit status even when somebody else has reaped it"


async def landlock(task: Task) -> str:
    """Ask for the version of landlock."""
    return f"ABI {await task.landlock.abi_version()}"


async def seccomp(task: Task) -> str:
    """Ask whether a filter can pass system calls on to a process."""
    if not await task.seccomp.get_action_avail(SECCOMP_RET.USER_NOTIF):
        raise MissingError("filters, but no notifications", "Linux 5.0 or newer")
    return "filters and notifications"


async def userfaultfd(task: Task) -> str:
    """Open a userfaultfd for faults of user code."""
    await (await task.mem.userfaultfd()).close()
    return "for faults of user code"


async def io_uring(task: Task) -> str:
    """Make a ring."""
    fd, params = await task.io_uring.setup(4)
    await fd.close()
    return f"features {params.features:#x}"


async def memfd_exec(task: Task) -> str:
    """Look whether memory can be executed as a file."""
    del task
    if setting("vm.memfd_noexec") not in {None, "0", "1"}:
        raise MissingError("vm.memfd_noexec forbids it", "sysctl -w vm.memfd_noexec=1")
    return "a sealed memfd can be executed"


async def ptrace(task: Task) -> str:
    """Look who may be traced."""
    del task
    scope = setting("kernel.yama.ptrace_scope") or "0"
    meaning = {"0": "processes of the same user", "1": "children", "2": "with CAP_SYS_PTRACE only"}
    if scope not in meaning:
        raise MissingError("nobody, until the next boot", "kernel.yama.ptrace_scope was set to 3")
    return meaning[scope]


async def tun(task: Task) -> str:
    """Make a tun device in a network of one's own."""
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNET) as child:
        await (await child.dev.open_tun()).close()
    return "made, in a new network namespace"


async def perf(task: Task) -> str:
    """Count the time of one's own code."""
    attr = PerfEventAttr(
        PERF_TYPE.SOFTWARE, config=PERF_COUNT_SW.TASK_CLOCK, flags=PERF_ATTR.EXCLUDE_KERNEL
    )
    await (await task.fds.perf_event_open(attr)).close()
    return f"perf_event_paranoid {setting('kernel.perf_event_paranoid')}"


async def bpf(task: Task) -> str:
    """Make a map."""
    await (await task.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 1)).close()
    return "maps and programs"


def older(version: str) -> str:
    """Return the cure for a system call that a kernel lacks."""
    return f"Linux {version} or newer; in a container: its engine's seccomp profile may hide it"


PROBES: Final = (
    Probe("kernel", "pidfd", pidfds, lambda _: older("5.3")),
    Probe(
        "kernel",
        "landlock",
        landlock,
        lambda error: older("5.13") if error == ENOSYS else "boot with lsm=landlock,...",
    ),
    Probe("kernel", "seccomp", seccomp, lambda _: older("5.0")),
    Probe(
        "kernel",
        "userfaultfd",
        userfaultfd,
        lambda error: (
            older("5.11") if error != EPERM else needs("vm.unprivileged_userfaultfd", "1", "0")
        ),
    ),
    Probe(
        "kernel",
        "io_uring",
        io_uring,
        lambda error: (
            older("5.1") if error == ENOSYS else needs("kernel.io_uring_disabled", "0", "1", "2")
        ),
    ),
    Probe("kernel", "memfd as program", memfd_exec),
    Probe("kernel", "ptrace", ptrace),
    Probe("kernel", "perf", perf, lambda _: needs("kernel.perf_event_paranoid", "2", "3", "4")),
    Probe(
        "kernel",
        "bpf",
        bpf,
        lambda _: (
            "as root or with CAP_BPF" if setting("kernel.unprivileged_bpf_disabled") != "0" else ""
        ),
    ),
    Probe(
        "devices",
        "tun",
        tun,
        lambda error: "modprobe tun" if error == ENOENT else "chmod 666 /dev/net/tun",
    ),
)
