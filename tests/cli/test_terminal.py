"""The command line at a terminal: a real pseudo-terminal, and the interrupt key."""

from __future__ import annotations

import os
import pty
import signal
import sys
from typing import final

import pytest

PROGRAM = [sys.executable, "-c", "from rsyscall_ns.cli import main; main()"]
INTERRUPT_KEY = b"\x03"
WAYS = [(), ("--all",), ("--all", "--init")]


@final
class Terminal:
    """A program at the other end of a pseudo-terminal of its own."""

    def __init__(self, *args: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM[0], [*PROGRAM, *args])  # noqa: S606 - this very interpreter
        self.seen = b""

    def read_until(self, text: bytes) -> None:
        while text not in self.seen:
            self.seen += os.read(self.fd, 1024)

    def status(self) -> int:
        """Wait for the end; returns the exit status."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pty.fork: no thread of ours runs
@pytest.mark.parametrize("options", WAYS, ids=["plain", "all", "init"])
def test_the_command_has_the_terminal(options: tuple[str, ...]) -> None:
    terminal = Terminal("run", *options, "--", "sh", "-c", "test -t 0 && read -r x && echo got $x")
    os.write(terminal.fd, b"a line\n")
    terminal.read_until(b"got a line")

    assert terminal.status() == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pty.fork: no thread of ours runs
@pytest.mark.parametrize("options", WAYS, ids=["plain", "all", "init"])
def test_the_interrupt_key_ends_a_command_without_a_handler(options: tuple[str, ...]) -> None:
    terminal = Terminal("run", *options, "--", "cat")
    os.write(terminal.fd, b"word\n")
    # by the terminal, and then by the command: a shell would still have its own way with signals
    terminal.read_until(b"word\r\nword")
    os.write(terminal.fd, INTERRUPT_KEY)

    assert terminal.status() == 130


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pty.fork: no thread of ours runs
@pytest.mark.parametrize("options", WAYS, ids=["plain", "all", "init"])
def test_the_interrupt_key_reaches_a_handler_once(options: tuple[str, ...]) -> None:
    script = "n=0; trap 'n=$((n+1)); echo count $n' INT; echo ready; read -r x; echo end $n"
    terminal = Terminal("run", *options, "--", "sh", "-c", script)
    terminal.read_until(b"ready")
    os.write(terminal.fd, INTERRUPT_KEY)
    terminal.read_until(b"count 1")
    os.write(terminal.fd, b"line\n")
    terminal.read_until(b"end ")

    assert terminal.status() == 0
    assert b"count 2" not in terminal.seen


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pty.fork: no thread of ours runs
@pytest.mark.parametrize("options", WAYS, ids=["plain", "all", "init"])
def test_the_command_is_in_the_foreground_of_its_session(options: tuple[str, ...]) -> None:
    text = "import os; open('/dev/tty'); print('foreground', os.tcgetpgrp(0) == os.getpgrp())"
    terminal = Terminal("run", *options, "--", sys.executable, "-Ic", text)
    terminal.read_until(b"foreground True")

    assert terminal.status() == 0


BACKGROUND = """
import os, signal
os.setpgid(0, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
print("ready", flush=True)
print("first", int(signal.sigwait({signal.SIGINT, signal.SIGTERM})), flush=True)
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pty.fork: no thread of ours runs
@pytest.mark.parametrize("options", [WAYS[0], WAYS[2]], ids=["plain", "init"])
def test_a_key_is_not_passed_on_to_a_command_in_the_background(options: tuple[str, ...]) -> None:
    terminal = Terminal("run", *options, "--", sys.executable, "-Ic", BACKGROUND)
    terminal.read_until(b"ready")
    os.write(terminal.fd, INTERRUPT_KEY)
    terminal.read_until(b"^C")  # which is shown when its signals were sent
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.read_until(b"first 15")

    assert terminal.status() == 0
