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
from collections.abc import Callable
from contextlib import suppress
from typing import Any, overload

import trio

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.pointers.context import LARGEST, MemoryTask
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near import ids, reap
from rsyscall_ns.near.abi.resource_h import Rusage
from rsyscall_ns.near.abi.signal_h import SIG, check_signal
from rsyscall_ns.near.abi.wait_h import CLD, SIGINFO_SIZE, ChildState, IdType, Siginfo, W
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.calls.base import checked, run
from rsyscall_ns.near.errors import ArgumentRangeError, TaskLostError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.transport.apart import to_the_end
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
from .process import Process
from .readiness import Readiness

__all__ = ["ChildProcess"]

UsageRoom = Pointer[bytes] | Pointer[Rusage]
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
        "verdict",
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
        # of a process that ends in place of another one: how that has ended
        self.verdict: Callable[[ChildState], ChildState] | None = None

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
                await near_process.kill(self.task.sysif, near_id.id, sig)

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
            await self._by_id(SYS.kill, -near_id.id, sig)

    async def _by_id(self, number: int, *args: int) -> int:
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
        self, options: W, infop: None = None, *, rusage: UsageRoom | None = None
    ) -> ChildState | None: ...

    @overload
    async def waitid(
        self, options: W, infop: Pointer[Siginfo], *, rusage: UsageRoom | None = None
    ) -> None: ...

    async def waitid(
        self,
        options: W,
        infop: Pointer[Siginfo] | None = None,
        *,
        rusage: UsageRoom | None = None,
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

    async def wait4(self, options: W = W.EXITED) -> tuple[ChildState, Rusage] | None:
        """Wait as ``waitid``; returns what it used as well, zeros if that is lost. ``wait4(2)``."""
        used = await self.task.ptr(Rusage())
        try:
            state = await self.waitid(options, rusage=used)
            return None if state is None else (state, used.peek())
        finally:
            used.free()

    async def _wait_value(self, options: int, rusage: UsageRoom | None) -> ChildState | None:
        here = self.task.sysif.same_thread and self.readiness is not None and rusage is None
        if here and options & NOHANG:
            await pace()  # otherwise it has been waited for
        async with Turn(self):
            try:
                if here and self.pidfd is not None:
                    state = reap.wait_here(self.pidfd.near.number, options)
                else:
                    state = await self._wait_there(options, rusage)
            except ChildProcessError:
                state = await self._lost_status(options)
            if state is not None and not options & NOWAIT and state.died():
                self.mark_dead(state)
            return state

    async def _wait_there(self, options: int, rusage: UsageRoom | None) -> ChildState | None:
        with self.task.transient(SIGINFO_SIZE) as buffer:
            await self._waitid(options, buffer.address.value, rusage)
            return ChildState.unpack(buffer.read())

    async def _wait_into(
        self, options: int, infop: Pointer[Siginfo], rusage: UsageRoom | None
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

    async def _waitid(self, options: int, siginfo: int, rusage: UsageRoom | None) -> None:
        """Make the call itself, never one that blocks: its result can't be lost."""
        which, id_ = PID, self.near.id
        if self.pidfd is not None:
            which, id_ = PIDFD, self.pidfd.near.number
        flags = options | NOHANG if self.readiness is not None else options
        try:
            if rusage is None:
                await checked(self.task.sysif, SYS.waitid, which, id_, siginfo, flags, 0)
                return
            fit("size of the rusage buffer", rusage.size(), Rusage.sizeof(), LARGEST)
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
        with suppress(ChildProcessError), self.task.transient(SIGINFO_SIZE) as buffer:
            await self._waitid(EXITED | NOHANG | NOWAIT, buffer.address.value, None)
            return ChildState.unpack(buffer.read()) is not None
        return False

    def parse_waitid_siginfo(self, siginfo: Siginfo) -> ChildState | None:
        """Take note of what waitid told; None when it told nothing (``pid`` is 0)."""
        self.unread_siginfo = None
        state = siginfo.child_state()
        if state is not None and state.died():
            self.mark_dead(state)
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
        known = self.death_state is not None
        while self.death_state is None:
            try:
                await self.waitid(W.EXITED)
            except ChildDeadError:
                break  # another task saw it first
        if known:
            await pace()  # otherwise it has been waited for
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

    def noticed(self, state: ChildState) -> None:
        """Remember a death that was seen by other ways than ``waitid``."""
        if state.died():
            self.mark_dead(state)

    def mark_dead(self, state: ChildState) -> None:
        """Remember the death: from now on the id is not ours."""
        self.death_state = state if self.verdict is None else self.verdict(state)
        self.unread_siginfo = None
        self.task.children.discard(self)

    @trio.lowlevel.enable_ki_protection
    async def end(self) -> None:
        """Kill and reap the child, whatever state it is in, and give back what it owned.

        Not cancellable: a SIGKILL is always obeyed, as soon as the kernel lets the child go.
        """
        if self.death_state is not None and self.release_now():
            return
        await to_the_end(self._end)

    async def _end(self) -> None:
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
                await near_process.kill(self.task.sysif, self.near.id, SIG.KILL)
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
