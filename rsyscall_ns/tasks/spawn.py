"""spawn: a child of ours, in the namespaces that were asked for, serving calls; and its end.

What is asked for is checked first, then ``launch`` makes the child. Id maps of other ids than ours
are written from outside, while it makes its namespaces. When a step fails, or is cancelled, it is
ended.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from errno import EPERM
from functools import partial
from typing import Any, Final, TypeVar

import trio
from attrs import Factory, field, frozen

from rsyscall_ns.handle.calls.ns import NamespaceNotAllowedError
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import borrowed
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.clone_flags import INTO_CGROUP, CloneFlagsError, check_spawn_flags
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.handle.processes.thread import ThreadProcess
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.memory.placed import PlacedFile
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.capability_block import capability_header, effective_set
from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES
from rsyscall_ns.near.abi.wait_h import W
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.pace import slept
from rsyscall_ns.transport.ring import RingInterface

from .environment import Environments
from .idmap import IdMapLike
from .idwrite import IdMaps, OwnMaps, Proc, check_allowed, write_maps
from .launch import FILES, Launch
from .readiness import ChildReadiness, ChildWatcher
from .steps import NEW, MapsRefusedError
from .stub import StubChild, check_stub_flags, rights_of

__all__ = [
    "NO_MAPS",
    "SpawnRequest",
    "WantedMaps",
    "WriteMaps",
    "check_namespaces",
    "end",
    "start",
    "write_child_maps",
]

Made = TypeVar("Made")
Rights = tuple[int, tuple[int, int]]  # effective capabilities; effective uid and gid
WriteMaps = Callable[[ChildProcess], Awaitable[None]]
Attempt = Callable[[OwnMaps | None, IdMaps | None], Awaitable[Made]]  # inside, outside
T = TypeVar("T", bound=ProcessTask[ThreadProcess])
NEWUSER = int(CLONE.NEWUSER)
ADMIN = 1 << 21  # CAP_SYS_ADMIN
EXITED = int(W.EXITED)
DYING = 0.1  # seconds in which a child that was killed should be dead


@frozen
class SpawnRequest:
    """What was asked for, parsed and checked against itself."""

    flags: CLONE
    uid_map: IdMapLike | None
    gid_map: IdMapLike | None
    inherit: tuple[FileDescriptor, ...]
    own_memory: bool
    stub: bool
    bits: int  # the flags again, as a plain int: a flag type's own operators are slow
    cgroup: FileDescriptor | None  # a directory of the parent's
    writer: WriteMaps | None = None  # who writes the id maps, where we may not do it ourselves
    # what it is cloned with where it shares our memory
    sharing: CLONE = field(
        init=False,
        eq=False,
        repr=False,
        default=Factory(lambda self: self.flags | CLONE.VM, takes_self=True),
    )
    _answers: dict[Rights, WantedMaps] = field(
        init=False, eq=False, repr=False, factory=dict["Rights", "WantedMaps"]
    )

    @classmethod
    def make(
        cls,
        flags: CLONE,
        uid_map: IdMapLike | None,
        gid_map: IdMapLike | None,
        inherit: Sequence[FileDescriptor],
        cgroup: FileDescriptor | None = None,
        *,
        own_memory: bool = False,
        stub: bool = False,
    ) -> SpawnRequest:
        """Refuse what can't work."""
        maps = uid_map is not None or gid_map is not None
        usual = not (maps or inherit or cgroup or own_memory or stub)
        if usual and int(flags) in KNOWN:
            return KNOWN[int(flags)]
        check_spawn_flags(flags)
        if stub:
            check_stub_flags(int(flags))
        if CLONE.NEWUSER in flags:
            IdMaps.parse(uid_map, gid_map, (0, 0))  # whose ids they are is asked for later
        elif maps:
            raise CloneFlagsError(flags, "an id map needs CLONE.NEWUSER")
        bits = int(flags) if cgroup is None else int(flags) | INTO_CGROUP
        made = cls(flags, uid_map, gid_map, tuple(inherit), own_memory, stub, bits, cgroup)
        if usual:
            KNOWN[bits] = made
        return made

    def wanted_maps(self, parent: ProcessTask[Any], rights: Rights) -> WantedMaps:
        """Return the maps, if somebody with these rights may have the namespaces."""
        known = self._answers.get(rights)
        if known is None:
            self._answers.clear()  # they hardly ever change
            known = self._answers[rights] = wanted_maps(parent, self, rights)
        return known

    @property
    def new_user(self) -> bool:
        """Whether a user namespace is made."""
        return bool(self.bits & NEWUSER)

    def cgroup_number(self, parent: ProcessTask[Any]) -> int:
        """Return the number of the cgroup's fd, checked as every use of a handle is."""
        with borrowed(parent, self.cgroup) as near_id:
            return 0 if near_id is None else near_id.number


KNOWN: Final[dict[int, SpawnRequest]] = {}  # those of flags alone


async def start(
    parent: ProcessTask[Any],
    environments: Environments,
    request: SpawnRequest,
    make: Callable[[RingInterface, ThreadProcess], T],
    arena: Arena | PlacedFile | None,
) -> T:
    """Make the child and its task, which ``make`` builds; the caller ends it.

    ``arena``: of a child with memory of its own; in a file, of a stub.

    When this fails, or is cancelled, nothing is left.
    """
    wanted = await check_namespaces(parent, request) if request.bits & NEW else NO_MAPS
    await trio.lowlevel.checkpoint_if_cancelled()  # others have their turn while it starts

    async def attempt(inside: OwnMaps | None, outside: IdMaps | None) -> T:
        numbers: list[int] = []
        for fd in request.inherit:
            with fd.borrow(parent) as near_id:
                numbers.append(near_id.number)
        cgroup = 0 if request.cgroup is None else request.cgroup_number(parent)
        write = None
        if outside is not None:
            write = request.writer or partial(write_child_maps, parent, environments, outside)
        if isinstance(arena, PlacedFile):
            rights = await rights_of(parent, request.bits, inside)
            launch = Launch(parent, request.bits, inside, cgroup=cgroup)
            async with StubChild(parent, arena, rights) as stub, launch:
                process = await stub.start(launch, numbers, write)
                ring = launch.interface(process)
                task = make(ring, process)
        else:
            async with Launch(parent, request.bits, inside, arena, cgroup) as launch:
                launch.first.build()
                await launch.start(numbers, lasting=True)
                process = await serving(launch, write, adopted=bool(request.bits & FILES))
                ring = launch.interface(process)
                task = make(ring, process)
        if request.bits & FILES:
            # an entry of the common table: closed in it when the child leaves it, or dies
            number = ids.FileDescriptor(ring.server_doorbell)
            process.shared_doorbell = FileDescriptor(task, number)
        elif numbers:
            task.holdings.inherited = dict.fromkeys(numbers, parent.fd_table)
        return task

    return await wanted.written(parent, environments, attempt)


async def serving(launch: Launch, write: WriteMaps | None, *, adopted: bool) -> ThreadProcess:
    """Wait until a child serves, after its maps were written, if there are any."""
    if write is None and not adopted:
        # it has our processor as soon as we sleep, and not before
        await launch.served()
        return await launch.adopt()
    process = await launch.adopt()
    if write is not None:
        await write(process)
    await launch.served()
    return process


async def end(task: ProcessTask[ThreadProcess]) -> None:
    """Kill and reap a child and release all that it had. Not cancellable."""
    process, ring, watcher = task.process, task.sysif, task.watcher
    assert isinstance(ring, RingInterface)
    assert isinstance(watcher, ChildWatcher)
    if process.death_state is not None and _end_now(task, ring, watcher):
        return
    await to_the_end(partial(_end, task, ring, watcher))


async def _end(
    task: ProcessTask[ThreadProcess], ring: RingInterface, watcher: ChildWatcher
) -> None:
    process = task.process
    try:
        try:
            await process.end()
        finally:
            await task.end_children()
            await watcher.close()
    finally:
        ring.close()
        for user in list(task.in_use):
            await user.close()
        for handle in list(task.handles):
            await handle.close()  # it may be open in a table that the child shared
        task.holdings.sharers.discard(task)
        doorbell, process.shared_doorbell = process.shared_doorbell, None
        if doorbell is not None:
            await doorbell.close()
        with suppress(TaskLostError):  # the fd table has gone with its process
            await process.task.sweep()


def _end_now(task: ProcessTask[Any], ring: RingInterface, watcher: ChildWatcher) -> bool:
    """End a child that was seen dead and has left nothing to wait for; returns whether it did."""
    process = task.process
    needs_calls = (
        task.children
        or task.handles
        or task.holdings.sharers
        or process.shared_doorbell
        or process.task.holdings.forgotten
        or not watcher.idle
    )
    if needs_calls or not process.release_now():
        return False
    ring.close()
    return True


@frozen
class WantedMaps:
    """The id maps of a new user namespace, if there is one; ``own``: of our own ids alone."""

    maps: IdMaps | None = None
    own: bool = False
    _inside: dict[int, OwnMaps] = field(
        init=False, eq=False, repr=False, factory=dict[int, OwnMaps]
    )

    def inside(self, proc: int) -> OwnMaps:
        """Return them as what a child writes itself, below this /proc: each time the same."""
        if proc not in self._inside:
            assert self.maps is not None
            self._inside.clear()
            self._inside[proc] = OwnMaps(self.maps, proc)
        return self._inside[proc]

    def written(
        self, parent: ProcessTask[Any], environments: Environments, attempt: Attempt[Made]
    ) -> Awaitable[Made]:
        """Make a child that writes them itself, or one that we write them for from outside.

        The second where it must be; also where a security module refuses the first.
        """
        if self.own:
            return self._written(parent, environments, attempt)
        return attempt(None, self.maps)

    async def _written(
        self, parent: ProcessTask[Any], environments: Environments, attempt: Attempt[Made]
    ) -> Made:
        with suppress(MapsRefusedError):
            async with Proc(parent, environments) as proc:
                return await attempt(self.inside(proc), None)
        return await attempt(None, self.maps)


NO_MAPS: Final = WantedMaps()


async def check_namespaces(parent: ProcessTask[Any], request: SpawnRequest) -> WantedMaps:
    """Refuse what this user may not do, as far as it can be known before anything is started.

    Others have their turn afterwards: making namespaces holds the loop for long enough.
    """
    rights = await capabilities_now(parent), await ids_now(parent)
    wanted = request.wanted_maps(parent, rights)
    await trio.lowlevel.checkpoint()
    slept()
    return wanted


async def capabilities_now(parent: ProcessTask[Any]) -> int:
    """Ask what a task may do."""
    if parent.sysif.same_thread:
        return lib.rs_effective_capabilities()
    with parent.transient(capability_header()) as block:
        await near_cred.capget(parent.sysif, block.address, block + 8)
        return effective_set(block.read())


async def ids_now(parent: ProcessTask[Any]) -> tuple[int, int]:
    """Ask who a task is, as its own user namespace numbers it, which need not be ours."""
    sysif = parent.sysif
    if sysif.same_thread:
        return os.geteuid(), os.getegid()
    return await near_cred.geteuid(sysif), await near_cred.getegid(sysif)


def wanted_maps(parent: ProcessTask[Any], request: SpawnRequest, rights: Rights) -> WantedMaps:
    """Return the maps, if somebody with these rights may have the namespaces."""
    flags, (capabilities, own) = request.flags & NEW_NAMESPACES, rights
    if CLONE.NEWUSER not in flags:
        if not capabilities & ADMIN:
            raise NamespaceNotAllowedError(flags, EPERM, parent)
        return NO_MAPS
    maps = IdMaps.parse(request.uid_map, request.gid_map, own)
    if request.writer is not None:
        return WantedMaps(maps)
    check_allowed(maps, own, capabilities)
    # in a common fd table it could not close what it writes them through
    return WantedMaps(maps, maps.only(own) and not request.bits & FILES)


async def write_child_maps(
    parent: ProcessTask[Any], environments: Environments, maps: IdMaps, process: ChildProcess
) -> None:
    """Write the id maps of a child in a new user namespace. Not cancellable."""
    try:
        with trio.CancelScope(shield=True):
            await write_maps(parent, environments, process.near, maps)
    except OSError as error:
        readiness = process.readiness
        assert isinstance(readiness, ChildReadiness)
        with trio.move_on_after(DYING, shield=True):
            await readiness.wait(EXITED)
        if readiness.is_dead():  # the files of one that dies can't be opened
            raise TaskLostError(process, "it died before its id maps were written") from error
        raise
