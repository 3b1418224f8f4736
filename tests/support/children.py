"""Children to test with, and what tests do to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypedDict

import pytest

from rsyscall_ns import (
    SIG,
    SYS,
    ChildProcess,
    ChildState,
    Command,
    ExitStatusLostError,
    Process,
    Task,
    TaskLostError,
    ThreadProcess,
    W,
)

__all__ = [
    "FOREVER",
    "IS_ROOT",
    "KILLED",
    "PAUSES",
    "TRUE",
    "Memory",
    "end_by_exit",
    "foreign_child",
    "is_alive",
    "paused",
    "same_state",
    "shell",
    "stat_field",
    "state_or_lost",
    "status_field",
    "thread_of",
    "wait_for_any",
]


class Memory(TypedDict, total=False):
    """What spawn is told of a child's memory."""

    own_memory: bool
    stub: bool


IS_ROOT: Final = os.geteuid() == 0
TRUE: Final = Command("/bin/true", ["true"])
FOREVER: Final = Command("/bin/sleep", ["sleep", "1000000"])
KILLED: Final = SIG.KILL


def shell(script: str, *args: str) -> Command:
    """Return a command that runs a shell script."""
    return Command("/bin/sh", ["sh", "-c", script, "sh", *args])


def thread_of(child: Task) -> ThreadProcess:
    """Return the process of a child that ``spawn`` made."""
    process: Process = child.process
    assert isinstance(process, ThreadProcess)
    return process


async def end_by_exit(child: Task, status: int) -> None:
    """Have a serving child exit; it is not waited for."""
    with pytest.raises(TaskLostError):
        await child.sysif.call(SYS.exit_group, status)


PAUSES: Final = shell("kill -STOP $$")


async def paused(process: ChildProcess) -> ChildProcess:
    """Wait until a program that was made by ``PAUSES`` is past its loader, which opens files."""
    await same_state(process, W.STOPPED)
    return process


async def same_state(process: ChildProcess, options: W) -> ChildState:
    """Wait for a state that must come."""
    state = await process.waitid(options)
    assert state is not None
    return state


def foreign_child(script: str) -> int:
    """Start a shell script in a way that the library knows nothing of; returns its id."""
    return os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ)


def wait_for_any() -> tuple[int, int]:
    """Wait for any child, as a program beside us may do; returns (id, exit code or -signal)."""
    pid, status = os.waitpid(-1, 0)
    return pid, os.waitstatus_to_exitcode(status)


async def state_or_lost(process: ChildProcess) -> ChildState | None:
    """Wait for the death of a child whose status somebody else took; None where it is lost."""
    try:
        return await process.wait()
    except ExitStatusLostError as error:
        if error.filename != str(process.near.id):
            raise AssertionError(error.filename) from error
        return None


def status_field(pid: int, name: str) -> str:
    """Return a field of ``/proc/PID/status``."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return line.split(":", 1)[1].strip()
    raise AssertionError(name)


def stat_field(pid: int, index: int) -> str:
    """Return a field of ``/proc/PID/stat``, counted from 1 as in ``proc_pid_stat(5)``."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return text.rsplit(")", 1)[1].split()[index - 3]


def is_alive(pid: int) -> bool:
    """Return whether there is a process of this id that is no zombie."""
    try:
        return stat_field(pid, 3) not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False
