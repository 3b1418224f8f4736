"""spawn: a child of ours, in the namespaces that were asked for, serving calls; and its end.

What is asked for is checked first, then ``launch`` makes the child, then its id maps are written;
meanwhile it makes its namespaces. When one of the steps fails, or is cancelled, it is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import EPERM
from typing import Any, TypeVar

import trio
from attrs import frozen

from rsyscall_ns.handle.calls.ns import NamespaceNotAllowedError
from rsyscall_ns.handle.clone_flags import CloneFlagsError, check_spawn_flags
from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.process_task import ProcessTask
from rsyscall_ns.handle.thread import ThreadProcess
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.prctl_h import capability_header, effective_set
from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES
from rsyscall_ns.near.abi.wait_h import W
from rsyscall_ns.near.calls import ns as near
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.transport.pace import pace
from rsyscall_ns.transport.ring import RingInterface

from .idmap import IdMapLike
from .idwrite import IdMaps, check_allowed, write_maps
from .launch import FILES, NEW, FirstProgram, Launch
from .readiness import ChildReadiness, ChildWatcher

__all__ = ["SpawnRequest", "check_namespaces", "end", "start", "write_child_maps"]

T = TypeVar("T", bound=ProcessTask[ThreadProcess])
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
    bits: int  # the flags again, as a plain int: a flag type's own operators are slow

    @classmethod
    def make(
        cls,
        flags: CLONE,
        uid_map: IdMapLike | None,
        gid_map: IdMapLike | None,
        inherit: Sequence[FileDescriptor],
    ) -> SpawnRequest:
        """Refuse what can't work."""
        check_spawn_flags(flags)
        if CLONE.NEWUSER in flags:
            IdMaps.parse(uid_map, gid_map, (0, 0))  # whose ids they are is asked for later
        elif not (uid_map is None and gid_map is None):
            raise CloneFlagsError(flags, "an id map needs CLONE.NEWUSER")
        return cls(flags, uid_map, gid_map, tuple(inherit), int(flags))


async def start(
    parent: ProcessTask[Any],
    request: SpawnRequest,
    make: Callable[[RingInterface, ThreadProcess], T],
) -> T:
    """Make the child and its task, which ``make`` builds; the caller ends it.

    When this fails, or is cancelled, nothing is left.
    """
    maps = await check_namespaces(parent, request) if request.bits & NEW else None
    await pace()
    numbers: list[int] = []
    for fd in request.inherit:
        with fd.borrow(parent) as near_id:
            numbers.append(near_id.number)
    first = FirstProgram(parent.arena, request.bits).or_nothing()
    launch = Launch(parent, request.bits, first)
    process = await launch.run(numbers)
    try:
        ring = launch.interface(process)
    except BaseException:
        with trio.CancelScope(shield=True):
            await process.end()
        launch.close()
        first.forget()
        raise
    task = make(ring, process)
    if request.bits & FILES:
        # an entry of the common table: closed in it when the child leaves it, or dies
        process.shared_doorbell = FileDescriptor(task, ids.FileDescriptor(ring.server_doorbell))
    try:
        if maps is not None:
            await write_child_maps(parent, process, maps)
        await first.finish(ring)
    except BaseException:
        await end(task)
        first.forget()
        raise
    if numbers and not request.bits & FILES:
        task.holdings.inherited = dict.fromkeys(numbers, parent.fd_table)
    return task


async def end(task: ProcessTask[ThreadProcess]) -> None:
    """Kill and reap a child and release all that it had. Not cancellable."""
    process, ring, watcher = task.process, task.sysif, task.watcher
    assert isinstance(ring, RingInterface)
    assert isinstance(watcher, ChildWatcher)
    if process.death_state is not None and _end_now(task, ring, watcher):
        return
    with trio.CancelScope(shield=True):
        try:
            try:
                await process.end()
            finally:
                await task.end_children()
                await watcher.close()
        finally:
            ring.close()
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


async def check_namespaces(parent: ProcessTask[Any], request: SpawnRequest) -> IdMaps | None:
    """Refuse what this user may not do, as far as it can be known before anything is started.

    Returns the id maps of a new user namespace.
    """
    flags = request.flags & NEW_NAMESPACES
    if not flags:
        return None
    with parent.transient(capability_header()) as block:
        await near.capget(parent.sysif, block.address, block + 8)
        capabilities = effective_set(block.read())
    if CLONE.NEWUSER not in flags:
        if not capabilities & ADMIN:
            raise NamespaceNotAllowedError(flags, EPERM, parent)
        return None
    # as the parent's own user namespace numbers them, which need not be ours
    own = await near.geteuid(parent.sysif), await near.getegid(parent.sysif)
    maps = IdMaps.parse(request.uid_map, request.gid_map, own)
    check_allowed(maps, own, capabilities)
    return maps


async def write_child_maps(parent: ProcessTask[Any], process: ThreadProcess, maps: IdMaps) -> None:
    """Write the id maps of a child in a new user namespace. Not cancellable."""
    try:
        with trio.CancelScope(shield=True):
            await write_maps(parent, process.near, maps)
    except OSError as error:
        readiness = process.readiness
        assert isinstance(readiness, ChildReadiness)
        with trio.move_on_after(DYING, shield=True):
            await readiness.wait(EXITED)
        if readiness.is_dead():  # the files of one that dies can't be opened
            raise TaskLostError(process, "it died before its id maps were written") from error
        raise
