"""The way of a new child from nothing to its first completed program.

The steps, and who undoes each when a later one fails or is cancelled: block (freed), doorbell
(closed), clone (killed and reaped). What the child does before it can be told anything is posted
on its ring before it is cloned, so that nobody waits for it twice. New pid and user namespaces
are made by clone; the others by the child itself, so that making them does not hold our event
loop.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Sequence
from contextlib import suppress
from errno import EAGAIN, EINVAL, ENOSYS
from typing import Any, Final, Self, final

import trio

from rsyscall_ns.handle.calls.ns import RootNotMountedError, not_allowed
from rsyscall_ns.handle.context import MemoryTask, Transient
from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.process_task import ProcessTask
from rsyscall_ns.handle.thread import ThreadProcess
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.mount_h import MS
from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES, clone_args
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import Ring, lib
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program, Ref, Results
from rsyscall_ns.transport.doorbell import Doorbell, doorbell_pair
from rsyscall_ns.transport.posting import Posted, post_on, start_server, wait_alone
from rsyscall_ns.transport.ring import RingInterface

from .block import STACK_SIZE, ServerBlock
from .readiness import ChildReadiness, ChildWatcher, reap_orphan

__all__ = ["FILES", "NEW", "FirstProgram", "Launch"]

# plain ints: a flag type's own operators are slow
NEW: Final = int(NEW_NAMESPACES)
BY_CLONE: Final = int(CLONE.NEWUSER | CLONE.NEWPID)
FILES: Final = int(CLONE.FILES)
VM: Final = int(CLONE.VM)
NEWNS: Final = int(CLONE.NEWNS)
CLEAR_SIGHAND: Final = int(CLONE.CLEAR_SIGHAND)
EMPTY: Final = Program()
EMPTY.interruptible = False
PRIVATE: Final = int(MS.REC | MS.PRIVATE)
PIDFD: Final = int(CLONE.PIDFD)
PARENT_SETTID: Final = int(CLONE.PARENT_SETTID)
CLONED: Final = struct.Struct("<ii")  # pidfd, pid
INT: Final = 4  # bytes


@final
class FirstProgram:
    """What a child does first: it makes its namespaces, all but those that clone has made.

    ``program`` is None where there are none to make. Owns the memory that the child needs.
    """

    __slots__ = ("_arena", "_flags", "_held", "_posted", "_unshared", "program", "steps")

    def __init__(self, arena: Arena, flags: int) -> None:
        self._arena = arena
        self._flags = flags & NEW & ~BY_CLONE
        self._held: list[Transient] = []
        self._unshared: Ref | None = None
        self._posted: Posted | None = None
        self.program = self._program() if self._flags else None
        self.steps = 0  # where its steps lie already, if they do

    def hold(self, content: bytes) -> int:
        """Place bytes where the child sees them; returns their address."""
        memory = Transient(self._arena, content).__enter__()
        self._held.append(memory)
        return memory.address.value

    def post(self, block: ServerBlock) -> None:
        """Post it on the ring of a server, which need not have been started."""
        if self._posted is not None:
            self._posted.release()
        if self.program is not None:
            self._posted = post_on(block.ring, self._arena, self.program, self.steps)

    def or_nothing(self) -> Self:
        """Have at least an empty program: it is done as soon as the child serves."""
        if self.program is None:
            self.program = EMPTY
        return self

    def _program(self) -> Program:
        program = Program()
        program.interruptible = False
        self._unshared = program.call(SYS.unshare, self._flags)
        if self._flags & NEWNS:
            # before the first mount: none that is made in there may reach the outside
            program.call(SYS.mount, 0, self.hold(b"/\0"), 0, PRIVATE, 0)
        return program

    async def finish(self, ring: RingInterface) -> None:
        """Wait for it; raises what went wrong."""
        assert self._posted is not None
        results = await ring.finish(self._posted)
        self.forget()
        self.check(results, ring)

    async def alone(self, ring: Ring, doorbell: Doorbell) -> Results | None:
        """Wait for it without an interface: None when the child has exec'd or died of it."""
        assert self._posted is not None
        return await wait_alone(ring, doorbell, self._posted)

    def check(self, results: Results, where: object) -> None:
        """Raise the error of a namespace that could not be made."""
        failed = results.failure()
        if failed is None or self._unshared is None or failed[0] > self._unshared.step + 1:
            return
        try:
            results.check(where)
        except OSError as error:
            if failed[0] == self._unshared.step:
                raise not_allowed(error, self._flags, where) from error
            if error.errno == EINVAL:
                raise RootNotMountedError(where) from error
            raise

    def forget(self) -> None:
        """Free its memory: the child is done with it, dead, or was never made. Idempotent."""
        while self._held:
            self._held.pop().__exit__()
        if self._posted is not None:
            self._posted.release()


@final
class Launch:
    """One child on its way: what has been made of it, and what undoes that."""

    __slots__ = (
        "_bell",
        "_block",
        "_first",
        "_flags",
        "_number",
        "_parent",
        "_pidfd",
        "_process",
        "_watcher",
    )

    def __init__(self, parent: ProcessTask[Any], flags: int, first: FirstProgram) -> None:
        watcher = parent.watcher
        assert isinstance(watcher, ChildWatcher)
        self._parent = parent
        self._watcher = watcher
        self._flags = flags
        self._block = ServerBlock(parent)
        self._first = first
        self._bell: Doorbell | None = None
        self._number = -1  # of the child's end of the doorbell, in the parent
        self._pidfd = -1  # its number in a parent that died before it could tell it
        self._process: ThreadProcess | None = None

    async def run(self, kept: Sequence[int]) -> ThreadProcess:
        """Clone a child that serves, and keeps these fds; its first program is under way.

        Where it shares the parent's fd table, its end of the doorbell is an entry of that.
        """
        try:
            self._bell, theirs = doorbell_pair()
            await self._place(theirs)
            self._prepare(kept)
            process = await self._clone()
            process.readiness = await self._watcher.watch(process.pidfd)
        except BaseException as error:
            with trio.CancelScope(shield=True):
                await self._undo(lost=isinstance(error, TaskLostError))
            raise
        self._parent.children.add(process)
        if not self._flags & FILES:
            await self._close()
        return process

    def interface(self, process: ThreadProcess) -> RingInterface:
        """Make calls possible in the child; the interface owns our end of the doorbell."""
        assert self._bell is not None
        assert isinstance(process.readiness, ChildReadiness)
        ring = RingInterface(
            name=f"child {process.near.id}",
            address=self._block.address,
            doorbell=self._bell,
            server_doorbell=self._number,
            pidfd=process.readiness.poll_fd,
            hub=self._watcher.hub,
            scratch=self._parent.arena,
        )
        self._bell = None
        process.server = ring
        return ring

    def post(self) -> None:
        """Post the first program again, which was done and is another one now."""
        self._first.post(self._block)

    async def alone(self) -> Results | None:
        """Wait for the first program: None when the child has exec'd or died of it."""
        assert self._bell is not None
        return await self._first.alone(self._block.ring, self._bell)

    def close(self) -> None:
        """Close our end of the doorbell, unless an interface owns it. Idempotent."""
        if self._bell is not None:
            self._bell.close()

    async def _undo(self, *, lost: bool) -> None:
        """Leave nothing. ``lost``: the parent is, and may have made the child before that."""
        if self._process is not None and not lost:
            try:
                await self._process.end()
            except TaskLostError:
                lost = True
        if lost:
            await self._end_orphan()
        else:
            await self._close()
        self.close()
        self._block.free()
        self._first.forget()

    async def _end_orphan(self) -> None:
        """End a child of which nobody can say whether it exists; its parent is dead."""
        if self._bell is None or self._number < 0:
            return  # the parent did not get as far
        lib.rs_ring_call(self._block.ring, 0, 0, SYS.exit_group, 0, 0, 0, 0, 0, 0)
        holdings = self._parent.holdings
        for other in list(holdings.sharers):
            if other is not self._parent:
                with suppress(TaskLostError):
                    await self._end_in_table(other)
                    break
        holdings.forgotten.append(self._number)  # still open, if another task shares the table
        for other in list(holdings.sharers):
            with suppress(TaskLostError):
                await other.sweep()
        # the end of our socket: whoever had the other end is gone
        await self._watcher.hub.wait_ready(self._bell.fileno())

    async def _end_in_table(self, other: MemoryTask) -> None:
        """End it by the pidfd that clone has put into a table which another task shares.

        Where it shares that table too, the doorbell can't tell its end.
        """
        if self._pidfd < 0:
            return  # it was not made
        here = await other.sysif.export_fd(self._pidfd)
        try:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(here, signal.SIGKILL)
            await self._watcher.hub.wait_ready(here)
            reap_orphan(here)
        finally:
            os.close(here)
        if self._process is None:  # else a handle owns it
            await other.sysif.call(SYS.close, self._pidfd)

    async def _place(self, theirs: int) -> None:
        """Put the child's end of the doorbell into the parent's fd table."""
        if self._parent.sysif.same_thread:
            self._number = theirs
            return
        try:
            self._number = await self._parent.sysif.import_fd(theirs)
        finally:
            os.close(theirs)

    async def _close(self) -> None:
        """Close the child's end of the doorbell in the parent, if it got there."""
        if self._number < 0:
            return
        if self._parent.sysif.same_thread:
            os.close(self._number)
            return
        with trio.CancelScope(shield=True):
            try:
                await self._parent.sysif.call(SYS.close, self._number)
            except TaskLostError:
                # closed with its process, unless another task shares the table: that one sweeps
                self._parent.holdings.forgotten.append(self._number)

    def _prepare(self, numbers: Sequence[int]) -> None:
        kept = (0, 0)
        if numbers:
            every = sorted({self._number, *numbers})
            kept = self._first.hold(struct.pack(f"<{len(every)}i", *every)), len(every)
        own = 0 if self._flags & FILES else lib.RS_SETUP_OWN_FILES
        self._block.prepare(
            setup=lib.RS_SETUP_HANDLERS | own,
            doorbell=self._number,
            death_signal=SIG.KILL,
            mask=0,
            kept=kept,
        )
        self._first.post(self._block)

    async def _clone(self) -> ThreadProcess:
        parent, flags = self._parent, self._flags & ~(NEW & ~BY_CLONE) | VM
        try:
            if parent.sysif.same_thread:
                pid, pidfd = start_server(self._block.ring, flags)
            else:
                pid, pidfd = await self._clone_there(flags)
        except OSError as error:
            if flags & BY_CLONE and error.errno != EAGAIN:
                raise not_allowed(error, flags & BY_CLONE, parent) from error
            raise
        self._process = ThreadProcess(
            parent,
            ids.Process(pid),
            used_stack=self._block.memory,
            stack_data=self._block.stack_data,
            pidfd=PidFD(parent, ids.FileDescriptor(pidfd)),
        )
        return self._process

    async def _clone_there(self, flags: int) -> tuple[int, int]:
        """Clone in a parent that is a child itself."""
        block, parent = self._block, self._parent
        with parent.transient(CLONED.pack(0, 0)) as cloned:

            def arguments(flags: int, parent_tid: int = 0) -> bytes:
                return clone_args(
                    flags=flags | PIDFD,
                    stack=block.stack,
                    stack_size=STACK_SIZE,
                    pidfd=cloned.address.value,
                    parent_tid=parent_tid,
                    exit_signal=SIG.CHLD,
                )

            try:
                # the pid is written when it is certain that there is a child, the pidfd before
                with_pid = arguments(flags | PARENT_SETTID | CLEAR_SIGHAND, (cloned + INT).value)
                pid = await parent.clone_at(with_pid)
            except TaskLostError:
                pidfd, pid = CLONED.unpack(cloned.read())
                self._pidfd = pidfd if pid else -1
                raise
            except OSError as error:
                if error.errno != ENOSYS:
                    raise
                # without clone3 the child itself puts the signal handlers back
                lib.rs_ring_add_setup(block.ring, lib.RS_SETUP_RESET)
                pid = await parent.clone_at(arguments(flags))
            pidfd, _ = CLONED.unpack(cloned.read())
            self._pidfd = pidfd
            return pid, pidfd
