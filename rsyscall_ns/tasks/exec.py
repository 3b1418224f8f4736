"""exec: turning a child that serves into a program.

The whole step is one program: redirect, mark what may be inherited, reset what a shell would
reset, execve. When execve fails, a second program puts everything back, and the child goes on
serving.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final, NoReturn, final

import trio
from attrs import frozen

from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.process_task import ProcessTask
from rsyscall_ns.memory.arena import Arena
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

__all__ = ["ExecPlan", "ExecProgram", "run_exec"]

FIRST_PLAIN_FD: Final = 3  # 0 to 2 are the standard streams
LAST_FD: Final = 2**32 - 1
RESET: Final = (SIG.PIPE, SIG.XFSZ)  # which Python, or the server, ignores and a shell does not
DEFAULT: Final = pack_sigaction(SIG_DFL)
WORD: Final = 8
NO_STREAMS: Final = (None, None, None)


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

    def __init__(self, program: Program, streams: Sequence[int | None]) -> None:
        self._saved: dict[int, Ref] = {}
        self._sources: dict[int, Ref] = {}
        for target, fd in enumerate(streams):
            if fd is not None:
                # a stream that is closed has nothing to be saved
                self._saved[target] = program.call(
                    SYS.fcntl, target, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD, must_succeed=False
                )
                self._sources[target] = program.call(SYS.fcntl, fd, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD)
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
    """What an exec needs, all checked: of the command, and of the fd table of a task."""

    command: Command
    strings: tuple[bytes, ...]  # the arguments and, behind them, the path
    streams: tuple[int | None, ...]
    passed: tuple[int, ...]  # what the program inherits, besides the streams
    private: tuple[int, ...]  # those of them that are close-on-exec otherwise
    resets: tuple[int, ...]  # signals that become default

    @classmethod
    def make(
        cls,
        task: ProcessTask[Any],
        command: Command,
        streams: tuple[FileDescriptor | None, FileDescriptor | None, FileDescriptor | None],
        pass_fds: Sequence[FileDescriptor],
    ) -> ExecPlan:
        """Check the strings, and every fd: open, and of the task's own fd table."""
        strings, shared = command.strings(), task.holdings.inheritable
        resets: tuple[int, ...] = RESET
        if task.chosen_signals:
            resets = tuple(sig for sig in RESET if sig not in task.chosen_signals)
        if streams == NO_STREAMS and not pass_fds and not shared:
            return cls(command, strings, NO_STREAMS, (), (), resets)

        def number(fd: FileDescriptor) -> int:
            with fd.borrow(task) as near_id:
                return near_id.number

        numbers = tuple(None if fd is None else number(fd) for fd in streams)
        passed = {number(fd) for fd in pass_fds}
        every, private = tuple(sorted(passed | shared)), tuple(sorted(passed - shared))
        return cls(command, strings, numbers, every, private, resets)

    @property
    def plain(self) -> bool:
        """Whether it concerns no fd: then it can be carried out by any child."""
        return self.streams is NO_STREAMS

    @property
    def needed(self) -> list[int]:
        """The fds that must be there until the exec."""
        if self.plain:
            return []
        return sorted({*self.passed, *(fd for fd in self.streams if fd is not None)})


@final
class ExecProgram:
    """An exec as a program. Owns what lies in memory for it."""

    __slots__ = ("_address", "_arena", "_execve", "_old", "_redirects", "_size", "plan", "program")

    def __init__(
        self, plan: ExecPlan, arena: Arena, environment: int, program: Program | None = None
    ) -> None:
        """``environment``: where it lies. ``program``: what it is appended to."""
        self.plan = plan
        self._arena = arena
        # arguments and path; then a default sigaction; then room for those that were
        length = WORD * len(plan.strings) + sum(map(len, plan.strings))
        actions = -(-length // WORD) * WORD
        self._size = actions + SIGACTION.size * (1 + len(plan.resets))
        self._address = arena.allocate(self._size)
        *arguments, path = plan.strings
        with arena.view(self._address, self._size) as view:
            view[:length] = table(arguments, self._address) + path
            view[actions : actions + SIGACTION.size] = DEFAULT
        self._old = self._address + actions
        self.program = Program() if program is None else program
        self.program.interruptible = False
        self._redirects = _Redirects(self.program, plan.streams)
        self._append(self._address + length - len(path), environment)

    def _append(self, path: int, environment: int) -> None:
        program, plan = self.program, self.plan
        for first, last in gaps(plan.passed):
            program.call(SYS.close_range, first, last, CLOSE_RANGE_CLOEXEC)
        for number in plan.passed:
            program.call(SYS.fcntl, number, F_SETFD, 0)
        for sig, old in self._resets():
            program.call(SYS.rt_sigaction, sig, self._old, old, SIGSET_SIZE)
        self._execve = program.call(SYS.execve, path, self._address, environment)

    def _resets(self) -> list[tuple[int, int]]:
        """Return the signals to reset, and where their old actions lie."""
        return [
            (sig, self._old + SIGACTION.size * place)
            for place, sig in enumerate(self.plan.resets, 1)
        ]

    def undo(self, results: Results) -> Program:
        """Return what puts streams, flags and signals back after an exec that failed."""
        undo = Program()
        undo.interruptible = False
        self._redirects.undo(undo, results)
        for number in self.plan.private:
            undo.call(SYS.fcntl, number, F_SETFD, FD_CLOEXEC, must_succeed=False)
        if results.complete:  # else it did not get as far as the signals
            for sig, old in self._resets():
                undo.call(SYS.rt_sigaction, sig, old, 0, SIGSET_SIZE)
        return undo

    def fail(self, results: Results, where: object) -> NoReturn:
        """Raise what went wrong."""
        step, number = results.failure() or (self._execve.step, 0)
        call = results.program.step(step)
        assert isinstance(call, Call)
        path = None
        if step == self._execve.step:
            path = os.fsdecode(os.fspath(self.plan.command.executable))
        raise kernel_error(number, name_of(call.number), where, path)

    def release(self) -> None:
        """Give the memory back. Idempotent."""
        size, self._size = self._size, 0
        if size:
            self._arena.release(self._address, size)


async def run_exec(ring: RingInterface, plan: ExecPlan, environments: Environments) -> None:
    """Have a child carry it out; raises what went wrong after everything was put back.

    From here on it either happens or fails: nothing of it is cancelled.
    """
    with environments.borrow(plan.command) as environment:
        exec_ = ExecProgram(plan, environments.arena, environment.address)
        try:
            results = await ring.finish_last(ring.begin(exec_.program))
            if results is None:
                return
            with trio.CancelScope(shield=True):
                await ring.execute(exec_.undo(results))
        finally:
            exec_.release()
        exec_.fail(results, ring)
