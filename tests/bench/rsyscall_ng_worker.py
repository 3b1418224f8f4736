"""Measures the package rsyscall-ng, in an environment of its own: see ``rsyscall_ng.py``.

Reads ``NAME COUNT`` from its standard input, answers with nanoseconds for one, or ``- REASON``.
Knows nothing of the other modules here: it runs on another Python, where they may not be.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import perf_counter_ns

import trio

MEBIBYTE = bytes(range(256)) * 4096


class Measured:
    """One child that serves, and what is measured with it."""

    def __init__(self) -> None:
        # importing it starts a trio run of its own
        rsyscall = import_module("rsyscall")
        self.flags = import_module("rsyscall.fcntl").O
        self.local = rsyscall.local_process

    async def start(self) -> None:
        """Make what the measurements use."""
        self.true = await self.local.environ.which("true")
        self.child = await self.local.fork()
        path = await self.child.task.ptr("/dev/null")
        self.null = await self.child.task.open(path, self.flags.WRONLY)
        self.idle: list[object] = []

    async def getuid(self) -> None:
        """One call in the child."""
        await self.child.task.getuid()

    async def spawn(self) -> None:
        """Run a program and wait for its end."""
        process = await (await self.local.fork()).exec(self.true)
        await process.check()

    async def copy(self) -> None:
        """Send a mebibyte to the child, which makes a call with it, and get it back."""
        sent = await self.child.task.ptr(MEBIBYTE)
        sent, _ = await self.null.write(sent)
        if await sent.read() != MEBIBYTE:
            raise ValueError("other bytes came back")
        sent.free()

    async def more(self) -> None:
        """One more child, that stays."""
        self.idle.append(await self.local.fork())


async def measure(measured: Measured) -> None:
    """Answer until the input ends."""
    await measured.start()
    for line in sys.stdin:
        name, count = line.split()
        operation: Callable[[], Awaitable[None]] = getattr(measured, name)
        times = int(count)
        start = perf_counter_ns()
        for _ in range(times):
            await operation()
        print((perf_counter_ns() - start) / times, flush=True)


def end_children() -> None:
    """Kill and reap what the package leaves running."""
    for path in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            pid = int(path.name)
            stat = (path / "stat").read_text(encoding="utf-8", errors="replace")
            if int(stat.rpartition(")")[2].split()[1]) == os.getpid():
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


try:
    trio.run(measure, Measured())
except Exception as error:  # noqa: BLE001 - whatever it is, the other side shows it
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    print(f"- {reason}", flush=True)
finally:
    end_children()
