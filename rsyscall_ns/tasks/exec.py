"""exec: turning a child that serves into a program.

The whole step is one program: redirect, mark what may be inherited, reset what a shell would
reset, execve. When execve fails, a second program puts everything back, and the child goes on
serving.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from itertools import accumulate

from attrs import field, frozen

from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.process_task import ProcessTask
from rsyscall_ns.near.abi.fcntl_h import (
    CLOSE_RANGE_CLOEXEC,
    F_DUPFD_CLOEXEC,
    F_SETFD,
    FD_CLOEXEC,
)
from rsyscall_ns.near.abi.signal_h import (
    SIG,
    SIG_DFL,
    SIG_IGN,
    SIGSET_SIZE,
    pack_sigaction,
)
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.nr import SYS, name_of
from rsyscall_ns.near.program import Call, Program, Ref, Results

from .command import Command

__all__ = ["ExecBlock", "ExecPlan", "gaps"]

FIRST_PLAIN_FD = 3  # 0 to 2 are the standard streams
LAST_FD = 2**32 - 1


def gaps(kept: Sequence[int]) -> list[tuple[int, int]]:
    """Return the ranges of fds from 3 on that are not in ``kept``."""
    ranges: list[tuple[int, int]] = []
    first = FIRST_PLAIN_FD
    for number in sorted(set(kept)):
        if number < first:
            continue
        if number > first:
            ranges.append((first, number - 1))
        first = number + 1
    ranges.append((first, LAST_FD))
    return ranges


@frozen
class ExecBlock:
    """The arguments of execve as bytes: two tables of addresses, and the strings behind them."""

    argv: tuple[bytes, ...]
    envp: tuple[bytes, ...]
    path: bytes

    @classmethod
    def of(cls, command: Command) -> ExecBlock:
        """Encode a command; what can't be encoded raises PathError."""
        return cls(tuple(command.argv()), tuple(command.envp()), command.path())

    @property
    def table_size(self) -> int:
        """How many bytes the tables take."""
        return 8 * (len(self.argv) + len(self.envp) + 2)

    @property
    def size(self) -> int:
        """How many bytes all of it takes."""
        return self.table_size + sum(map(len, (*self.argv, *self.envp, self.path)))

    def place(self, base: int) -> tuple[bytes, int, int, int]:
        """Return the bytes to lie at ``base``, and the addresses of path, argv and envp."""
        strings = (*self.argv, *self.envp, self.path)
        lengths = map(len, strings)
        addresses = list(accumulate(lengths, initial=base + self.table_size))
        split = len(self.argv)
        words = [*addresses[:split], 0, *addresses[split : len(strings) - 1], 0]
        table = struct.pack(f"<{len(words)}Q", *words)
        block = table + b"".join(strings)
        return block, addresses[len(strings) - 1], base, base + 8 * (split + 1)


@frozen
class ExecPlan:
    """What an exec does to the child's fds: all checked, nothing done yet."""

    task: ProcessTask
    command: Command
    block: ExecBlock
    streams: tuple[FileDescriptor | None, ...]
    passed: tuple[int, ...] = field()

    @classmethod
    def make(
        cls,
        task: ProcessTask,
        command: Command,
        streams: Sequence[FileDescriptor | None],
        pass_fds: Sequence[FileDescriptor],
    ) -> ExecPlan:
        """Check the strings, and every fd: open, and of the task's own fd table."""
        numbers: set[int] = set()
        for fd in (*streams, *pass_fds):
            if fd is not None:
                with fd.borrow(task) as near_id:
                    if fd in pass_fds:
                        numbers.add(near_id.number)
        for handle in list(task.handles):
            if isinstance(handle, FileDescriptor) and handle.valid and handle.inheritable:
                numbers.add(handle.near.number)
        block = ExecBlock.of(command)
        return cls(task, command, block, tuple(streams), tuple(sorted(numbers)))

    async def run(self) -> None:
        """Carry it out. Returns only by an error: TaskLostError is the good one."""
        size = self.block.size
        address = self.task.arena.allocate(size)
        try:
            block, at_path, at_argv, at_envp = self.block.place(address)
            self.task.arena.view(address, size)[:] = block
            await self._execute(at_path, at_argv, at_envp)
        finally:
            self.task.arena.release(address, size)

    async def _execute(self, path: int, argv: int, envp: int) -> None:
        program = Program()
        program.interruptible = False
        saved: dict[int, Ref] = {}
        sources: dict[int, Ref] = {}
        for target, fd in enumerate(self.streams):
            if fd is not None:
                number = fd.near.number
                # a stream that is closed has nothing to be saved
                saved[target] = program.call(
                    SYS.fcntl, target, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD, must_succeed=False
                )
                sources[target] = program.call(SYS.fcntl, number, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD)
        for target, source in sources.items():
            program.call(SYS.dup3, source, target, 0)
        for first, last in gaps(self.passed):
            program.call(SYS.close_range, first, last, CLOSE_RANGE_CLOEXEC)
        for number in self.passed:
            program.call(SYS.fcntl, number, F_SETFD, 0)
        with self.task.transient(pack_sigaction(SIG_DFL)) as default:
            for sig in (SIG.PIPE, SIG.XFSZ):
                if sig not in self.task.chosen_signals:
                    program.call(SYS.rt_sigaction, sig, default.address.value, 0, SIGSET_SIZE)
            execve = program.call(SYS.execve, path, argv, envp)
            results = await self.task.sysif.execute(program)
        await self._undo(results, saved, sources)
        self._raise(results, execve)

    async def _undo(self, results: Results, saved: dict[int, Ref], sources: dict[int, Ref]) -> None:
        """Put streams, flags and signals back as they were."""
        program = Program()
        program.interruptible = False
        ran = len(results.values)
        for target, ref in saved.items():
            copy = results.value(ref) if ref.step < ran else -1
            if copy >= 0:
                program.call(SYS.dup3, copy, target, 0, must_succeed=False)
                program.call(SYS.close, copy, must_succeed=False)
            elif ref.step < ran and results.complete:
                program.call(SYS.close, target, must_succeed=False)
        for ref in sources.values():
            if ref.step < ran and results.value(ref) >= 0:
                program.call(SYS.close, results.value(ref), must_succeed=False)
        for handle in list(self.task.handles):
            if isinstance(handle, FileDescriptor) and handle.valid:
                number = handle.near.number
                if number in self.passed and not handle.inheritable:
                    program.call(SYS.fcntl, number, F_SETFD, FD_CLOEXEC, must_succeed=False)
        with self.task.transient(pack_sigaction(SIG_IGN)) as ignore:
            if SIG.PIPE not in self.task.chosen_signals:
                program.call(SYS.rt_sigaction, SIG.PIPE, ignore.address.value, 0, SIGSET_SIZE)
            await self.task.sysif.execute(program)

    def _raise(self, results: Results, execve: Ref) -> None:
        step, number = results.failure() or (execve.step, 0)
        call = results.program.step(step)
        assert isinstance(call, Call)
        path = os.fsdecode(os.fspath(self.command.executable)) if step == execve.step else None
        raise kernel_error(number, name_of(call.number), self.task.sysif, path)
