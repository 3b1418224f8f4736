"""Inject: a command or callable in namespaces of a process, of files, or of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, TypedDict, Unpack, final

import trio

from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.task import Task

from .callables.called import Called
from .callables.entering import Loading, call_inside, check_own
from .callables.job import Call
from .commands import CommandResult, run_inside, start_inside
from .confinement import NOTHING_TAKEN, Confinement, confine
from .errors import ContainerArgumentError
from .joining import Joined, joined_stub, task_or_local
from .life import Life
from .members import NamespaceMember, Source, open_source
from .ns_types import FILE_NAMES, NS_TIME, get_ns_string
from .options import KINDS, capabilities_of
from .running import Running
from .streams import OpenStreams, Stream, check_streams
from .swift import joins_of_process, run_swiftly

__all__ = ["Choices", "Inject"]

Choice = bool | StrPath | None
# a kind also as a plain int, as a flag type's own operators are slow; its name, and the other one
EACH: Final = tuple((kind, int(kind), name, KINDS[name][0]) for kind, name in FILE_NAMES.items())


class Choices(TypedDict, total=False):
    """Which namespaces: True for that of the process, or the path of a namespace file."""

    all: bool
    newuser: Choice
    user: Choice
    newpid: Choice
    pid: Choice
    newns: Choice
    mnt: Choice
    newnet: Choice
    net: Choice
    newuts: Choice
    uts: Choice
    newipc: Choice
    ipc: Choice
    newcgroup: Choice
    cgroup: Choice
    newtime: Choice
    time: Choice


def sources_of(target_pid: int, choices: Choices) -> list[tuple[Source, CLONE]]:
    """Return where to take them from, and which kinds."""
    values: Mapping[str, Choice] = dict(choices)  # type: ignore[arg-type] # all of them are
    unknown = values.keys() - Choices.__annotations__.keys()
    if unknown:
        raise ContainerArgumentError(", ".join(sorted(unknown)), "Inject has no such thing")
    found: list[tuple[Source, CLONE]] = []
    bits = 0
    for kind, bit, name, alias in EACH:
        said = [values[key] for key in (name, alias) if values.get(key) is not None]
        if said[1:] and said[0] != said[1]:
            raise ContainerArgumentError(f"{name}, {alias}", "each says something else")
        choice = said[0] if said else choices.get("all", False)
        if choice is True:
            bits |= bit
        elif choice is not False and choice is not None:
            found.append((choice, kind))
    if bits:
        found.append((target_pid, CLONE(bits)))
    if not found:
        raise TypeError("no namespace was asked for: all=True, or net=True and so on")
    return found


@final
class Inject(Life):
    """A command, or a callable, that is to run in namespaces of process ``target_pid``.

    Each kind is True, or the path of a namespace file instead of the process's; with ``all`` it is
    every kind but those that are False. All that were asked for are joined, or nothing runs:
    NamespaceNotAllowedError. Leaving ``async with`` kills and reaps it; one that was started by
    ``start`` ends by itself, and is waited for when the trio run ends, or killed (``daemon``).
    """

    def __init__(  # noqa: PLR0913 - as in Container, but for the namespaces
        self,
        target_pid: int,
        target: Command | Sequence[StrPath] | Callable[..., object],
        *,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        name: str | None = None,
        daemon: bool = False,
        imports: Sequence[str] = (),
        foreign_imports: bool = False,
        no_new_privs: bool = False,
        tty_injection: bool = True,
        capabilities: int | None = None,
        task: Task[Any] | None = None,
        **choices: Unpack[Choices],
    ) -> None:
        """``args``, ``kwargs``, ``imports``, ``foreign_imports``: a callable's, as in Namespace.

        ``no_new_privs``, ``tty_injection``, ``capabilities``: what is taken from a command, as in
        Container, but by default nothing. ``task``: who starts it; without one, this interpreter.
        """
        super().__init__(name, daemon=daemon)
        self._sources = sources_of(target_pid, choices)
        self._call: Call | None = None
        self.command: Command | Sequence[StrPath] = ()
        self._taken = Confinement(no_new_privs, not tty_injection)
        self._capabilities = capabilities_of(capabilities)
        self._limited = self._taken != NOTHING_TAKEN or capabilities is not None
        if callable(target):
            check_own(task)
            if self._limited:
                raise ContainerArgumentError(
                    "no_new_privs, tty_injection, capabilities", "they are taken from commands only"
                )
            self._call = Call(target, tuple(args), dict(kwargs or {}), "zygote")
        elif args or kwargs or imports or foreign_imports:
            raise ContainerArgumentError(
                "args, kwargs, imports", "they are a callable's, and the target is a command"
            )
        else:
            self.command = target
        self._given = stdin, stdout, stderr
        check_streams(self._given)
        self.target_pid = target_pid
        bits = 0
        for _, kinds in self._sources:
            bits |= int(kinds)
        self.kinds = CLONE(bits)
        self._loading = Loading(imports, foreign_imports)
        self._task = task

    def __repr__(self) -> str:
        target: object = self.command if self._call is None else self._call.target
        return f"Inject({self.target_pid}, {target!r}: {get_ns_string(self.kinds)})"

    async def _foreign(
        self, task: Task[Any], scope: AsyncExitStack
    ) -> dict[CLONE, NamespaceMember]:
        """Open those that are not ours already, for the time of the scope."""
        foreign: dict[CLONE, NamespaceMember] = {}
        for source, kinds in self._sources:
            opened = await open_source(task, source, kinds)
            scope.push_async_callback(opened.close)
            for kind, error in opened.errors.items():
                if not (kind == NS_TIME and opened.members):  # a kernel without them
                    raise error
            for kind, member in opened.members.items():
                if not kind & kinds:
                    raise TypeError(f"{source!r} is of kind {get_ns_string(kind)}")
                if kind not in opened.own:
                    foreign[kind] = member
        return foreign

    async def _joined(
        self, task: Task[Any], foreign: Mapping[CLONE, NamespaceMember], scope: AsyncExitStack
    ) -> Joined:
        """Return a stub that has joined them all, with the rights of the command."""
        joined = await scope.enter_async_context(joined_stub(task, foreign))
        for error in joined.errors.values():
            raise error
        await confine(joined.stub, self._taken, self._capabilities)
        return joined

    async def _make(self, undo: AsyncExitStack) -> Running:
        async with AsyncExitStack() as meanwhile:
            task = await task_or_local(self._task, undo)
            scope = await undo.enter_async_context(AsyncExitStack())
            foreign = await self._foreign(task, meanwhile)
            streams = meanwhile.enter_context(OpenStreams(task))
            await streams.open(self._given)
            called: Called | None = None
            if self._call is not None:
                started = call_inside(
                    task,
                    self._call,
                    foreign,
                    None,
                    self._loading,
                    every=True,
                    wanted=self._wanted,
                    streams=streams.of,
                )
                called = await scope.enter_async_context(await started)
                process = called.process
            else:
                joined = await self._joined(task, foreign, scope)
                process = await start_inside(joined, self.command, streams.of, scope)
            self._take(streams)
        return Running(process, scope, called)

    @trio.lowlevel.enable_ki_protection
    async def run(self, *, stdin: bytes = b"", capture: bool = True) -> Any:  # noqa: ANN401 - of a callable's
        """Run it to its end: returns a CommandResult; of a callable, what that returns.

        A command's name is looked up in there, where it has no slash. It has ``stdin`` to read;
        without ``capture`` it has, as a callable has, the streams that were given, or ours.
        """
        if self._call is None and capture:
            async with AsyncExitStack() as scope:
                task = await task_or_local(self._task, scope)
                done = await self._run_swiftly(task, stdin)
                if done is not None:
                    return done
                foreign = await self._foreign(task, scope)
                joined = await self._joined(task, foreign, scope)
                return await run_inside(joined, self.command, stdin)
        if self._call is None and self._given == (None, None, None):
            async with AsyncExitStack() as scope:
                task = await task_or_local(self._task, scope)
                done = await self._run_swiftly(task, None)
            if done is not None:
                return done
        await self._start(wanted=True)
        try:
            await self._listen()
            state, called = await self.wait(), self._started().called
            return CommandResult(state, b"", b"") if called is None else called.result(state)
        finally:
            await self.__aexit__()

    async def _run_swiftly(self, task: Task[Any], stdin: bytes | None) -> CommandResult | None:
        """Run it, if all are of the process, and nothing goes wrong; else nothing has run."""
        (source, kinds), *others = self._sources
        if others or source is not self.target_pid or not task.sysif.same_thread or self._limited:
            return None
        async with joins_of_process(task, self.target_pid, kinds) as joins:
            return await run_swiftly(task, joins, None, self.command, stdin)
