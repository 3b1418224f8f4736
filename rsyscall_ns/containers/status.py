"""What can be told of a process from outside, without waiting for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.near.abi.wait_h import CLD, ChildState
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.tasks.readiness import ChildReadiness

__all__ = ["exit_code", "exit_code_of", "is_alive", "would_die"]

MASKS = {"SigBlk", "SigIgn", "SigCgt"}
MASK_SIZE: Final = 8
TRIES: Final = 3


def exit_code(state: ChildState) -> int:
    """Return the exit status, or a signal's number as a negative one."""
    killed = state.killed_with()
    return state.status if killed is None else -killed


def is_alive(process: ChildProcess) -> bool:
    """Whether a process has not ended."""
    assert isinstance(process.readiness, ChildReadiness)
    return process.death_state is None and not process.readiness.is_dead()


def exit_code_of(process: ChildProcess, *, ended: bool) -> int | None:
    """Return the exit code of a process; None while it runs, or where nobody knows.

    ``ended``: whether it was given back already.
    """
    if process.death_state is not None:
        return exit_code(process.death_state)
    if ended:
        return None
    return peek(process)


def peek(process: ChildProcess) -> int | None:
    """Return the exit code of a child that has ended; its status stays to be waited for."""
    readiness = process.readiness
    assert isinstance(readiness, ChildReadiness)
    try:
        found = os.waitid(os.P_PIDFD, readiness.poll_fd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None  # somebody else took it: whoever waits is told
    if found is None:
        return None
    state = ChildState(CLD(found.si_code), found.si_pid, found.si_uid, found.si_status)
    return exit_code(state if process.verdict is None else process.verdict(state))


def would_die(pid: int, sig: int) -> bool:
    """Return whether a process neither catches, ignores nor blocks a signal, nor waits for it.

    The kernel drops such a signal for process 1 of a pid namespace.
    """
    # it may begin or end to wait between the two looks of one try
    return all(unprepared(pid, sig) and not awaits(pid, sig) for _ in range(TRIES))


def unprepared(pid: int, sig: int) -> bool:
    """Return whether a process is shown to neither catch, ignore nor block a signal."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    masks = {
        key: int(value, 16)
        for key, _, value in (line.partition(":") for line in text.splitlines())
        if key in MASKS
    }
    return not any(mask >> (sig - 1) & 1 for mask in masks.values())


def awaits(pid: int, sig: int) -> bool:
    """Return whether a process waits for a signal: meanwhile it is not shown as blocked.

    False too for one that this interpreter may not trace.
    """
    try:
        number, *arguments = Path(f"/proc/{pid}/syscall").read_text(encoding="ascii").split()
        if number != str(int(SYS.rt_sigtimedwait)):
            return False
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(int(arguments[0], 16))
            waited_for = int.from_bytes(memory.read(MASK_SIZE), sys.byteorder)
    except OSError:
        return False
    return bool(waited_for >> (sig - 1) & 1)
