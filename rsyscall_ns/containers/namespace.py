"""Namespace: the namespaces of a process, entered by a process of our own."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from errno import EAGAIN
from typing import Any, NoReturn, ParamSpec, TypeAlias, TypeVar, cast, final

import trio

from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.task import ChildTask, Task

from .callables.entering import Loading, call_inside, check_own
from .callables.foreign import can_exit
from .callables.job import Call
from .commands import CommandResult, run_inside
from .errors import NotInsideError
from .joining import Joined, Switch, joined_stub, task_inside, task_or_local
from .members import NamespaceMember, open_source
from .ns_types import NS_ALL, NS_USER, UserNamespaceWarning, get_ns_string
from .swift import joins_of_process, run_swiftly

__all__ = ["Namespace"]

LARGEST_ID = 2**32 - 2
P = ParamSpec("P")
T = TypeVar("T")
Foreign: TypeAlias = Mapping[CLONE, NamespaceMember]


@final
class Namespace:
    """The namespaces of process ``target_pid``, of some kinds.

    Who enters is always a process of its own, so ``do_fork`` changes nothing. Without ``true_user``
    ``NS_USER`` means: with the user and group of the process, or ``target_uid`` and ``target_gid``,
    and no further group; ``keep_caps`` keeps the capabilities then. With ``true_user`` its user
    namespace is joined, and a UserNamespaceWarning says so.

    ``errors`` tells which kinds could not be entered, and why: the others are. ``retry``: whether
    the last command or callable has ended with EAGAIN. ``imports``: modules that a callable needs
    besides those of its own; ``foreign_imports``: whether it may load others from the files that
    it sees in there. ``task``: who makes the process; without one, this interpreter.
    """

    __slots__ = (
        "_loading",
        "_task",
        "_true_user",
        "do_fork",
        "errors",
        "keep_caps",
        "namespaces",
        "retry",
        "target_gid",
        "target_pid",
        "target_uid",
    )

    def __init__(  # noqa: PLR0913 - its ancestor's, and what a callable needs
        self,
        target_pid: int,
        ns_types: int = NS_ALL,
        target_gid: int | None = None,
        target_uid: int | None = None,
        do_fork: bool = False,  # noqa: FBT001, FBT002 - as its ancestor has it
        # the ancestor took these by position
        true_user: bool = False,  # noqa: FBT001, FBT002
        # as above
        keep_caps: bool = False,  # noqa: FBT001, FBT002
        *,
        imports: Sequence[str] = (),
        foreign_imports: bool = False,
        task: Task[Any] | None = None,
    ) -> None:
        """Refuse what names no namespace."""
        kinds = CLONE(int(ns_types) & int(NS_ALL))
        if not kinds:
            raise TypeError(f"{ns_types!r} has none of the namespaces {get_ns_string(NS_ALL)}")
        self.target_pid = target_pid
        self.namespaces = kinds
        self.target_gid = target_gid
        self.target_uid = target_uid
        self.do_fork = do_fork
        self.keep_caps = keep_caps
        self.errors: Mapping[CLONE, OSError] = {}
        self.retry = False
        self._true_user = true_user
        self._loading = Loading(imports, foreign_imports)
        self._task = task

    def __repr__(self) -> str:
        return f"Namespace({self.target_pid}: {get_ns_string(self.namespaces)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Be taken along by a callable, which ends itself by ``exit``; without the task."""
        ids = self.target_gid, self.target_uid
        given = (self.target_pid, self.namespaces, *ids)
        return Namespace, (*given, self.do_fork, self._true_user, self.keep_caps)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[tuple[Task[Any], Foreign, Switch | None]]:
        """Give the namespaces that are to be joined, and the ids to have."""
        async with AsyncExitStack() as scope:
            task = await task_or_local(self._task, scope)
            opened = await open_source(task, self.target_pid, self.namespaces)
            scope.push_async_callback(opened.close)
            errors = dict(opened.errors)
            if not opened.members:
                raise next(iter(errors.values()))
            switch = await self._switch(task) if NS_USER in self.namespaces else None
            foreign = {k: m for k, m in opened.members.items() if k not in opened.own}
            if not self._true_user:
                foreign.pop(NS_USER, None)
                errors.pop(NS_USER, None)
            self.errors = errors
            yield task, foreign, switch

    @asynccontextmanager
    @trio.lowlevel.enable_ki_protection
    async def _joined(self) -> AsyncGenerator[Joined]:
        async with (
            self._opened() as (task, foreign, switch),
            joined_stub(task, foreign, switch) as joined,
        ):
            self.errors = {**self.errors, **joined.errors}
            yield joined

    async def _switch(self, task: Task[Any]) -> Switch | None:
        """Return the ids to have; None where the user namespace is joined, or they are ours."""
        found = await task.fs.stat(f"/proc/{self.target_pid}")
        uid = found.uid if self.target_uid is None else self.target_uid
        gid = found.gid if self.target_gid is None else self.target_gid
        fit("uid", uid, 0, LARGEST_ID)
        fit("gid", gid, 0, LARGEST_ID)
        if self._true_user:
            warnings.warn(UserNamespaceWarning(gid, uid, self.target_pid), stacklevel=2)
            return None
        if (uid, gid) == (await task.cred.geteuid(), await task.cred.getegid()):
            return None
        return Switch(uid, gid, keep_caps=self.keep_caps)

    @asynccontextmanager
    @trio.lowlevel.enable_ki_protection
    async def open_task(self) -> AsyncGenerator[ChildTask]:
        """Give a task that lives in there; what it opens can be passed out."""
        async with self._joined() as joined, task_inside(joined) as task:
            yield task

    @trio.lowlevel.enable_ki_protection
    async def enter(self, target: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Call something in there, and return what it returns, or raise what it raises.

        Its process has its modules from here, and nothing of this interpreter's memory; as soon as
        it sees other files it loads nothing any more. Where it has ended itself by ``exit`` with 0
        or EAGAIN the result is None.
        """
        check_own(self._task)
        call = Call(target, args, kwargs, "zygote")
        async with self._opened() as (task, foreign, switch):
            started = call_inside(task, call, foreign, switch, self._loading, every=False)
            async with await started as called:
                self.errors = {**self.errors, **called.failed}
                await called.listen()
                state = await called.process.wait()
        status = state.shell_status()
        self.retry = status == EAGAIN
        if called.exited and status in {0, EAGAIN}:
            return None
        result: Any = called.result(state)
        return cast("T", result)

    @staticmethod
    def exit(errcode: int = 0) -> NoReturn:
        """End the process of the callable that calls this, with a status."""
        if not can_exit():
            raise NotInsideError
        raise SystemExit(errcode)

    @trio.lowlevel.enable_ki_protection
    async def run(
        self, command: Command | Sequence[StrPath], *, stdin: bytes = b"", capture: bool = True
    ) -> CommandResult:
        """Run a command in there, to its end; a name without a slash is looked up in there.

        Without ``capture`` it has this interpreter's streams.
        """
        given = stdin if capture else None
        result = await self._run_swiftly(command, given)
        if result is None:
            async with self._joined() as joined:
                result = await run_inside(joined, command, given)
        self.retry = result.status == EAGAIN
        return result

    async def _run_swiftly(
        self, command: Command | Sequence[StrPath], stdin: bytes | None
    ) -> CommandResult | None:
        """Run it, if all can be joined; else nothing has run."""
        kinds = self.namespaces if self._true_user else self.namespaces & ~NS_USER
        given = self.target_uid is not None or self.target_gid is not None
        if self.keep_caps or not kinds or (self._true_user and given):
            return None
        async with AsyncExitStack() as scope:
            task = await task_or_local(self._task, scope)
            if not task.sysif.same_thread:
                return None
            joins = await scope.enter_async_context(joins_of_process(task, self.target_pid, kinds))
            if joins is None:
                return None
            switch = None
            if NS_USER in self.namespaces and not self._true_user:
                switch = await self._switch(task)
            result = await run_swiftly(task, joins, switch, command, stdin)
            if result is not None and self._true_user and NS_USER in self.namespaces:
                await self._switch(task)  # which warns
        if result is not None:
            self.errors = {}
        return result
