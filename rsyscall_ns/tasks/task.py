"""Task: a process that makes system calls for us, with all that one can do with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, final

import trio

from rsyscall_ns.handle.calls.fs import FileSystem
from rsyscall_ns.handle.calls.net import Net
from rsyscall_ns.handle.calls.ns import Namespaces
from rsyscall_ns.handle.calls.small import Credentials, Memory, Mount, Signals
from rsyscall_ns.handle.child import ChildProcess
from rsyscall_ns.handle.child_errors import ChildBusyError
from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.process_task import ProcessT_co, ProcessTask
from rsyscall_ns.handle.thread import ThreadProcess
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import CLONE, NO_FLAGS
from rsyscall_ns.near.errors import RsyscallError, TaskLostError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.transport.hub import Hub
from rsyscall_ns.transport.pace import pace
from rsyscall_ns.transport.posting import SERVER_SPIN
from rsyscall_ns.transport.ring import CLIENT_SPIN, RingInterface

from . import spawn as spawning
from .command import Command, CommandNotFoundError
from .environment import Environments
from .exec import ExecPlan, run_exec
from .idmap import IdMapLike
from .readiness import ChildWatcher
from .started import Launched, LaunchRequest

__all__ = ["ChildTask", "NotAChildError", "Task"]


LONGEST_SPIN = 1_000_000


class NotAChildError(RsyscallError):
    """Something that only a child can do was asked of the interpreter's own task."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} would replace this interpreter: spawn a child and do it there")


@final
class Task(ProcessTask[ProcessT_co]):
    """A process, seen as what it can do: ``task.fs.open``, ``task.net.socket`` ... and children.

    ``open_local_task`` and ``spawn`` make tasks.
    """

    __slots__ = (
        "_execing",
        "cred",
        "environments",
        "fs",
        "hub",
        "mem",
        "mount",
        "net",
        "ns",
        "signals",
    )

    def __init__(
        self,
        sysif: SyscallInterface,
        process: ProcessT_co | ids.Process,
        parent: ProcessTask[Any] | None,
        flags: CLONE,
        arena: Arena,
        hub: Hub,
    ) -> None:
        super().__init__(sysif, process, parent, flags, arena, ChildWatcher(self, hub))
        self.hub = hub
        self._execing = False
        self.environments: Environments = (
            parent.environments if isinstance(parent, Task) else Environments(arena)
        )
        self.fs = FileSystem(self)
        self.net = Net(self)
        self.ns = Namespaces(self)
        self.mem = Memory(self)
        self.cred = Credentials(self)
        self.signals = Signals(self)
        self.mount = Mount(self)

    def spawn(
        self,
        flags: CLONE = NO_FLAGS,
        *,
        uid_map: IdMapLike | None = None,
        gid_map: IdMapLike | None = None,
        inherit: Sequence[FileDescriptor] = (),
    ) -> Spawned:
        """Make a child in new namespaces, that makes system calls for us; ``async with`` it.

        ``flags``: ``CLONE.NEWUSER`` and so on; ``CLONE.VM`` is always added. With ``NEWUSER`` the
        caller's ids are mapped to themselves unless a map says otherwise. ``inherit``: fds of
        this task that the child gets copies of, besides 0, 1 and 2; all others are closed in it.
        Leaving the block kills and reaps the child, whatever it has become. It also dies with
        the thread that made it. ``clone3(2)``.
        """
        return Spawned(self, spawning.SpawnRequest.make(flags, uid_map, gid_map, inherit))

    def launch(
        self,
        command: Command,
        flags: CLONE = NO_FLAGS,
        *,
        uid_map: IdMapLike | None = None,
        gid_map: IdMapLike | None = None,
        stdin: FileDescriptor | None = None,
        stdout: FileDescriptor | None = None,
        stderr: FileDescriptor | None = None,
        pass_fds: Sequence[FileDescriptor] = (),
    ) -> Launched:
        """Start a program in a child of its own, in new namespaces; ``async with`` it.

        As ``spawn`` and ``exec`` together, and faster than both: nothing is asked of the child in
        between. Gives its ChildProcess. The fds are this task's; what the program sees of them
        is as with ``exec``. A failed exec raises, and leaves nothing. Leaving the block kills
        and reaps the program. ``clone3(2)``, ``execve(2)``.
        """
        plan = ExecPlan.make(self, command, (stdin, stdout, stderr), pass_fds)
        spawn = spawning.SpawnRequest.make(flags, uid_map, gid_map, ())
        return Launched(self, self.environments, LaunchRequest.make(spawn, plan))

    async def exec(
        self,
        command: Command,
        *,
        stdin: FileDescriptor | None = None,
        stdout: FileDescriptor | None = None,
        stderr: FileDescriptor | None = None,
        pass_fds: Sequence[FileDescriptor] = (),
    ) -> ChildProcess:
        """Become a program; returns the process. ``execve(2)``.

        The fds must be the task's own. The program sees 0, 1, 2, those of ``pass_fds`` (same
        numbers) and those of ``disable_cloexec``; its signal mask is empty, SIGPIPE and SIGXFSZ
        are default. Consumes the task: only its process is left. A failed exec leaves the task
        as it was; the error names the path.
        """
        process, ring = self.process, self.sysif
        if not isinstance(process, ThreadProcess) or not isinstance(ring, RingInterface):
            raise NotAChildError("exec")
        if ring.lost:
            raise TaskLostError(self, "it has exec'd or died")
        if self._execing:
            raise ChildBusyError(process)
        plan = ExecPlan.make(self, command, (stdin, stdout, stderr), pass_fds)
        self._execing = True
        try:
            await pace()
            if len(self.holdings.sharers) > 1:
                with trio.CancelScope(shield=True):
                    await self._own_files(process, ring)
            await run_exec(ring, plan, self.environments)
        finally:
            self._execing = False
        process.did_exec(command)
        self.execed()
        ring.close()
        return process

    async def _own_files(self, process: ThreadProcess, ring: RingInterface) -> None:
        """Leave a shared fd table: else exec would not close the server's end of the doorbell."""
        old = self.holdings
        others = [task for task in old.sharers if task is not self]
        await self.ns.unshare(CLONE.FILES)
        if process.shared_doorbell is None:
            # the table was our own, and children share it
            old.forgotten.append(ring.server_doorbell)
        for other in others:  # whoever is still there closes in it what was only ours
            with suppress(TaskLostError):
                await other.sweep()

    def set_spins(self, client: int = CLIENT_SPIN, server: int = SERVER_SPIN) -> None:
        """Set for how long, in microseconds, each side of a child looks for news before it sleeps.

        ``client``: this interpreter, for a result; meanwhile the event loop stands still.
        ``server``: the child, for its next call. 0: sleep at once, which costs less processor
        time and more latency. Nobody looks while both share one processor, nor for a result of
        a system call that blocked last time.
        """
        fit("client", client, 0, LONGEST_SPIN)
        fit("server", server, 0, LONGEST_SPIN)
        if isinstance(self.sysif, RingInterface):
            self.sysif.set_spins(client, server)

    def set_grace(self, seconds: float) -> None:
        """Set how long a child that is stopped or in uninterruptible sleep may hold up a cancel.

        After that the cancelled call raises UnresponsiveTaskError, and the task is lost; its
        process is still there, to be continued, signalled or ended.
        """
        if isinstance(self.sysif, RingInterface):
            self.sysif.set_grace(seconds)

    async def which(self, name: str) -> Command:
        """Return the command for a program that is found on PATH, as the task sees the files.

        A name with a slash is taken as it is. Raises CommandNotFoundError.
        """
        if "/" in name:
            return Command(name, [name])
        path = os.environ.get("PATH") or os.defpath
        for directory in path.split(":"):
            place = f"{directory or '.'}/{name}"
            if await self.fs.access(place, os.X_OK) and not await self.fs.is_dir(place):
                return Command(place, [name])
        raise CommandNotFoundError(name, path)

    async def end(self) -> None:
        """Release what the interpreter's own task holds. Not cancellable."""
        with trio.CancelScope(shield=True):
            try:
                await self.end_children()
                watcher = self.watcher
                assert isinstance(watcher, ChildWatcher)
                await watcher.close()
            finally:
                for handle in list(self.handles):
                    with suppress(OSError):  # closed behind our back, or a late error of a write
                        await handle.close()
                await self.sweep()
                self.environments.clear()


@final
class Spawned:
    """The scope of one child: entering it spawns, leaving it kills and reaps."""

    __slots__ = ("_child", "_parent", "_request")

    _child: ChildTask

    def __init__(self, parent: Task[Any], request: spawning.SpawnRequest) -> None:
        self._parent = parent
        self._request = request

    async def __aenter__(self) -> ChildTask:
        self._child = await spawning.start(self._parent, self._request, self._make)
        return self._child

    async def __aexit__(self, *_: object) -> None:
        await spawning.end(self._child)

    def _make(self, ring: RingInterface, process: ThreadProcess) -> ChildTask:
        parent = self._parent
        flags = self._request.flags | CLONE.VM
        return Task(ring, process, parent, flags, parent.arena, parent.hub)


ChildTask = Task[ThreadProcess]  # what spawn gives; a plain Task may be the interpreter's too
