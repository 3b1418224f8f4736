"""exec: turning a child that serves into a program.

The whole step is one program: redirect, mark what may be inherited, reset what a shell would
reset, execve. When execve fails, a second program puts everything back, and the child goes on
serving.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import trio
from attrs import frozen

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
    SIGACTION,
    SIGSET_SIZE,
    pack_sigaction,
)
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.nr import SYS, name_of
from rsyscall_ns.near.program import Call, Program, Ref, Results
from rsyscall_ns.transport.ring import RingInterface

from .command import Command
from .environment import Environments, table

__all__ = ["ExecPlan"]

FIRST_PLAIN_FD: Final = 3  # 0 to 2 are the standard streams
LAST_FD: Final = 2**32 - 1
RESET: Final = (SIG.PIPE, SIG.XFSZ)  # which Python, or the server, ignores and a shell does not
DEFAULT: Final = pack_sigaction(SIG_DFL)
WORD: Final = 8


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


class _Redirects:
    """Steps that put fds onto the standard streams, and what undoes them.

    The sources are copied first: they may be standard streams themselves.
    """

    def __init__(self, program: Program, streams: Sequence[FileDescriptor | None]) -> None:
        self._saved: dict[int, Ref] = {}
        self._sources: dict[int, Ref] = {}
        for target, fd in enumerate(streams):
            if fd is not None:
                # a stream that is closed has nothing to be saved
                self._saved[target] = program.call(
                    SYS.fcntl, target, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD, must_succeed=False
                )
                self._sources[target] = program.call(
                    SYS.fcntl, fd.near.number, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD
                )
        self._placed = {
            target: program.call(SYS.dup3, source, target, 0)
            for target, source in self._sources.items()
        }

    def undo(self, program: Program, results: Results) -> None:
        """Append what puts the streams back after the steps that were carried out."""

        def got(ref: Ref) -> int:
            return results.value(ref) if ref.step < len(results.values) else -1

        for target, ref in self._saved.items():
            copy = got(ref)
            if copy >= 0:
                program.call(SYS.dup3, copy, target, 0, must_succeed=False)
                program.call(SYS.close, copy, must_succeed=False)
            elif got(self._placed[target]) >= 0:
                program.call(SYS.close, target, must_succeed=False)
        for ref in self._sources.values():
            if got(ref) >= 0:
                program.call(SYS.close, got(ref), must_succeed=False)


@frozen
class ExecPlan:
    """What an exec does to the child's fds: all checked, nothing done yet."""

    task: ProcessTask[Any]
    ring: RingInterface
    command: Command
    argv: tuple[bytes, ...]  # and, behind the arguments, the path
    streams: tuple[FileDescriptor | None, ...]
    passed: tuple[int, ...]  # what the program inherits, besides the streams
    private: tuple[int, ...]  # those of them that are close-on-exec otherwise

    @classmethod
    def make(
        cls,
        task: ProcessTask[Any],
        ring: RingInterface,
        command: Command,
        streams: tuple[FileDescriptor | None, ...],
        pass_fds: Sequence[FileDescriptor],
    ) -> ExecPlan:
        """Check the strings, and every fd: open, and of the task's own fd table."""
        passed: set[int] = set()
        for fd in (*streams, *pass_fds):
            if fd is not None:
                with fd.borrow(task) as near_id:
                    if fd in pass_fds:
                        passed.add(near_id.number)
        shared = {
            handle.near.number
            for handle in list(task.handles)
            if isinstance(handle, FileDescriptor) and handle.valid and handle.inheritable
        }
        argv = (*command.argv(), command.path())
        every, private = tuple(sorted(passed | shared)), tuple(sorted(passed - shared))
        return cls(task, ring, command, argv, streams, every, private)

    async def run(self, environments: Environments) -> None:
        """Carry it out; raises what went wrong after everything was put back."""
        arena, size = self.task.arena, 0
        strings = environments.borrow(self.command)
        try:
            # the words of the table end in a null; then the strings; then room for what was
            length = WORD * len(self.argv) + sum(map(len, self.argv))
            actions = -(-length // WORD) * WORD
            size = actions + SIGACTION.size * (1 + len(RESET))
            address = arena.allocate(size)
            try:
                *arguments, path = self.argv
                with arena.view(address, size) as view:
                    view[:length] = table(arguments, address) + path
                    view[actions : actions + SIGACTION.size] = DEFAULT
                at_path = address + length - len(path)
                await self._execute(at_path, address, strings.address, address + actions)
            finally:
                arena.release(address, size)
        finally:
            environments.give_back(strings)

    async def _execute(self, path: int, argv: int, envp: int, actions: int) -> None:
        program = Program()
        program.interruptible = False
        redirects = _Redirects(program, self.streams)
        for first, last in gaps(self.passed):
            program.call(SYS.close_range, first, last, CLOSE_RANGE_CLOEXEC)
        for number in self.passed:
            program.call(SYS.fcntl, number, F_SETFD, 0)
        resets = [
            (sig, actions + SIGACTION.size * place)
            for place, sig in enumerate(RESET, 1)
            if sig not in self.task.chosen_signals
        ]
        for sig, old in resets:
            program.call(SYS.rt_sigaction, sig, actions, old, SIGSET_SIZE)
        execve = program.call(SYS.execve, path, argv, envp)
        results = await self.ring.finish_last(self.ring.begin(program))
        if results is None:
            return
        # it failed: put streams, flags and signals back as they were
        undo = Program()
        undo.interruptible = False
        redirects.undo(undo, results)
        for number in self.private:
            undo.call(SYS.fcntl, number, F_SETFD, FD_CLOEXEC, must_succeed=False)
        if results.complete:  # else it did not get as far as the signals
            for sig, old in resets:
                undo.call(SYS.rt_sigaction, sig, old, 0, SIGSET_SIZE)
        with trio.CancelScope(shield=True):
            await self.ring.execute(undo)
        self._raise(results, execve)

    def _raise(self, results: Results, execve: Ref) -> None:
        step, number = results.failure() or (execve.step, 0)
        call = results.program.step(step)
        assert isinstance(call, Call)
        path = os.fsdecode(os.fspath(self.command.executable)) if step == execve.step else None
        raise kernel_error(number, name_of(call.number), self.ring, path)
