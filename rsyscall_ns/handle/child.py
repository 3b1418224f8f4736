"""ChildProcess: a child of one of our tasks, waited for and signalled without races.

A child's id stays its own until it was reaped, and only its parent task reaps it: through this
object. So everything that touches the id goes through ``borrow()``::

    alive --borrow--> in use --end--> alive
    alive --waitid--> unread siginfo --parse--> alive, or dead when it tells of the death
    dead: refuses every borrow

Between a waitid and the reading of its siginfo nobody can know whether the id still exists, so
nothing may touch it. With a pidfd the kernel guarantees the same once more.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, overload

import trio

from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.signal_h import SIG, check_signal
from rsyscall_ns.near.abi.wait_h import CLD, SIGINFO_SIZE, ChildState, IdType, Siginfo, W
from rsyscall_ns.near.calls import process as near
from rsyscall_ns.near.calls.base import checked, run
from rsyscall_ns.near.errors import ArgumentRangeError, TaskLostError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.transport.pace import pace

from .child_borrow import Borrow, Calls, Turn
from .child_errors import (
    ChildDeadError,
    ChildEndedError,
    ChildNotEndedError,
    ExitStatusLostError,
    NoSiginfoError,
    NoStateChangeError,
    UnreadSiginfoError,
)
from .context import LARGEST, MemoryTask
from .kinds.pidfd import PidFD
from .pointer import Pointer
from .process import NICE, PRIO_PROCESS, Process
from .readiness import Readiness

__all__ = ["ChildProcess"]

RUSAGE_SIZE = 144
PID, PIDFD = int(IdType.PID), int(IdType.PIDFD)
# plain ints: a flag type's own operators are slow
STATES = int(W.EXITED | W.STOPPED | W.CONTINUED)
NOHANG, NOWAIT, EXITED = int(W.NOHANG), int(W.NOWAIT), int(W.EXITED)


class ChildProcess(Process):
    """A child of ``task``. ``pidfd`` refers to it in that task's fd table."""

    __slots__ = (
        "calls",
        "command",
        "death_state",
        "in_use",
        "pidfd",
        "readiness",
        "unread_siginfo",
    )

    def __init__(
        self,
        task: MemoryTask,
        near_id: ids.Process,
        *,
        pidfd: PidFD | None = None,
        readiness: Readiness | None = None,
    ) -> None:
        """Take over the duty to reap the child; ``pidfd`` and ``readiness`` are owned too."""
        super().__init__(task, near_id)
        self.pid_namespace = task.pid_for_children
        self.pidfd = pidfd
        self.readiness = readiness
        self.death_state: ChildState | None = None
        self.unread_siginfo: Pointer[Siginfo] | None = None
        self.in_use = False
        self.command: Any = None
        self.calls = Calls()

    def _id(self) -> int:
        return self.near.id

    def borrow(self) -> Borrow:
        """Use the child's id. Refused: when it is dead, in use, or has an unread siginfo."""
        return Borrow(self)

    def check_known_alive(self) -> None:
        """Refuse what is known to be dead, or may be by a siginfo that nobody has read."""
        if self.death_state is not None:
            raise ChildDeadError(self, self.death_state)
        if self.unread_siginfo is not None:
            raise UnreadSiginfoError(self)

    def turn(self) -> Turn:
        """Borrow, after the calls of other tasks that are under way: each is short."""
        return Turn(self)

    # signals and groups

    async def kill(self, sig: int = SIG.KILL) -> None:
        """Signal the child; it can't hit anyone else. ``pidfd_send_signal(2)``, ``kill(2)``."""
        check_signal(sig)
        async with self.turn() as near_id:
            if self.pidfd is not None:
                await self.pidfd.send_signal(sig)
            else:
                await near.kill(self.task.sysif, near_id.id, sig)

    async def send_signal(self, sig: int) -> None:
        """Signal the child: another name for ``kill``."""
        await self.kill(sig)

    async def terminate(self) -> None:
        """Send SIGTERM."""
        await self.kill(SIG.TERM)

    async def killpg(self, sig: int) -> None:
        """Signal the process group that the child leads. ``kill(2)``."""
        check_signal(sig)
        async with self.turn() as near_id:
            await self._guarded(SYS.kill, -near_id.id, sig)

    async def getpgid(self) -> ids.ProcessGroup:
        """Return the child's process group. ``getpgid(2)``."""
        async with self.turn() as near_id:
            return ids.ProcessGroup(await self._guarded(SYS.getpgid, near_id.id))

    async def setpgid(self, pgid: ChildProcess | None = None) -> None:
        """Put the child into the group that ``pgid`` leads; None: a group of its own.

        Both children are borrowed; they must be of one pid namespace. ``setpgid(2)``.
        """
        if pgid is None or pgid is self:
            async with self.turn() as near_id:
                await self._guarded(SYS.setpgid, near_id.id, near_id.id)
            return
        self.task.check_pid_namespace(pgid, pgid.pid_namespace)
        # always in the same order: two children that join each other must not wait for ever
        first, second = sorted((self, pgid), key=lambda child: child.near.id)
        async with first.turn(), second.turn():
            await self._guarded(SYS.setpgid, self.near.id, pgid.near.id)

    async def setpriority(self, prio: int) -> None:
        """Set the nice value, -20 to 19. ``setpriority(2)``."""
        nice = fit("nice value", prio, *NICE)
        async with self.turn() as near_id:
            await self._guarded(SYS.setpriority, PRIO_PROCESS, near_id.id, nice)

    async def getpriority(self) -> int:
        """Return the nice value. ``getpriority(2)``."""
        async with self.turn() as near_id:
            return 20 - await self._guarded(SYS.getpriority, PRIO_PROCESS, near_id.id)

    async def _guarded(self, number: int, *args: int) -> int:
        """Make a call by id, in one program with a look by pidfd that the child still has it.

        Somebody who waits for any child may have reaped this one: then the id can be another's.
        """
        program = Program()
        if self.pidfd is not None:
            program.call(SYS.pidfd_send_signal, self.pidfd.near.number, 0, 0, 0)
        made = program.call(number, *args)
        return (await run(self.task.sysif, program)).value(made)

    # waiting

    @overload
    async def waitid(
        self, options: W, infop: None = None, *, rusage: Pointer[bytes] | None = None
    ) -> ChildState | None: ...

    @overload
    async def waitid(
        self, options: W, infop: Pointer[Siginfo], *, rusage: Pointer[bytes] | None = None
    ) -> None: ...

    async def waitid(
        self,
        options: W,
        infop: Pointer[Siginfo] | None = None,
        *,
        rusage: Pointer[bytes] | None = None,
    ) -> ChildState | None:
        """Wait for a change of the child's state. ``waitid(2)``.

        Without ``infop`` returns the ``ChildState``, or None with ``W.NOHANG`` when there is
        none. With ``infop`` fills it: it becomes ``unread_siginfo``, to be read by
        ``read_siginfo``. While this only waits, nothing is borrowed.
        """
        bits = int(options)
        if not bits & STATES:
            raise ArgumentRangeError("options (of EXITED, STOPPED, CONTINUED)", options, 1, 15)
        while True:
            if not bits & NOHANG:
                self.check_known_alive()  # refused before the wait, not after it
                if self.readiness is not None:
                    await self.readiness.wait(bits)
            if infop is not None:
                if await self._wait_into(bits, infop, rusage):
                    return None
            else:
                state = await self._wait_value(bits, rusage)
                if state is not None or bits & NOHANG:
                    return state

    async def _wait_value(self, options: int, rusage: Pointer[bytes] | None) -> ChildState | None:
        async with self.turn():
            with self.task.transient(SIGINFO_SIZE) as buffer:
                try:
                    await self._waitid(options, buffer.address.value, rusage)
                    state = ChildState.unpack(buffer.read())
                except ChildProcessError:
                    state = await self._lost_status(options)
            if state is not None and not options & NOWAIT:
                self._record(state)
            return state

    async def _wait_into(
        self, options: int, infop: Pointer[Siginfo], rusage: Pointer[bytes] | None
    ) -> bool:
        """Make one call; returns whether it is the answer."""
        fit("size of the siginfo buffer", infop.size(), SIGINFO_SIZE, LARGEST)
        async with self.turn():
            try:
                infop.poke(Siginfo())
                with infop.borrow(self.task) as address:
                    await self._waitid(options, address.value, rusage)
            except ChildProcessError:
                state = await self._lost_status(options)
                infop.poke(Siginfo(SIG.CHLD, 0, state.code, state.pid, state.uid, state.status))
            found = infop.peek().pid != 0
            if found or options & NOHANG:
                self.unread_siginfo = infop
                return True
            return False

    async def _waitid(self, options: int, siginfo: int, rusage: Pointer[bytes] | None) -> None:
        """Make the call itself, never one that blocks: its result can't be lost."""
        which, id_ = PID, self.near.id
        if self.pidfd is not None:
            which, id_ = PIDFD, self.pidfd.near.number
        flags = options | NOHANG if self.readiness is not None else options
        try:
            if rusage is None:
                await checked(self.task.sysif, SYS.waitid, which, id_, siginfo, flags, 0)
                return
            fit("size of the rusage buffer", rusage.size(), RUSAGE_SIZE, LARGEST)
            with rusage.borrow(self.task) as usage:
                await checked(self.task.sysif, SYS.waitid, which, id_, siginfo, flags, usage.value)
        except ChildProcessError as error:
            error.filename = str(self.near.id)
            raise

    async def _lost_status(self, options: int) -> ChildState:
        """Ask the kernel for the status of a child that somebody else has reaped."""
        if not options & EXITED and await self._is_zombie():
            raise ChildEndedError(self, self.near.id)
        status: int | None = None
        if self.pidfd is not None and self.pidfd.valid:
            with trio.CancelScope(shield=True):
                status = await self.pidfd.exit_status()
        if status is None:
            raise ExitStatusLostError(self, self.near.id)
        return ChildState.from_wait_status(self.near.id, os.getuid(), status)

    async def _is_zombie(self) -> bool:
        with self.task.transient(SIGINFO_SIZE) as buffer:
            try:
                await self._waitid(EXITED | NOHANG | NOWAIT, buffer.address.value, None)
                return ChildState.unpack(buffer.read()) is not None
            except ChildProcessError:
                return False

    def _record(self, state: ChildState) -> None:
        if state.died():
            self.mark_dead(state)

    def parse_waitid_siginfo(self, siginfo: Siginfo) -> ChildState | None:
        """Take note of what waitid told; None when it told nothing (``pid`` is 0)."""
        self.unread_siginfo = None
        state = siginfo.child_state()
        if state is not None:
            self._record(state)
        return state

    async def read_siginfo(self) -> ChildState | None:
        """Read and parse the buffer that ``waitid`` filled; it stays the caller's."""
        if self.unread_siginfo is None:
            raise NoSiginfoError(self)
        return self.parse_waitid_siginfo(await self.unread_siginfo.read())

    async def read_state_change(self) -> ChildState:
        """Like ``read_siginfo``, but raise NoStateChangeError when nothing was told."""
        state = await self.read_siginfo()
        if state is None:
            raise NoStateChangeError(self)
        return state

    async def wait(self) -> ChildState:
        """Wait for the child's death; returns at once when it was seen already."""
        while self.death_state is None:
            try:
                await self.waitid(W.EXITED)
            except ChildDeadError:
                break  # another task saw it first
        await pace()
        assert self.death_state is not None
        return self.death_state

    async def check(self) -> ChildState:
        """Wait for the child's death; raise UncleanExitError unless it exited with 0."""
        state = await self.wait()
        state.check(self)
        return state

    # what has become of it

    def did_exec(self, command: object) -> None:
        """Remember what the child runs now."""
        self.command = command

    def mark_dead(self, state: ChildState) -> None:
        """Remember the death: from now on the id is not ours."""
        self.death_state = state
        self.unread_siginfo = None

    async def end(self) -> None:
        """Kill and reap the child, whatever state it is in, and give back what it owned.

        Not cancellable: a SIGKILL is always obeyed, as soon as the kernel lets the child go.
        """
        if self.death_state is not None and self.release_now():
            return
        with trio.CancelScope(shield=True):
            if self.death_state is None:
                await self._kill_and_reap()
            if self.readiness is not None:
                self.readiness.close()
            if self.pidfd is not None and self.pidfd.valid:
                with suppress(TaskLostError):  # the table has gone with its process
                    await self.pidfd.close()

    def release_now(self) -> bool:
        """Give back what a dead child owned, if that takes no waiting; returns whether it did."""
        if self.pidfd is not None and not self.pidfd.close_now():
            return False
        if self.readiness is not None:
            self.readiness.close()
        return True

    def abandon(self) -> None:
        """Give back what is needed to wait for it: it can't be ended, and nobody will try again."""
        if self.readiness is not None:
            self.readiness.close()

    async def _kill_and_reap(self) -> None:
        """Whoever holds a borrow or has not read a siginfo: the child ends now."""
        self.unread_siginfo = None
        try:
            if self.readiness is not None:
                # from here, whatever its parent is doing; by pidfd, so that it can't miss
                self.readiness.kill()
                await self.readiness.wait(EXITED)
            else:
                await near.kill(self.task.sysif, self.near.id, SIG.KILL)
        except ProcessLookupError:
            pass  # reaped by somebody else already
        except PermissionError as error:
            raise ChildNotEndedError(self.near.id) from error
        async with self.calls:
            if self.death_state is None:  # else another task was faster to wait for it
                self.mark_dead(await self._reap())

    async def _reap(self) -> ChildState:
        """Take the status of a child that is dead, from the kernel if somebody else reaped it."""
        with self.task.transient(SIGINFO_SIZE) as buffer:
            try:
                await self._waitid(EXITED, buffer.address.value, None)
                state = ChildState.unpack(buffer.read())
                if state is not None:
                    return state
            except ChildProcessError:
                pass
            except TaskLostError:
                if self.readiness is not None and (state := self.readiness.reap()):
                    return state
        with suppress(ExitStatusLostError, TaskLostError):
            return await self._lost_status(EXITED)
        # nobody knows, and nobody asked: what we have sent, unless it was dead before
        return ChildState(CLD.KILLED, self.near.id, 0, SIG.KILL)
