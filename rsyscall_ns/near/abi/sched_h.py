"""``<sched.h>``, ``<linux/sched.h>``: the flags of clone, unshare and setns."""

from __future__ import annotations

import os
import struct
from enum import IntFlag
from typing import Final

__all__ = ["CLONE", "NEW_NAMESPACES", "NO_FLAGS", "clone_args", "old_clone_arguments"]


class CLONE(IntFlag):
    """``CLONE_*`` (``clone(2)``)."""

    NEWTIME = 0x80
    VM = 0x100
    FS = 0x200
    FILES = 0x400
    SIGHAND = 0x800
    PIDFD = 0x1000
    PTRACE = 0x2000
    VFORK = 0x4000
    PARENT = 0x8000
    THREAD = 0x10000
    NEWNS = 0x20000
    SYSVSEM = 0x40000
    SETTLS = 0x80000
    PARENT_SETTID = 0x100000
    CHILD_CLEARTID = 0x200000
    DETACHED = 0x400000
    UNTRACED = 0x800000
    CHILD_SETTID = 0x1000000
    NEWCGROUP = 0x2000000
    NEWUTS = 0x4000000
    NEWIPC = 0x8000000
    NEWUSER = 0x10000000
    NEWPID = 0x20000000
    NEWNET = 0x40000000
    IO = 0x80000000
    CLEAR_SIGHAND = 0x100000000
    INTO_CGROUP = 0x200000000


NO_FLAGS: Final = CLONE(0)
NEW_NAMESPACES: Final = (
    CLONE.NEWTIME
    | CLONE.NEWNS
    | CLONE.NEWCGROUP
    | CLONE.NEWUTS
    | CLONE.NEWIPC
    | CLONE.NEWUSER
    | CLONE.NEWPID
    | CLONE.NEWNET
)

_CLONE_ARGS: Final = struct.Struct("<11Q")


def clone_args(  # noqa: PLR0913 - the struct has that many fields
    *,
    flags: int,
    stack: int,
    stack_size: int,
    pidfd: int = 0,
    child_tid: int = 0,
    parent_tid: int = 0,
    exit_signal: int = 0,
    tls: int = 0,
    cgroup: int = 0,
) -> bytes:
    """Return a ``struct clone_args`` (``clone3(2)``); addresses are plain ints."""
    return _CLONE_ARGS.pack(
        flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, 0, 0, cgroup
    )


def old_clone_arguments(args: bytes) -> tuple[int, int, int, int, int] | None:
    """Return the arguments of ``clone(2)`` that mean the same as a ``struct clone_args``.

    None where the old call can't do it: flags above 32 bits, or both a pidfd and a parent_tid,
    which share one argument there.
    """
    flags, pidfd, child_tid, parent_tid, signal, stack, size, tls, *_ = _CLONE_ARGS.unpack(args)
    both = flags & CLONE.PIDFD and flags & CLONE.PARENT_SETTID
    if flags >= CLONE.CLEAR_SIGHAND or flags & CLONE.NEWTIME or both:
        return None
    third = pidfd if flags & CLONE.PIDFD else parent_tid
    last = (child_tid, tls) if os.uname().machine == "x86_64" else (tls, child_tid)
    return (flags | signal, stack + size, third, *last)
