"""``<sched.h>``, ``<linux/sched.h>``: flags of clone, unshare and setns; who runs when."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from rsyscall_ns.near.ids import fit

from .layout import CStruct, c_struct, i32, u32, u64

__all__ = ["CLONE", "CPUS", "CPU_SIZE", "NEW_NAMESPACES", "NO_FLAGS", "SCHED", "SCHED_FLAG"]
__all__ += ["SCHED_RESET_ON_FORK", "SchedAttr", "SchedParam", "clone_args", "old_clone_arguments"]
__all__ += ["pack_cpus", "unpack_cpus"]

CPUS: Final = 8192  # as many processors as a kernel can be configured for
CPU_SIZE: Final = CPUS // 8  # bytes
SCHED_RESET_ON_FORK: Final = 0x40000000


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


class SCHED(IntEnum):
    """``SCHED_*``: by which policy a thread gets its share of a processor (``sched(7)``)."""

    NORMAL = 0
    FIFO = 1
    RR = 2
    BATCH = 3
    IDLE = 5
    DEADLINE = 6
    EXT = 7


class SCHED_FLAG(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``SCHED_FLAG_*`` (``sched_setattr(2)``)."""

    NONE = 0
    RESET_ON_FORK = 1
    RECLAIM = 2
    DL_OVERRUN = 4
    KEEP_POLICY = 8
    KEEP_PARAMS = 0x10
    UTIL_CLAMP_MIN = 0x20
    UTIL_CLAMP_MAX = 0x40


@c_struct
class SchedParam(CStruct):
    """``struct sched_param``: 1 (lowest) to 99 for FIFO and RR, else 0."""

    C_NAME: ClassVar = "struct sched_param"
    C_HEADER: ClassVar = "sched.h"
    priority: int = i32(c_name="sched_priority")


@c_struct
class SchedAttr(CStruct):
    """``struct sched_attr``: a policy with all its parameters.

    ``nice``: for NORMAL and BATCH. ``priority``: for FIFO and RR. ``runtime`` within each
    ``deadline`` after the begin of a ``period``, in nanoseconds: for DEADLINE; the runtime is the
    time slice of NORMAL and BATCH. ``util_min`` and ``util_max``: of 1024, how fast a processor
    is wanted. ``size``: how much of the struct is there.
    """

    C_NAME: ClassVar = "struct sched_attr"
    C_HEADER: ClassVar = "linux/sched/types.h"
    size: int = u32(default=56)
    policy: SCHED = u32(SCHED, c_name="sched_policy")
    flags: SCHED_FLAG = u64(SCHED_FLAG, c_name="sched_flags")
    nice: int = i32(c_name="sched_nice")
    priority: int = u32(c_name="sched_priority")
    runtime: int = u64(c_name="sched_runtime")
    deadline: int = u64(c_name="sched_deadline")
    period: int = u64(c_name="sched_period")
    util_min: int = u32(c_name="sched_util_min")
    util_max: int = u32(c_name="sched_util_max")


def pack_cpus(cpus: Iterable[int]) -> bytes:
    """Return a mask of ``CPUS`` bits; another processor raises ArgumentRangeError."""
    mask = 0
    for cpu in cpus:
        mask |= 1 << fit("processor", cpu, 0, CPUS - 1)
    return mask.to_bytes(CPU_SIZE, "little")


def unpack_cpus(mask: bytes) -> frozenset[int]:
    """Return the processors of a mask, of whatever length."""
    bits = int.from_bytes(mask, "little")
    return frozenset(cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1)


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
