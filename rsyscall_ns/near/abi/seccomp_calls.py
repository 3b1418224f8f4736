"""Filters that answer by the system call's name, on both machines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from rsyscall_ns.near.nr.table import rows

from .filter_h import FilterError, FilterProgram
from .filter_text import assemble_filter
from .seccomp_h import AUDIT_ARCH, SECCOMP_RET, X32_SYSCALL_BIT, SeccompData

__all__ = ["SERVER_CALLS", "denied_to_server", "filter_calls"]

_ARCH: Final = {"x86_64": AUDIT_ARCH.X86_64, "aarch64": AUDIT_ARCH.AARCH64}
_ACTION: Final = 0xFFFF0000
_RESULT_LIMIT: Final = 2**32
# what the server of a steered child calls by itself (``ffi/server/server.c``): it sleeps and
# wakes by futex, rings the doorbell by sendto, awaits an interrupt by sched_yield; the kernel
# restarts what an interrupt has hit; and the server ends when its client does
SERVER_CALLS: Final = (
    "exit_group",
    "futex",
    "restart_syscall",
    "rt_sigreturn",
    "sched_yield",
    "sendto",
)


def filter_calls(
    answers: Mapping[str, int],
    otherwise: int = SECCOMP_RET.ALLOW,
    foreign: int = SECCOMP_RET.KILL_PROCESS,
) -> FilterProgram:
    """Return a filter that answers calls by their names, and all others by ``otherwise``.

    It looks at the architecture first: calls of 32-bit programs and of x32 get ``foreign``. A
    name that one machine lacks is left out there; one that no machine has raises FilterError.
    """
    unknown = [name for name in answers if name not in rows()]
    if unknown:
        raise FilterError(f"no machine has a system call {unknown[0]!r}")
    for answer in (*answers.values(), otherwise, foreign):
        if not 0 <= answer < _RESULT_LIMIT:
            raise FilterError(f"{answer} is no answer: it has 32 bits")
    lines = ["ld [4]"]
    for machine, arch in _ARCH.items():
        lines += [f"jeq #{arch:#x}, {machine}", f"ja not_{machine}", f"{machine}: ld [0]"]
        if arch == AUDIT_ARCH.X86_64:
            lines += [f"jset #{X32_SYSCALL_BIT:#x}, x32, no_x32"]
            lines += [f"x32: ret #{foreign:#x}", "no_x32:"]
        for name, answer in answers.items():
            number = rows()[name].number(machine)
            if number is not None:
                label = f"{machine}_{name}"
                lines += [f"jeq #{number:#x}, {label}, not_{label}"]
                lines += [f"{label}: ret #{answer:#x}", f"not_{label}:"]
        lines += [f"ret #{otherwise:#x}", f"not_{machine}:"]
    return assemble_filter("\n".join([*lines, f"ret #{foreign:#x}"]))


def denied_to_server(program: FilterProgram) -> tuple[str, int] | None:
    """Return a call of the server that a filter does not allow, with the answer; None: it may.

    Looked at is what the filter answers where all arguments are 0.
    """
    machine = os.uname().machine
    for name in SERVER_CALLS:
        number = rows()[name].number(machine)
        assert number is not None, "both machines have the server's calls"
        answer = program.answer(SeccompData(number, _ARCH[machine]).pack())
        if answer & _ACTION not in {SECCOMP_RET.ALLOW, SECCOMP_RET.LOG}:
            return name, answer
    return None
