"""NamespaceSet: some of the eight namespaces of a process, as one object."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self, final

import trio

from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.mount_h import MS, UMOUNT
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.task import ChildTask, Task

from .commands import CommandResult, run_inside
from .joining import Joined, joined_stub, task_inside, task_or_local
from .members import NamespaceMember, Opened, Source, open_source
from .ns_types import NS_ALL, get_ns_string
from .swift import joins_of_members, run_swiftly

__all__ = ["NamespaceSet", "NamespacesNotOpenError"]


class NamespacesNotOpenError(RsyscallError):
    """A set of namespaces was used outside of its block."""

    def __init__(self, what: object) -> None:
        super().__init__(f"{what} is not open: use it in an async with block")


@final
class NamespaceSet:
    """Namespaces of one process, or the one that is at a path; ``async with`` it.

    ``source``: a pid (or ``Process``), a ``PidFD``, a path such as ``/run/netns/NAME``, a
    ``NamespaceFD``, or a ``Task``. ``kinds``: which of a process's; all that the kernel has. They
    are kept alive by fds of ``task`` until the block is left; without one, of the interpreter's
    own. Two sets are equal when they have the same namespaces.
    """

    __slots__ = ("_kinds", "_opened", "_scope", "_source", "_task")

    def __init__(
        self, source: Source, kinds: CLONE = NS_ALL, *, task: Task[Any] | None = None
    ) -> None:
        self._source = source
        self._kinds = kinds
        self._task = task
        self._opened: Opened | None = None
        self._scope = AsyncExitStack()

    def __repr__(self) -> str:
        kinds = self._kinds if self._opened is None else self.kinds
        return f"NamespaceSet({self._source!r}: {get_ns_string(kinds)})"

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as scope:
            task = await task_or_local(self._task, scope)
            opened = await open_source(task, self._source, self._kinds)
            scope.push_async_callback(opened.close)
            for kind, error in opened.errors.items():
                if not (kind == CLONE.NEWTIME and isinstance(error, FileNotFoundError)):
                    raise error
                if not opened.members:
                    raise error
            self._scope = scope.pop_all()
        self._opened = opened
        return self

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        await self._scope.aclose()

    @property
    def members(self) -> Mapping[CLONE, NamespaceMember]:
        """The namespaces by kind."""
        if self._opened is None:
            raise NamespacesNotOpenError(self)
        return self._opened.members

    @property
    def kinds(self) -> CLONE:
        """Which there are."""
        found = CLONE(0)
        for kind in self.members:
            found |= kind
        return found

    def __getitem__(self, kind: CLONE) -> NamespaceMember:
        return self.members[kind]

    def __iter__(self) -> Iterator[NamespaceMember]:
        return iter(self.members.values())

    def __len__(self) -> int:
        return len(self.members)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NamespaceSet):
            return NotImplemented
        return dict(self.members) == dict(other.members)

    __hash__ = None  # type: ignore[assignment] # what it has is known while it is open only

    def _foreign(self) -> dict[CLONE, NamespaceMember]:
        """Return those that the task is not in itself."""
        assert self._opened is not None
        return {k: m for k, m in self._opened.members.items() if k not in self._opened.own}

    @asynccontextmanager
    @trio.lowlevel.enable_ki_protection
    async def _joined(self) -> AsyncGenerator[Joined]:
        if self._opened is None or not self._opened.members:
            raise NamespacesNotOpenError(self)
        async with joined_stub(self._opened.task, self._foreign()) as joined:
            for error in joined.errors.values():
                raise error
            yield joined

    @asynccontextmanager
    @trio.lowlevel.enable_ki_protection
    async def open_task(self) -> AsyncGenerator[ChildTask]:
        """Give a task that lives in them; what it opens can be passed out of there.

        It is a stub, or in a pid namespace the child of one. In a user namespace it is root, where
        that has one. Nothing is loaded from the files that it sees. Raises
        NamespaceNotAllowedError for what can't be joined.
        """
        async with self._joined() as joined, task_inside(joined) as task:
            yield task

    @trio.lowlevel.enable_ki_protection
    async def run(
        self, command: Command | Sequence[StrPath], *, stdin: bytes = b"", capture: bool = True
    ) -> CommandResult:
        """Run a command in them, to its end; a name without a slash is looked up in there.

        Without ``capture`` it has this interpreter's streams.
        """
        given = stdin if capture else None
        opened = self._opened
        if opened is not None and self._foreign():
            joins = joins_of_members(self._foreign())
            done = await run_swiftly(opened.task, joins, None, command, given)
            if done is not None:
                return done
        async with self._joined() as joined:
            return await run_inside(joined, command, given)

    @trio.lowlevel.enable_ki_protection
    async def bind(self, kind: CLONE, path: StrPath) -> None:
        """Keep a namespace alive by a bind mount on a new file, as ``ip netns`` does.

        ``umount2(2)`` and the removal of the file let it go: ``release``.
        """
        fd = self.members[kind].fd
        assert self._opened is not None
        task = self._opened.task
        async with await task.fs.open(path, O.RDONLY | O.CREAT | O.EXCL | O.NOFOLLOW, 0o444):
            pass
        try:
            with fd.borrow() as near_id:
                source = f"/proc/thread-self/fd/{near_id.number}"
                await task.mount.mount(source, path, flags=MS.BIND)
        except BaseException:
            with trio.CancelScope(shield=True):
                await task.fs.unlink(path)
            raise

    @staticmethod
    async def release(task: Task[Any], path: StrPath) -> None:
        """Undo what ``bind`` did."""
        await task.mount.umount2(path, UMOUNT.DETACH | UMOUNT.NOFOLLOW)
        await task.fs.unlink(os.fspath(path))
