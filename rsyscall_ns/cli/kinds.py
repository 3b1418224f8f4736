"""The kinds of namespaces, as options name them."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi.sched_h import CLONE

__all__ = ["ALIASES", "KINDS"]

KINDS: Final = {
    "user": (CLONE.NEWUSER, "user and group ids"),
    "pid": (CLONE.NEWPID, "process ids; COMMAND is process 1"),
    "mnt": (CLONE.NEWNS, "mounts; with --pid, a /proc of its own is mounted"),
    "net": (CLONE.NEWNET, "network; the loopback interface is brought up"),
    "uts": (CLONE.NEWUTS, "host name"),
    "ipc": (CLONE.NEWIPC, "System V IPC, POSIX message queues"),
    "cgroup": (CLONE.NEWCGROUP, "root of the cgroup tree"),
    "time": (CLONE.NEWTIME, "monotonic and boot-time clocks"),
}
ALIASES: Final = {"mnt": ("--mnt", "--fs")}
