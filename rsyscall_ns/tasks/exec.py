"""exec: turning a child that serves into a program.

The whole step is one program: redirect, mark what may be inherited, reset what a shell would
reset, execve. When execve fails, a second program puts everything back, and the child goes on
serving.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from errno import ENOENT
from itertools import accumulate
from typing import Any, Final, NoReturn, final

from attrs import evolve, frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.handle.program import Bound, Program, check_runnable
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near import program as near
from rsyscall_ns.near.abi.fcntl_h import (
    AT,
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
from rsyscall_ns.near.program import Call, Ref, Results
from rsyscall_ns.near.strings import c_path

from .command import Command
from .environment import table
from .exec_fd import check_script, executable_fd
from .init import InitPlan
from .stub import StubNotStartedError

__all__ = ["ExecPlan", "ExecProgram"]

FIRST_PLAIN_FD: Final = 3  # 0 to 2 are the standard streams
LAST_FD: Final = 2**32 - 1
RESET: Final = (SIG.PIPE, SIG.XFSZ)  # which Python, or the server, ignores and a shell does not
DEFAULT: Final = pack_sigaction(SIG_DFL)
WORD: Final = 8
MOST_PLAIN: Final = 64  # plans that are kept
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

    def __init__(self, program: near.Program, streams: Sequence[int | None]) -> None:
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

    def undo(self, program: near.Program, results: Results) -> None:
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


def bound(before: Program, task: ProcessTask[Any]) -> Bound:
    """Look up the fds of what is done first."""
    check_runnable(before, before_exec=True)
    with before.bound(task) as ready:
        return ready


@frozen
class ExecPlan:
    """What an exec needs, all checked: of the command, and of the fd table of a task."""

    command: Command
    strings: tuple[bytes, ...]  # the arguments and, behind them, the path
    streams: tuple[int | None, ...]
    passed: tuple[int, ...]  # what the program inherits, besides the streams
    private: tuple[int, ...]  # those of them that are close-on-exec otherwise
    resets: tuple[int, ...]  # signals that become default
    before: Bound | None  # what is done first
    handles: tuple[FileDescriptor, ...]  # of the fds among them that have one
    plain: bool = False  # whether it concerns no fd: then it can be carried out by any child
    init: InitPlan | None = None  # what starts the command, where it is not what is exec'd
    program: FileDescriptor | None = None  # what is exec'd, unless it is a path
    by_fd: int | None = None  # its number

    @classmethod
    def make(
        cls,
        task: ProcessTask[Any],
        command: Command,
        streams: tuple[FileDescriptor | None, FileDescriptor | None, FileDescriptor | None],
        pass_fds: Sequence[FileDescriptor],
        before: Program | None = None,
        init: InitPlan | None = None,
    ) -> ExecPlan:
        """Check the strings, and every fd: open, and of the task's own fd table."""
        shared = task.holdings.inheritable
        resets: tuple[int, ...] = RESET
        if task.chosen_signals:
            resets = tuple(sig for sig in RESET if sig not in task.chosen_signals)
        program = executable_fd(command, streams, init=init is not None)
        plain = init is None and program is None
        if plain and streams == NO_STREAMS and not pass_fds and not shared:
            if before is None:
                return cls._plain(command, resets)
            done = bound(before, task)
            return cls(command, command.strings(), NO_STREAMS, (), (), resets, done, ())

        def number(fd: FileDescriptor) -> int:
            with fd.borrow(task) as near_id:
                return near_id.number

        strings = command.strings()
        numbers = tuple(None if fd is None else number(fd) for fd in streams)
        passed = {number(fd) for fd in pass_fds}
        every, private = tuple(sorted(passed | shared)), tuple(sorted(passed - shared))
        handles = (*filter(None, (*streams, program)), *pass_fds)
        by_fd = None if program is None else number(program)
        first = None if before is None else bound(before, task)
        made = cls(command, strings, numbers, every, private, resets, first, handles)
        return evolve(made, init=init, program=program, by_fd=by_fd)

    async def check_program(self, task: ProcessTask[Any]) -> None:
        """Refuse a script whose fd its interpreter would not find."""
        await check_script(task, self.program, self.passed)

    @classmethod
    def _plain(cls, command: Command, resets: tuple[int, ...]) -> ExecPlan:
        known = PLAIN.get(id(command))  # which is kept alive by the plan
        if known is not None and known.resets == resets:
            return known
        if len(PLAIN) == MOST_PLAIN:
            PLAIN.clear()
        strings = command.strings()
        made = cls(command, strings, NO_STREAMS, (), (), resets, None, (), plain=True)
        PLAIN[id(command)] = made
        return made

    def ringing(self, doorbell: int) -> ExecPlan:
        """Return the plan for a child whose end of the doorbell has this number."""
        if self.init is None:
            return self
        init = evolve(self.init, doorbell=doorbell)
        more = init.passed - {*self.passed}
        passed, private = sorted({*self.passed, *more}), sorted({*self.private, *more})
        return evolve(self, init=init, passed=tuple(passed), private=tuple(private))

    def check_started(self, where: object) -> None:
        """Raise what kept the command from being started, once the exec has happened."""
        if self.init is not None:
            self.init.verdicts.check(self.command, where)

    def done(self, process: ChildProcess) -> None:
        """Have the process know what it is now."""
        process.did_exec(self.command)
        if self.init is not None:
            process.verdict = self.init.verdicts.of

    @contextmanager
    def held(self, task: ProcessTask[Any]) -> Generator[None]:
        """Use its handles, and the memory of ``before``: refused if they are gone by now."""
        with ExitStack() as scope:
            for handle in self.handles:
                scope.enter_context(handle.borrow(task))
            if self.before is not None:
                scope.enter_context(self.before.held(task))
            yield

    @property
    def needed(self) -> list[int]:
        """The fds that must be there until the exec."""
        used = () if self.before is None else self.before.numbers
        own = [*self.streams, self.executed]
        if self.init is not None:
            own.append(self.init.page)
        return sorted({*self.passed, *(fd for fd in own if fd is not None), *used})

    @property
    def executed(self) -> int | None:
        """The number of the fd that is exec'd, if none of the paths is."""
        return self.by_fd if self.init is None else self.init.program


PLAIN: Final[dict[int, ExecPlan]] = {}  # the latest, by the identity of their commands


@final
class ExecProgram:
    """An exec as a program. Owns what lies in memory for it."""

    __slots__ = (
        "_address",
        "_arena",
        "_execve",
        "_first",
        "_old",
        "_redirects",
        "_size",
        "plan",
        "program",
    )

    def __init__(
        self, plan: ExecPlan, arena: Arena, environment: int, program: near.Program | None = None
    ) -> None:
        """``environment``: where it lies. ``program``: what it is appended to."""
        self.plan = plan
        self._arena = arena
        # arguments and paths; then a default sigaction; then room for those that were
        *arguments, path = plan.strings
        paths = [path, *(c_path(path) for path in plan.command.elsewhere)]
        if plan.init is not None:
            arguments, paths = plan.init.arguments(paths, arguments), [b"\0"]
        length = WORD * (len(arguments) + 1) + sum(map(len, (*arguments, *paths)))
        actions = -(-length // WORD) * WORD
        self._size = actions + SIGACTION.size * (1 + len(plan.resets))
        self._address = arena.allocate(self._size)
        with arena.view(self._address, self._size) as view:
            view[:length] = table(arguments, self._address) + b"".join(paths)
            view[actions : actions + SIGACTION.size] = DEFAULT
        self._old = self._address + actions
        self.program = near.Program() if program is None else program
        self.program.interruptible = False
        self._first = len(self.program)  # where ``plan.before`` begins
        if plan.before is not None:
            self.program.extend(plan.before.program)
        self._redirects = _Redirects(self.program, plan.streams)
        ends = accumulate(map(len, paths), initial=self._address + length)
        back = sum(map(len, paths))
        self._append([end - back for end in ends][:-1], environment)

    def _append(self, paths: list[int], environment: int) -> None:
        program, plan = self.program, self.plan
        for first, last in gaps(plan.passed):
            program.call(SYS.close_range, first, last, CLOSE_RANGE_CLOEXEC)
        for number in plan.passed:
            program.call(SYS.fcntl, number, F_SETFD, 0)
        for sig, old in self._resets():
            program.call(SYS.rt_sigaction, sig, self._old, old, SIGSET_SIZE)
        *others, last = paths
        for path in others:
            program.call(SYS.execve, path, self._address, environment, must_succeed=False)
        fd = plan.executed
        if fd is None:
            self._execve = program.call(SYS.execve, last, self._address, environment)
        else:
            flags = AT.EMPTY_PATH
            self._execve = program.call(SYS.execveat, fd, last, self._address, environment, flags)

    def _resets(self) -> list[tuple[int, int]]:
        """Return the signals to reset, and where their old actions lie."""
        return [
            (sig, self._old + SIGACTION.size * place)
            for place, sig in enumerate(self.plan.resets, 1)
        ]

    def undo(self, results: Results) -> near.Program:
        """Return what puts streams, flags and signals back after an exec that failed."""
        undo = near.Program()
        undo.interruptible = False
        self._redirects.undo(undo, results)
        for number in self.plan.private:
            undo.call(SYS.fcntl, number, F_SETFD, FD_CLOEXEC, must_succeed=False)
        if results.complete:  # else it did not get as far as the signals
            for sig, old in self._resets():
                undo.call(SYS.rt_sigaction, sig, old, 0, SIGSET_SIZE)
        if self.plan.before is not None:
            before = results.part(self._first, self.plan.before.program)
            for number in self.plan.before.source.left_open(before).values():
                undo.call(SYS.close, number, must_succeed=False)
        return undo

    def fail(self, results: Results, where: object) -> NoReturn:
        """Raise what went wrong."""
        step, number = results.failure() or (self._execve.step, 0)
        if self.plan.before is not None:
            before = results.part(self._first, self.plan.before.program)
            if step < self._first + len(before.program):
                raise before.error(step - self._first, where)
        call = results.program.step(step)
        assert isinstance(call, Call)
        path = None
        if step == self._execve.step and self.plan.init is not None:
            raise StubNotStartedError(kernel_error(number, name_of(call.number), where), where)
        if step == self._execve.step:
            # what was found and may not be executed tells more than what was not found
            tried = results.values[step - len(self.plan.command.elsewhere) : step]
            number = next((-value for value in tried if value != -ENOENT), number)
            path = self.plan.command.shown()
        error = kernel_error(number, name_of(call.number), where, path)
        if number == ENOENT and self.plan.by_fd not in {None, *self.plan.passed}:
            error.add_note("a script's fd must stay open for its interpreter: pass_fds=[fd]")
        raise error

    def release(self) -> None:
        """Give the memory back. Idempotent."""
        size, self._size = self._size, 0
        if size:
            self._arena.release(self._address, size)
