"""A process beside us that measures something: asked by a line, answers with a line.

The question is ``NAME COUNT``, the answer the nanoseconds that one takes, or ``- REASON``. Such a
process leads a session of its own, so that whatever it leaves behind is found and ended.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, final

from .measure import Sample, UnavailableError, ready

__all__ = ["Answers", "start_answers", "stat_fields"]

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 60_000  # milliseconds for one answer
LEAVE: Final = 10_000  # milliseconds to end after the last question
STATE, PARENT, GROUP = 0, 1, 2  # fields of /proc/PID/stat, counted from behind the name


@final
class Answers:
    """The running process."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.name = name
        self.pid = process.pid
        self._questions = process.stdin
        self._answers = process.stdout
        self._reason = ""

    def ask(self, name: str, count: int = 1) -> float:
        """Have it do something ``count`` times; returns seconds for one."""
        if self._reason:
            raise UnavailableError(self._reason)
        with suppress(BrokenPipeError):
            self._questions.write(f"{name} {count}\n".encode())
        there = is_ready(self._answers.fileno(), PATIENCE)
        answer = self._answers.readline().decode().strip() if there else ""
        if not there:
            self._reason = f"{self.name} gave no answer within {PATIENCE // 1000} s"
        elif not answer:
            self._reason = f"{self.name} has ended"
        elif answer.startswith("-"):
            self._reason = f"{self.name}: {answer[1:].strip()}"
        if self._reason:
            raise UnavailableError(self._reason)
        return float(answer) * 1e-9

    def sample(self, name: str, count: int = 1) -> Sample:
        """Return what asks for it each time."""
        return ready(lambda: self.ask(name, count))


def is_ready(number: int, milliseconds: int) -> bool:
    """Wait until an fd can be read from; returns whether it can."""
    poller = select.poll()
    poller.register(number, select.POLLIN)
    return bool(poller.poll(milliseconds))


@contextmanager
def start_answers(
    name: str, command: Sequence[str], *, quiet: bool = False
) -> Generator[Answers, None, None]:
    """Start the process; leaving the block ends it, and all that it has left behind.

    ``quiet``: what it says on stderr is of no interest.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        bufsize=0,
        start_new_session=True,
        cwd=ROOT,
    )
    try:
        yield Answers(name, process)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of the process, then end its group; returns when all are dead."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    with ExitStack() as stack:
        stack.callback(process.stdout.close)
        stack.callback(process.wait)
        leader = os.pidfd_open(process.pid)
        stack.callback(os.close, leader)
        if not is_ready(leader, LEAVE):
            process.kill()
        # it is dead, but not reaped: nobody else can have its number, and the group has it
        is_ready(leader, LEAVE)
        for pid in members(process.pid):
            with suppress(ProcessLookupError):
                follower = os.pidfd_open(pid)
                stack.callback(os.close, follower)
                signal.pidfd_send_signal(follower, signal.SIGKILL)
                is_ready(follower, LEAVE)


def members(group: int) -> list[int]:
    """Return the processes of a group, but for its leader."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [
        pid
        for pid in pids
        if pid != group and (fields := stat_fields(pid)) and int(fields[GROUP]) == group
    ]


def stat_fields(pid: int) -> list[str]:
    """Return the fields of a process's stat, from its state on; none where it has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
