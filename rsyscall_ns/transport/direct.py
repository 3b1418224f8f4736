"""System calls in this very interpreter, in the thread that asks for them."""

from __future__ import annotations

import fcntl
from typing import final

import trio

from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.near.program import Program, Results

from .hub import Hub, is_ready
from .pace import pace
from .scratch import ScratchMemory, block_size, place, unpack

__all__ = ["DirectInterface"]


@final
class DirectInterface:
    """Implements ``SyscallInterface`` by one C call a program, with the GIL released.

    A call that blocks blocks the thread: callers wait for readiness first.
    """

    __slots__ = ("_closed", "_hub", "_scratch")

    same_thread: bool = True  # a call that blocks would block the event loop

    def __init__(self, scratch: ScratchMemory, hub: Hub) -> None:
        self._scratch = scratch
        self._hub = hub
        self._closed = False

    def __repr__(self) -> str:
        return "this interpreter"

    @trio.lowlevel.enable_ki_protection
    async def wait_ready(self, number: int, events: int) -> None:
        """Wait until a call on an fd won't block this thread."""
        await pace()
        if not is_ready(number, events):
            await self._hub.wait_ready(number, events)

    def closing(self, number: int) -> None:
        """Wake those that wait for an fd which is about to be closed."""
        self._hub.closing(number)

    def interrupt_signal(self) -> int | None:
        """Return None: nothing interrupts a call of the loop's own thread."""
        return None

    def close(self) -> None:
        """Refuse calls from now on: the local task's scope was left."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise TaskLostError(self, "the scope of open_local_task() was left")

    @trio.lowlevel.enable_ki_protection
    async def execute(self, program: Program) -> Results:
        """Carry out a program."""
        await pace()
        return self.execute_now(program)

    def execute_now(self, program: Program) -> Results:
        """Carry out a program, without a checkpoint."""
        self._check_open()
        size = block_size(program)
        base = self._scratch.take(size)
        try:
            view = self._scratch.view(base, size)
            results = place(program, view, base)
            ran = lib.rs_direct_run(base, len(program), results)
            return unpack(program, view, results - base, ran)
        finally:
            self._scratch.give_back(base, size)

    @trio.lowlevel.enable_ki_protection
    async def call(
        self, number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0
    ) -> int:
        """Make one call."""
        await pace()
        self._check_open()
        return lib.rs_direct_call(number, a, b, c, d, e, f)

    @trio.lowlevel.enable_ki_protection
    async def export_fd(self, number: int) -> int:
        """Duplicate an fd of our own."""
        await pace()
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 0)

    @trio.lowlevel.enable_ki_protection
    async def import_fd(self, number: int) -> int:
        """Duplicate an fd of our own."""
        return await self.export_fd(number)
