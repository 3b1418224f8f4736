"""spawn: a child of ours, in the namespaces that were asked for, serving calls.

The steps, and who undoes each when a later one fails: socket pair (closed), block (freed),
clone (killed and reaped), id maps, set-up program in the child. New pid and user namespaces are
made by clone; the others by the child itself, so that making them does not hold our event loop.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import EAGAIN, ENOSYS, EPERM
from typing import Any, TypeVar

import trio
from attrs import frozen

from rsyscall_ns.handle.calls.ns import NamespaceNotAllowedError, not_allowed
from rsyscall_ns.handle.clone_flags import CloneFlagsError, check_spawn_flags
from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.process_task import ProcessTask
from rsyscall_ns.handle.thread import ThreadProcess
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.mount_h import MS
from rsyscall_ns.near.abi.prctl_h import capability_header, effective_set
from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.calls import ns as near
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import lib, ring_at
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program, Ref
from rsyscall_ns.transport.doorbell import Doorbell
from rsyscall_ns.transport.hub import Hub
from rsyscall_ns.transport.ring import RingInterface

from .block import ServerBlock
from .exec import gaps
from .idmap import IdMapLike
from .idwrite import IdMaps, check_allowed, write_maps
from .readiness import ChildReadiness, ChildWatcher

__all__ = ["SpawnRequest", "start"]

T = TypeVar("T", bound=ProcessTask[ThreadProcess])
BY_CLONE = CLONE.NEWUSER | CLONE.NEWPID
VM = int(CLONE.VM)
ADMIN = 1 << 21  # CAP_SYS_ADMIN


@frozen
class SpawnRequest:
    """What was asked for, parsed and checked against itself."""

    flags: CLONE
    uid_map: IdMapLike | None
    gid_map: IdMapLike | None
    inherit: tuple[FileDescriptor, ...]

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
        return cls(flags, uid_map, gid_map, tuple(inherit))


async def start(
    parent: ProcessTask[Any],
    request: SpawnRequest,
    make: Callable[[RingInterface, ThreadProcess, CLONE], T],
) -> T:
    """Make the child and its task, which ``make`` builds; the caller ends it.

    When this fails, or is cancelled, nothing is left.
    """
    maps = await _check_allowed(parent, request)
    numbers: list[int] = []
    for fd in request.inherit:
        with fd.borrow(parent) as near_id:
            numbers.append(near_id.number)
    await trio.lowlevel.checkpoint_if_cancelled()
    task: T | None = None
    with trio.CancelScope(shield=True):
        task = await _clone_server(parent, request, make)
        try:
            if maps is not None:
                await _map_ids(parent, task, maps)
            await _set_up(task, request, numbers)
        except BaseException:
            await end(task)
            raise
    assert task is not None
    if CLONE.FILES not in request.flags:
        task.holdings.inherited = dict.fromkeys(numbers, parent.fd_table)
    return task


async def end(task: ProcessTask[ThreadProcess]) -> None:
    """Kill and reap a child and release all that it had. Not cancellable."""
    process, ring, watcher = task.process, task.sysif, task.watcher
    assert isinstance(ring, RingInterface)
    assert isinstance(watcher, ChildWatcher)
    with trio.CancelScope(shield=True):
        try:
            await process.end()
            await task.end_children()
            await watcher.states.close()
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


async def _check_allowed(parent: ProcessTask[Any], request: SpawnRequest) -> IdMaps | None:
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


async def _map_ids(
    parent: ProcessTask[Any], task: ProcessTask[ThreadProcess], maps: IdMaps
) -> None:
    try:
        await write_maps(parent, task.process.near, maps)
    except OSError as error:
        readiness = task.process.readiness
        assert isinstance(readiness, ChildReadiness)
        if readiness.is_dead():  # the files of a zombie can't be opened
            raise TaskLostError(task, "it died before its id maps were written") from error
        raise


async def _clone_server(
    parent: ProcessTask[Any],
    request: SpawnRequest,
    make: Callable[[RingInterface, ThreadProcess, CLONE], T],
) -> T:
    watcher = parent.watcher
    assert isinstance(watcher, ChildWatcher)
    shared = CLONE.FILES in request.flags
    block = ServerBlock.make(parent)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = -1
    try:
        with theirs:
            number = await parent.sysif.import_fd(theirs.fileno())
        setup = lib.RS_SETUP_HANDLERS | (0 if shared else lib.RS_SETUP_OWN_FILES)
        process = await _clone(parent, request.flags, block, ours, number, setup)
    except TaskLostError:
        # the parent died in the middle: it may have made the child before that
        parent.holdings.forgotten.append(number)  # still open, if another task shares the table
        for other in list(parent.holdings.sharers):
            with suppress(TaskLostError):
                await other.sweep()
        await _end_orphan(watcher.hub, block, ours)
        raise
    except BaseException:
        ours.close()
        block.free()
        if number >= 0:
            await parent.sysif.call(SYS.close, number)
        raise
    process.keep(block.ring)
    readiness = process.readiness
    assert isinstance(readiness, ChildReadiness)
    try:
        ring = RingInterface(
            name=f"child {process.near.id}",
            address=block.ring.near.value,
            doorbell=Doorbell(ours),
            server_doorbell=number,
            pidfd=readiness.poll_fd,
            hub=watcher.hub,
            scratch=parent.arena,
        )
    except BaseException:
        await process.end()
        ours.close()
        await parent.sysif.call(SYS.close, number)
        raise
    process.server = ring
    if not shared:
        with suppress(TaskLostError):  # closed with the process
            await parent.sysif.call(SYS.close, number)
    task = make(ring, process, request.flags)
    if shared:
        # an entry of the common table: closed in it when the child leaves it, or dies
        process.shared_doorbell = FileDescriptor(task, ids.FileDescriptor(number))
    return task


async def _end_orphan(hub: Hub, block: ServerBlock, ours: socket.socket) -> None:
    """End a child of which nobody can say whether it exists, and free its block after it."""
    lib.rs_ring_call(ring_at(block.ring.near.value), 0, 0, SYS.exit_group, 0, 0, 0, 0, 0, 0)
    # the end of our socket: whoever had the other end is gone
    await hub.wait_ready(ours.fileno())
    ours.close()
    block.free()


async def _clone(
    parent: ProcessTask[Any],
    flags: CLONE,
    block: ServerBlock,
    ours: socket.socket,
    number: int,
    setup: int,
) -> ThreadProcess:
    wanted = CLONE(int(flags) & ~int(NEW_NAMESPACES) | int(flags) & int(BY_CLONE) | VM)

    def prepare(setup: int) -> None:
        block.prepare(
            setup=setup,
            doorbell=number,
            client_doorbell=ours.fileno() if parent.sysif.same_thread else -1,
            death_signal=SIG.KILL,
            mask=0,
        )

    try:
        prepare(setup)
        try:
            return await parent.clone(wanted | CLONE.CLEAR_SIGHAND, (block.stack, block.data))
        except OSError as error:
            if error.errno != ENOSYS:
                raise
        # without clone3 the child itself puts the signal handlers back
        prepare(setup | lib.RS_SETUP_RESET)
        return await parent.clone(wanted, (block.stack, block.data))
    except OSError as error:
        if flags & BY_CLONE and error.errno != EAGAIN:
            raise not_allowed(error, flags & BY_CLONE, parent) from error
        raise


async def _set_up(
    task: ProcessTask[ThreadProcess], request: SpawnRequest, numbers: list[int]
) -> None:
    """Close what was not asked for and make the other namespaces, in one program."""
    ring = task.sysif
    assert isinstance(ring, RingInterface)
    program = Program()
    program.interruptible = False
    if CLONE.FILES not in request.flags:
        for first, last in gaps([*numbers, ring.server_doorbell]):
            program.call(SYS.close_range, first, last, 0)
    flags = request.flags & NEW_NAMESPACES & ~BY_CLONE
    unshared: Ref | None = None
    with task.transient(b"/\0") as root:
        if flags:
            unshared = program.call(SYS.unshare, flags)
        if CLONE.NEWNS in flags:
            # before the first mount: none that is made in there may reach the outside
            program.call(SYS.mount, 0, root.address.value, 0, MS.REC | MS.PRIVATE, 0)
        results = await ring.execute(program)
    try:
        results.check(ring)
    except OSError as error:
        failed = results.failure()
        if unshared is not None and failed is not None and failed[0] == unshared.step:
            raise not_allowed(error, flags, task) from error
        raise
