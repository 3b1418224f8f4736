"""Scheduling, limits, priorities, tracing."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    IOPRIO_CLASS,
    IOPRIO_HINT,
    IOPRIO_WHO,
    PRIO,
    RLIMIT,
    RUSAGE,
    SCHED,
    SCHED_FLAG,
)
from rsyscall_ns.near.abi.ptrace_h import (
    NT,
    PEEKSIGINFO_SHARED,
    PTRACE,
    PTRACE_EVENT,
    PTRACE_O,
    PTRACE_SYSCALL_INFO,
)
from rsyscall_ns.near.abi.resource_h import RLIM_INFINITY
from rsyscall_ns.near.abi.sched_h import SCHED_RESET_ON_FORK
from rsyscall_ns.near.abi.sysinfo_h import LOAD

HEADERS: Final = (
    "sys/resource.h",
    "linux/sched.h",
    "linux/ioprio.h",
    "linux/sysinfo.h",
    "linux/elf.h",
    "sys/types.h",
    "linux/ptrace.h",
    "asm/ptrace.h",
)
ENUMS: Final = {
    "IOPRIO_CLASS_": IOPRIO_CLASS,
    "IOPRIO_HINT_": IOPRIO_HINT,
    "IOPRIO_WHO_": IOPRIO_WHO,
    "NT_": NT,
    "PRIO_": PRIO,
    "PTRACE_": PTRACE,
    "PTRACE_EVENT_": PTRACE_EVENT,
    "PTRACE_O_": PTRACE_O,
    "PTRACE_SYSCALL_INFO_": PTRACE_SYSCALL_INFO,
    "RLIMIT_": RLIMIT,
    "RUSAGE_": RUSAGE,
    "SCHED_": SCHED,
    "SCHED_FLAG_": SCHED_FLAG,
}
NAMES: Final = {
    "NT_386_IOPERM": NT.IOPERM_386,
    "NT_386_TLS": NT.TLS_386,
    "(1 << SI_LOAD_SHIFT)": LOAD,
    "PTRACE_PEEKSIGINFO_SHARED": PEEKSIGINFO_SHARED,
    "RLIM_INFINITY": RLIM_INFINITY,
    "SCHED_RESET_ON_FORK": SCHED_RESET_ON_FORK,
}
