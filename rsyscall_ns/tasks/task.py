"""Task: a process that makes system calls for us, with all that one can do with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.child_errors import ChildBusyError
from rsyscall_ns.handle.processes.process_task import ProcessT_co, ProcessTask
from rsyscall_ns.handle.processes.thread import ThreadProcess
from rsyscall_ns.handle.program import Program, ProgramResults, run_program
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.memory.placed import PlacedFile
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import CLONE, NO_FLAGS
from rsyscall_ns.near.errors import RsyscallError, TaskLostError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.hub import Hub
from rsyscall_ns.transport.pace import pace
from rsyscall_ns.transport.posting import SERVER_SPIN
from rsyscall_ns.transport.ring import CLIENT_SPIN, RingInterface

from . import spawn as spawning
from .command import Command, CommandNotFoundError
from .environment import Environments
from .exec import ExecPlan
from .groups import GROUPS, make_group
from .idmap import IdMapLike
from .init import Init
from .readiness import ChildWatcher
from .standing import run_exec
from .started import Launched, LaunchRequest

if TYPE_CHECKING:  # each is imported when a task is first asked for it
    from rsyscall_ns.handle.calls.aio import Aio
    from rsyscall_ns.handle.calls.arch import ArchPrctl
    from rsyscall_ns.handle.calls.bpf import Bpf
    from rsyscall_ns.handle.calls.clocks import Clocks
    from rsyscall_ns.handle.calls.cred import Credentials
    from rsyscall_ns.handle.calls.devices import Devices
    from rsyscall_ns.handle.calls.fds import FDs
    from rsyscall_ns.handle.calls.fs import FileSystem
    from rsyscall_ns.handle.calls.futexes import Futexes
    from rsyscall_ns.handle.calls.host import Host
    from rsyscall_ns.handle.calls.io_uring import IoUring
    from rsyscall_ns.handle.calls.ipc import SysVIpc
    from rsyscall_ns.handle.calls.keys import Keys
    from rsyscall_ns.handle.calls.landlock import Landlock
    from rsyscall_ns.handle.calls.lsm import SecurityModules
    from rsyscall_ns.handle.calls.mem import Memory
    from rsyscall_ns.handle.calls.mounts import Mount
    from rsyscall_ns.handle.calls.mq import MessageQueues
    from rsyscall_ns.handle.calls.net import Net
    from rsyscall_ns.handle.calls.ns import Namespaces
    from rsyscall_ns.handle.calls.own_process import OwnProcess
    from rsyscall_ns.handle.calls.prctl import Prctl
    from rsyscall_ns.handle.calls.randomness import Randomness
    from rsyscall_ns.handle.calls.seccomp import Seccomp
    from rsyscall_ns.handle.calls.signals import Signals

__all__ = ["ChildTask", "NotAChildError", "Task"]


LONGEST_SPIN = 1_000_000
NOTHING = nullcontext()  # which is to be held


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
        "environments",
        "hub",
        *GROUPS,
    )

    aio: Aio
    arch_prctl: ArchPrctl
    bpf: Bpf
    clock: Clocks
    cred: Credentials
    dev: Devices
    fds: FDs
    fs: FileSystem
    futex: Futexes
    host: Host
    ipc: SysVIpc
    keys: Keys
    landlock: Landlock
    lsm: SecurityModules
    mem: Memory
    mount: Mount
    mq: MessageQueues
    net: Net
    ns: Namespaces
    prctl: Prctl
    proc: OwnProcess
    random: Randomness
    seccomp: Seccomp
    signals: Signals
    io_uring: IoUring

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
            parent.environments
            if isinstance(parent, Task) and parent.arena is arena  # else it could not read them
            else Environments(arena)
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Make a call group, which then stays in its slot."""
            group = make_group(self, name)
            setattr(self, name, group)
            return group

    def spawn(
        self,
        flags: CLONE = NO_FLAGS,
        *,
        uid_map: IdMapLike | None = None,
        gid_map: IdMapLike | None = None,
        inherit: Sequence[FileDescriptor] = (),
        cgroup: FileDescriptor | None = None,
        own_memory: bool = False,
        stub: bool = False,
    ) -> Spawned:
        """Make a child in new namespaces, that makes system calls for us; ``async with`` it.

        ``flags``: ``CLONE.NEWUSER`` and so on. With ``NEWUSER`` the caller's ids are mapped to
        themselves unless a map says otherwise. ``inherit``: fds of this task that the child gets
        copies of, besides 0, 1 and 2; all others are closed in it. ``own_memory``: it gets a copy
        of this interpreter's memory instead of sharing it (``CLONE.VM``), which some calls ask
        for, such as joining a time namespace; the copy takes the longer the more memory there is.
        ``stub``: it execs a program of a few KiB that serves, so that there is nothing of this
        interpreter in its memory, and it can't be traced: for beside what is not trusted.
        ``cgroup``: the directory, on cgroup2, of the cgroup that the child starts in.
        Leaving the block kills and reaps the child, whatever it has become. It also dies with
        the thread that made it. ``clone3(2)``.
        """
        request = spawning.SpawnRequest.make(
            flags, uid_map, gid_map, inherit, cgroup, own_memory=own_memory, stub=stub
        )
        return Spawned(self, request)

    def launch(  # noqa: PLR0913 - what spawn and exec take together
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
        before: Program | None = None,
        cgroup: FileDescriptor | None = None,
    ) -> Launched:
        """Start a program in a child of its own, in new namespaces; ``async with`` it.

        As ``spawn`` and ``exec`` together, and faster than both: nothing is asked of the child in
        between. Gives its ChildProcess. The fds are this task's; what the program sees of them,
        and ``before``, are as with ``exec``; ``before`` uses them by their handles, for the
        child has no others, but for 0, 1 and 2. ``cgroup`` is as with ``spawn``. It can be
        cancelled. A failed exec raises, and leaves nothing. Leaving the block kills and reaps
        the program; await its ``run`` instead to wait for its end. ``clone3(2)``, ``execve(2)``.
        """
        plan = ExecPlan.make(self, command, (stdin, stdout, stderr), pass_fds, before)
        spawn = spawning.SpawnRequest.make(flags, uid_map, gid_map, (), cgroup)
        return Launched(self, self.environments, LaunchRequest.make(spawn, plan))

    @trio.lowlevel.enable_ki_protection
    async def exec(
        self,
        command: Command,
        *,
        stdin: FileDescriptor | None = None,
        stdout: FileDescriptor | None = None,
        stderr: FileDescriptor | None = None,
        pass_fds: Sequence[FileDescriptor] = (),
        before: Program | None = None,
        init: Init | None = None,
    ) -> ChildProcess:
        """Become a program; returns the process. ``execve(2)``.

        The fds must be the task's own. The program sees 0, 1, 2, those of ``pass_fds`` (same
        numbers) and those of ``disable_cloexec``; its signal mask is empty, SIGPIPE and SIGXFSZ
        are default. ``before``: what is done first, in the same round trip; of the fds that it
        makes the program sees those that it puts onto 0, 1 and 2; a call of it that blocks can't
        be cancelled: then the task is given up (``set_grace``). Consumes the task: only its
        process is left. A failed exec leaves the task as it was, but for what ``before`` has
        done besides making fds; the error names the path, the fd, or the step. ``init``: what
        becomes process 1 and starts the program; then the task is gone in any case.
        """
        process, ring = self.process, self.sysif
        if not isinstance(process, ThreadProcess) or not isinstance(ring, RingInterface):
            raise NotAChildError("exec")
        if ring.lost:
            raise TaskLostError(self, "it has exec'd or died")
        if self._execing:
            raise ChildBusyError(process)
        first = None if init is None else init.plan(self)
        plan = ExecPlan.make(self, command, (stdin, stdout, stderr), pass_fds, before, first)
        if first is not None:
            plan = plan.ringing(ring.server_doorbell)
        self._execing = True
        try:
            with NOTHING if plan.plain else plan.held(self):
                await pace()
                if plan.program is not None:
                    await plan.check_program(self)
                if len(self.holdings.sharers) > 1:
                    with trio.CancelScope(shield=True):
                        await self._own_files(process, ring)
                await run_exec(ring, plan, self.environments)
        finally:
            self._execing = False
        plan.done(process)
        self.execed()
        ring.close()
        plan.check_started(process)
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

    @trio.lowlevel.enable_ki_protection
    async def run(self, program: Program) -> ProgramResults:
        """Carry out calls in one round trip; the results have their types.

        The first call that fails ends it: its error is raised, which names the step, the call
        and its arguments, and the fds that were made are closed. A program that is cancelled
        ends with the call that it is at; in the interpreter's own task a call that blocks holds
        the event loop, and can't be cancelled.
        """
        return await run_program(self, program)

    def set_spins(self, client: int = CLIENT_SPIN, server: int = SERVER_SPIN) -> None:
        """Set for how long, in microseconds, each side of a child looks for news before it sleeps.

        ``client``: this interpreter, for a result; meanwhile the event loop stands still. Up to
        five times that where the child sleeps on another processor, and must be woken there.
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

    @trio.lowlevel.enable_ki_protection
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

    @trio.lowlevel.enable_ki_protection
    async def end(self) -> None:
        """Release what the interpreter's own task holds. Not cancellable."""
        await to_the_end(self._end)

    async def _end(self) -> None:
        try:
            await self.end_children()
            watcher = self.watcher
            assert isinstance(watcher, ChildWatcher)
            await watcher.close()
        finally:
            for user in list(self.in_use):
                await user.close()
            for handle in list(self.handles):
                with suppress(OSError):  # closed behind our back, or a late error of a write
                    await handle.close()
            await self.sweep()
            self.environments.clear()


@final
class Spawned:
    """The scope of one child: entering it spawns, leaving it kills and reaps."""

    __slots__ = ("_arena", "_child", "_parent", "_request")

    _child: ChildTask

    def __init__(self, parent: Task[Any], request: spawning.SpawnRequest) -> None:
        self._parent = parent
        self._request = request
        self._arena: Arena | None = None

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> ChildTask:
        parent = self._parent
        file = PlacedFile() if self._request.stub else None
        if file is not None:
            self._arena = file.arena
        elif self._request.own_memory or (parent.arena.apart and self._request.new_user):
            self._arena = self._own_arena()
        try:
            self._child = await spawning.start(
                parent, parent.environments, self._request, self._make, file or self._arena
            )
        except BaseException:
            self._unmap()
            raise
        finally:
            if file is not None:
                file.close()
        return self._child

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        try:
            await spawning.end(self._child)
        finally:
            self._unmap()

    def _own_arena(self) -> Arena:
        # of what is mapped from now on, a parent with memory of its own sees nothing
        return Arena(grows=False) if self._parent.arena.grows else self._parent.arena

    def _unmap(self) -> None:
        if self._arena is not None and self._arena is not self._parent.arena:
            self._arena.close()

    def _make(self, ring: RingInterface, process: ThreadProcess) -> ChildTask:
        parent = self._parent
        if self._arena is not None:
            task = Task(ring, process, parent, self._request.flags, self._arena, parent.hub)
            if self._request.stub:
                task.time_namespace = task.time_for_children  # its exec has entered that
            return task
        return Task(ring, process, parent, self._request.sharing, parent.arena, parent.hub)


ChildTask = Task[ThreadProcess]  # what spawn gives; a plain Task may be the interpreter's too
