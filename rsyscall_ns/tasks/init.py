"""init: process 1 of a container, which starts the command as its child.

It is the stub in another part: it reaps whoever is left to it, passes signals on, ends with the
command. How the command has ended it tells in a page that this interpreter has mapped: a process
1 can neither die of a signal that it sends itself, nor exit with one.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, final

from attrs import evolve, frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.memory.memfile import new_page
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.abi.wait_h import CLD, ChildState
from rsyscall_ns.near.errors import TaskLostError, kernel_error
from rsyscall_ns.near.ffi import Mapped, map_shown
from rsyscall_ns.near.nr import name_of

from .command import Command
from .stub import StubNotStartedError, new_program

__all__ = ["Init", "InitPlan", "Verdicts", "open_init"]

PAGE: Final = struct.Struct("<5i")  # struct rs_init_page of wire.h
ENDS: Final = {int(code): code for code in (CLD.EXITED, CLD.KILLED, CLD.DUMPED)}
HIGHEST_STATUS: Final = 255
HIGHEST_SIGNAL: Final = 64


@final
class Verdicts:
    """What process 1 tells of its command. Owns the mapping, until the end was told."""

    __slots__ = ("_mapped", "_told")

    def __init__(self, number: int) -> None:
        self._mapped: Mapped | None = map_shown(mmap.PAGESIZE, number)
        self._told = (0, 0)

    def check(self, command: Command, where: object) -> None:
        """Raise what kept the command from being started."""
        assert self._mapped is not None, "it is asked once, before any end"
        pid, failure, call, _, _ = PAGE.unpack_from(self._mapped)
        if failure > 0:
            raise kernel_error(failure, name_of(call), where, command.shown())
        if pid == 0:
            raise TaskLostError(where, "process 1 died before it had started the command")

    def of(self, own: ChildState) -> ChildState:
        """Return how the command has ended, when process 1 has; its own end if it did not tell."""
        if self._mapped is not None:
            *_, code, status = PAGE.unpack_from(self._mapped)
            self._told, self._mapped = (code, status), None
        code, status = self._told
        highest = HIGHEST_STATUS if code == CLD.EXITED else HIGHEST_SIGNAL
        if code not in ENDS or not 0 <= status <= highest:  # whoever traces it can write anything
            return own
        return evolve(own, code=ENDS[code], status=status)


@frozen
class InitPlan:
    """Process 1 as part of an exec, with numbers of fds of the task that execs."""

    program: int
    page: int
    verdicts: Verdicts
    dies: bool  # with this interpreter
    doorbell: int = -1

    def arguments(self, paths: Sequence[bytes], words: Sequence[bytes]) -> list[bytes]:
        """Return what it is given: where to tell what, and the command, which ps then shows."""
        signal = int(SIG.KILL) if self.dies else 0
        told = f"{self.page:x}:{self.doorbell:x}:{len(paths):x}:{signal:x}".encode() + b"\0"
        # without any word the kernel gives a program an empty one
        return [b"rsyscall-init:\0", told, *paths, *(words or [b"\0"])]

    @property
    def passed(self) -> set[int]:
        """What it inherits besides what the command does."""
        return {self.page, self.doorbell} - {-1}


@frozen
class Init:
    """What one process 1 is made of: handles of the task that makes the container."""

    program: FileDescriptor
    page: FileDescriptor
    verdicts: Verdicts
    dies: bool

    def plan(self, task: ProcessTask[Any]) -> InitPlan:
        """Return it with the numbers that a task has for it, whose handles these must be."""
        with self.program.borrow(task) as program, self.page.borrow(task) as page:
            return InitPlan(program.number, page.number, self.verdicts, self.dies)

    def within(self, program: FileDescriptor, page: FileDescriptor) -> Init:
        """Return the same with the copies that another task has."""
        return evolve(self, program=program, page=page)


async def handle_of(task: ProcessTask[Any], number: int) -> FileDescriptor:
    """Make a handle of an fd of ours, for a task that need not be ours; consumes the fd."""
    if task.sysif.same_thread:
        return FileDescriptor(task, ids.FileDescriptor(number))
    try:
        there = await task.sysif.import_fd(number)
    finally:
        os.close(number)
    return FileDescriptor(task, ids.FileDescriptor(there))


@asynccontextmanager
async def open_init(task: ProcessTask[Any], *, dies: bool) -> AsyncGenerator[Init]:
    """Make what a process 1 needs until it was exec'd; what it tells can be read for longer.

    ``dies``: whether it is ended with this interpreter.
    """
    try:
        made = new_program()
    except OSError as error:
        raise StubNotStartedError(error, task) from error
    async with await handle_of(task, made) as program:
        number = new_page("rsyscall_ns-init-page")
        try:
            verdicts = Verdicts(number)
        except BaseException:
            os.close(number)
            raise
        async with await handle_of(task, number) as page:
            yield Init(program, page, verdicts, dies)
