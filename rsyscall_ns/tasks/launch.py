"""The way of a new child from nothing to its first completed program.

The steps, and who undoes each when a later one fails or is cancelled: block (freed), doorbell
(closed), clone (killed and reaped). What the child does before it can be told anything is posted
on its ring before it is cloned, so that nobody waits for it twice. New pid and user namespaces
are made by clone; the others by the child itself, so that making them does not hold our event
loop.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from errno import EAGAIN
from functools import partial
from typing import Any, Final, Self, final

from rsyscall_ns.handle.calls.ns import not_allowed
from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.handle.processes.thread import ThreadProcess
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Results
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.doorbell import Doorbell, doorbell_pair
from rsyscall_ns.transport.posting import SERVER_SPIN, Posted, spins, start_server, wait_fd
from rsyscall_ns.transport.ring import RingInterface

from .block import ServerBlock
from .first import FirstProgram
from .idwrite import OwnMaps
from .nested import clone_there
from .orphans import end_in_table
from .readiness import ChildReadiness, ChildWatcher, reap_orphan
from .steps import BY_CLONE, NEW

__all__ = ["FILES", "Launch"]

# plain ints: a flag type's own operators are slow
FILES: Final = int(CLONE.FILES)
VM: Final = int(CLONE.VM)
NEWUSER: Final = int(CLONE.NEWUSER)
NO_LIST: Final = (0, 0)  # address and length


@final
class Launch:
    """One child on its way; ``async with`` it. ``inside``: id maps that it writes itself.

    ``arena``: what it shares with us, where it has memory of its own.
    ``cgroup``: the number of the fd of one that it starts in, with ``CLONE.INTO_CGROUP``.

    What was made of the child is undone when the block is left by an error. Otherwise the child
    must have been adopted.
    """

    __slots__ = (
        "_arena",
        "_bell",
        "_block",
        "_cgroup",
        "_flags",
        "_inside",
        "_lends",
        "_number",
        "_pid",
        "_pidfd",
        "_placed",
        "_process",
        "_shared",
        "_then",
        "_watcher",
        "first",
        "parent",
    )

    def __init__(
        self,
        parent: ProcessTask[Any],
        flags: int,
        inside: OwnMaps | None,
        arena: Arena | None = None,
        cgroup: int = 0,
    ) -> None:
        watcher = parent.watcher
        assert isinstance(watcher, ChildWatcher)
        self.parent = parent
        self._watcher = watcher
        self._flags = flags
        self._inside = inside
        self._cgroup = cgroup
        self._arena = arena or parent.arena
        # a stub has its memory shut, and id maps are written by what is not
        apart = parent.arena.apart and flags & NEWUSER
        self._shared = VM if arena is None and not apart else 0
        self._block: ServerBlock | None = None
        self._bell: Doorbell | None = None
        self._number = -1  # of the child's end of the doorbell, in the parent
        self._placed = False  # whether that is open in the parent
        self._lends = False  # whether the child makes its fd table itself, out of ours
        self._pid = 0  # of the child, when it is certain that there is one
        self._pidfd = -1  # its number in the parent, which may have died before it could tell it
        self._process: ChildProcess | None = None
        self._then: tuple[ServerBlock, Posted] | None = None  # what it serves after an exec
        self.first = FirstProgram(self._arena, flags, inside)

    def __repr__(self) -> str:
        return f"child {self._pid}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            await to_the_end(partial(self._undo, error))
        if self._bell is not None:
            self._bell.close()
        self.first.forget()

    async def start(
        self,
        kept: Sequence[int],
        block: ServerBlock | None = None,
        *,
        lasting: bool = False,
        once: bool = False,
    ) -> None:
        """Clone a child that serves, and keeps these fds; its first program is under way.

        Where it shares the parent's fd table, its end of the doorbell is an entry of that.
        ``block``: of an earlier child, to be used again. ``lasting``: it will serve for long, so
        that the size of what it has matters; it must be ``served``. ``once``: it ends after its
        first program, if that does not exec.
        """
        parent, inside = self.parent, self._inside
        block = self._block = block or ServerBlock(parent, self._arena)
        numbers = kept if inside is None else [*kept, inside.proc]
        flags = self._flags & ~(NEW & ~BY_CLONE) | self._shared
        setup = lib.RS_SETUP_ONCE if once else 0
        if parent.sysif.same_thread:
            # not where it inherits: that might be closed while it still uses our table
            own = self._bell is None and not (kept or flags & FILES)
            self._lends = lasting and own
            listed = self.first.hold_list(numbers, room=1) if numbers else NO_LIST
            self._start_here(block, flags, listed, lasting=lasting, setup=setup)
            return
        if self._bell is None:
            await self.open_doorbell()
        self._prepare(block, numbers, setup)
        try:
            made = clone_there(parent, block, flags, self._cgroup, self._lose)
            self._pid, self._pidfd = await made
        except OSError as error:
            self._refused(error, flags)
            raise
        if not flags & FILES:
            await self._close()

    def _refused(self, error: OSError, flags: int) -> None:
        """Say what it means that a clone has failed, where that is known."""
        if flags & BY_CLONE and error.errno != EAGAIN:
            raise not_allowed(error, flags & BY_CLONE, self.parent) from error

    async def open_doorbell(self) -> int:
        """Make the doorbell, as ``start`` does else; returns the number of the child's end."""
        self._bell, theirs = doorbell_pair()
        await self._place(theirs)
        return self._number

    async def adopt(self) -> ThreadProcess:
        """Have an object for the child, which serves: who leaves the block with it ends it."""
        assert self._block is not None
        process = self._process = ThreadProcess(
            self.parent,
            ids.Process(self._pid),
            used_stack=self._block.memory,
            stack_data=self._block.stack_data,
            pidfd=PidFD(self.parent, ids.FileDescriptor(self._pidfd)),
        )
        await self._watch(process)
        return process

    async def adopt_program(self) -> ChildProcess:
        """Do the same for a child that has exec'd or died, or will do nothing else."""
        self._process = self._bare_process()
        await self._watch(self._process)
        return self._process

    def leave_block(self) -> ServerBlock:
        """Return its block, which is the caller's now: the child uses it no more."""
        block, self._block = self._block, None
        assert block is not None
        return block

    async def _watch(self, process: ChildProcess) -> None:
        process.readiness = await self._watcher.watch(process.pidfd)
        self.parent.children.add(process)

    def _bare_process(self) -> ChildProcess:
        pidfd = PidFD(self.parent, ids.FileDescriptor(self._pidfd))
        return ChildProcess(self.parent, ids.Process(self._pid), pidfd=pidfd)

    def interface(self, process: ThreadProcess) -> RingInterface:
        """Make calls possible in the child; the interface owns our end of the doorbell."""
        assert self._bell is not None
        assert self._block is not None
        assert isinstance(process.readiness, ChildReadiness)
        ring = RingInterface(
            name=repr(self),
            address=self._block.address,
            doorbell=self._bell,
            server_doorbell=self._number,
            pidfd=process.readiness.poll_fd,
            hub=self._watcher.hub,
            scratch=self._arena,
        )
        self._bell = None
        process.server = ring
        return ring

    def post(self) -> None:
        """Post the first program again, which was done and is another one now."""
        assert self._block is not None
        self.first.post(self._block)

    def alone(self) -> Awaitable[Results | None]:
        """Wait for the first program: None when the child has exec'd or died of it.

        A child that shares the parent's fd table must have been adopted.
        """
        assert self._bell is not None
        assert self._block is not None
        pidfd = self._pidfd if self._lends else -1
        if self._placed and not self._lends:  # it stays open there
            assert self._process is not None
            assert isinstance(self._process.readiness, ChildReadiness)
            pidfd = self._process.readiness.poll_fd
        later = None if self._then is None else (self._then[0].ring, self._then[1])
        return self.first.alone(self._block.ring, self._bell, pidfd, later)

    def outcome(self) -> Results | None:
        """Return what ``alone`` does, of a child that is dead."""
        return None if self._block is None else self.first.outcome(self._block.ring)

    async def passed_on(self) -> int | None:
        """Wait until it has sent an fd, which is the caller's, or until its doorbell has ended."""
        assert self._bell is not None
        return await wait_fd(self._bell)

    def reap_now(self) -> bool:
        """Reap a child that is dead and was not adopted; returns whether it was."""
        if reap_orphan(self._pidfd) is None:
            return False
        os.close(self._pidfd)
        if self._block is not None:
            self._block.free()
        return True

    async def served(self) -> None:
        """Wait for the first program, which is to be followed by others; raises what failed."""
        results = await self.alone()
        if results is None:
            raise TaskLostError(self, "it died before it could be used")
        if self._lends:
            await self._close()
        self.first.forget()
        self.first.check(results, self)

    def then(self, block: ServerBlock, posted: Posted) -> None:
        """Have it serve this one once it has exec'd, in other memory; what is first is posted."""
        self._then = block, posted

    def exec_served(self, process: ThreadProcess) -> None:
        """Go on with that: it has exec'd, and serves it."""
        assert self._then is not None
        block, _ = self._then
        process.free_everything()
        block.arena.entry = block.ring.entry
        process.used_stack, process.stack_data = block.memory, block.stack_data
        process.keep(block.memory)
        self._block, self._arena = block, block.arena

    async def _undo(self, error: BaseException) -> None:
        """Leave nothing."""
        # before there was a child, it is the parent that is lost, and it may have made one
        lost = not self._pid and isinstance(error, TaskLostError)
        if self._pid:
            try:
                await self._end_child()
            except TaskLostError:
                lost = True
        if lost:
            await self._end_orphan()
        else:
            await self._close()
        if self._block is not None:
            self._block.free(self._process)

    async def _end_child(self) -> None:
        process = self._process or self._bare_process()
        if process.readiness is None:
            with suppress(OSError):  # no fd left for it: then its parent waits
                process.readiness = await self._watcher.watch(process.pidfd)
        await process.end()

    async def _end_orphan(self) -> None:
        """End a child of which nobody can say whether it exists; its parent is dead."""
        if self._bell is None or self._number < 0 or self._block is None:
            return  # the parent did not get as far
        blocks = [self._block] if self._then is None else [self._block, self._then[0]]
        for block in blocks:
            lib.rs_ring_call(block.ring, 0, 0, SYS.exit_group, 0, 0, 0, 0, 0, 0)
        holdings = self.parent.holdings
        others = [other for other in holdings.sharers if other is not self.parent]
        hub, owned = self._watcher.hub, self._process is not None
        await end_in_table(others, self._pidfd, hub, owned=owned)
        if self._placed:
            holdings.forgotten.append(self._number)  # open, if another task shares the table
        for other in list(holdings.sharers):
            with suppress(TaskLostError):
                await other.sweep()
        # the end of our socket: whoever had the other end is gone
        await self._watcher.hub.wait_ready(self._bell.fileno())

    def _lose(self, pidfd: int) -> None:
        self._pidfd = pidfd  # there is a child, but its parent has died before it could say so

    async def _place(self, theirs: int) -> None:
        """Put the child's end of the doorbell into the parent's fd table."""
        if self.parent.sysif.same_thread:
            self._number = theirs
        else:
            try:
                self._number = await self.parent.sysif.import_fd(theirs)
            finally:
                os.close(theirs)
        self._placed = True

    async def _close(self) -> None:
        """Close the child's end of the doorbell in the parent, if it is there. Idempotent."""
        if not self._placed:
            return
        self._placed = False
        if self.parent.sysif.same_thread:
            os.close(self._number)
            return
        try:
            await to_the_end(partial(self.parent.sysif.call, SYS.close, self._number))
        except TaskLostError:
            # closed with its process, unless another task shares the table: that one sweeps
            self.parent.holdings.forgotten.append(self._number)

    def _start_here(
        self, block: ServerBlock, flags: int, kept: tuple[int, int], *, lasting: bool, setup: int
    ) -> None:
        """Do all of it in one call, in a parent that is this interpreter."""
        try:
            pid, pidfd, bell = start_server(
                block.ring,
                self.first.lay_out(block),
                self._arena.entry,
                flags,
                setup=setup,
                spin=spins(SERVER_SPIN) if lasting else 0,
                kept=kept,
                theirs=self._number if self._placed else -1,
                lends=self._lends,
                cgroup=self._cgroup,
            )
        except OSError as error:
            if self._bell is not None or block.ring.made[2] >= 0:  # else there is no doorbell
                self._refused(error, flags)
            raise
        self._pid, self._pidfd = pid, pidfd
        self._number = block.ring.doorbell
        self._placed = self._lends or bool(flags & FILES)
        if self._bell is None:
            self._bell = Doorbell(bell)

    def _prepare(self, block: ServerBlock, numbers: Sequence[int], setup: int) -> None:
        own = 0 if self._flags & FILES else lib.RS_SETUP_OWN_FILES
        block.prepare(
            setup=lib.RS_SETUP_HANDLERS | own | setup,
            doorbell=self._number,
            death_signal=SIG.KILL,
            mask=0,
            kept=self.first.hold_list([self._number, *numbers]) if numbers else NO_LIST,
        )
        self.first.post(block)
