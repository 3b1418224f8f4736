"""Which groups of system calls a task has, and where each is at home.

A group's module is imported, and its object made, when a task is first asked for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from rsyscall_ns.handle.pointers.context import MemoryTask

__all__ = ["GROUPS", "make_group"]

HOME: Final = "rsyscall_ns.handle.calls."
GROUPS: Final = {
    "aio": ("aio", "Aio"),
    "arch_prctl": ("arch", "ArchPrctl"),
    "bpf": ("bpf", "Bpf"),
    "clock": ("clocks", "Clocks"),
    "cred": ("cred", "Credentials"),
    "dev": ("devices", "Devices"),
    "fds": ("fds", "FDs"),
    "fs": ("fs", "FileSystem"),
    "futex": ("futexes", "Futexes"),
    "host": ("host", "Host"),
    "io_uring": ("io_uring", "IoUring"),
    "ipc": ("ipc", "SysVIpc"),
    "keys": ("keys", "Keys"),
    "landlock": ("landlock", "Landlock"),
    "lsm": ("lsm", "SecurityModules"),
    "mem": ("mem", "Memory"),
    "mount": ("mounts", "Mount"),
    "mq": ("mq", "MessageQueues"),
    "net": ("net", "Net"),
    "ns": ("ns", "Namespaces"),
    "prctl": ("prctl", "Prctl"),
    "proc": ("own_process", "OwnProcess"),
    "random": ("randomness", "Randomness"),
    "seccomp": ("seccomp", "Seccomp"),
    "signals": ("signals", "Signals"),
}


def make_group(task: MemoryTask, name: str) -> object:
    """Return a new group object of a task; raises AttributeError if there is no such group."""
    if name not in GROUPS:
        raise AttributeError(f"{type(task).__name__!r} object has no attribute {name!r}")
    module, kind = GROUPS[name]
    return getattr(import_module(HOME + module), kind)(task)
