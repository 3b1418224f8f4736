"""Tracee: a thread that the task traces, from its seizing to its being let go.

Owns the states of it, and how its stops become known::

    runs --stop, seen by wait--> stopped --cont, syscall ...--> runs
    runs --death, seen by wait--> ended
    stopped --detach--> let go

What can be asked of one that is stopped is in ``traced.py``.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EINVAL, ENOENT
from typing import Self, overload

import trio

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.arrays import UINT64
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.pidfd_h import PIDFD
from rsyscall_ns.near.abi.ptrace_h import PTRACE, PTRACE_EVENT, PTRACE_O, TraceStop
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.abi.wait_h import CLD, SIGINFO_SIZE, ChildState, IdType, W
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.errors import RsyscallError, TaskLostError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.pace import pace

from .child_errors import ChildDeadError
from .process_handle import ProcessHandle
from .readiness import Readiness, Watching

__all__ = ["Tracee", "TraceeRunsError"]

BORN = {PTRACE_EVENT.FORK, PTRACE_EVENT.VFORK, PTRACE_EVENT.CLONE}
CHANGES = int(W.STOPPED | W.EXITED)
STOPPED = TraceStop(SIG.TRAP, PTRACE_EVENT.STOP)


class TraceeRunsError(RsyscallError):
    """Something was asked of a traced process that only a stopped one can be asked."""

    def __init__(self, what: str, process: object, state: ChildState | None) -> None:
        why = "runs: await traced.wait() first" if state is None else f"has ended, it {state}"
        super().__init__(f"{what}: {process} {why}")


class Tracee:
    """A traced thread, as far as its stops go."""

    __slots__ = (
        "_asked",
        "_looking",
        "_pidfd",
        "_readiness",
        "ended",
        "gone",
        "options",
        "process",
        "seized",
        "stopped",
        "tracees",
    )

    def __init__(
        self, process: ProcessHandle, options: PTRACE_O | None = None, *, seized: bool = True
    ) -> None:
        """``seized``: by ``PTRACE_SEIZE``; else it has asked to be traced."""
        self.process = process
        self.seized = seized
        self._asked = False  # not seized, and sent a SIGSTOP that it has not stopped by yet
        self.options = PTRACE_O.TRACESYSGOOD | (options or 0)
        self.stopped: TraceStop | None = None
        self.ended: ChildState | None = None
        self.gone = False  # let go, or not to be waited for any more
        self.tracees: list[Self] = []
        self._pidfd: PidFD | None = None
        self._readiness: Readiness | None = None
        self._looking = trio.Lock()  # who sees the end takes it: others would find no process

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Self:
        """Begin to trace it, or wait for its first stop if it has begun that. ``ptrace(2)``."""
        end = self._close
        try:
            if self.seized:
                await self._open()
                await self._ask(PTRACE.SEIZE, 0, int(self.options))
            else:
                await to_the_end(self._open)  # it is traced already, and must be let go
                end = self._end
                if isinstance(await self.wait(), TraceStop):
                    await self.request(PTRACE.SETOPTIONS, 0, int(self.options))
        except BaseException:
            await to_the_end(end)
            raise
        return self

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *_: object) -> None:
        await to_the_end(self._end)

    @trio.lowlevel.enable_ki_protection
    async def _open(self) -> None:
        task = self.process.task
        assert isinstance(task, Watching), "every task of ours can wait"
        try:
            self._pidfd = await self.process.pidfd_open()
        except OSError as error:
            if error.errno not in {EINVAL, ENOENT}:
                raise
            self._pidfd = await self.process.pidfd_open(PIDFD.THREAD)  # it leads no group
        self._readiness = await task.watcher.watch(self._pidfd)

    async def _close(self) -> None:
        if self._readiness is not None:
            self._readiness.close()
        if self._pidfd is not None:
            with suppress(TaskLostError):
                await self._pidfd.close()

    # its stops

    @trio.lowlevel.enable_ki_protection
    async def wait(self) -> TraceStop | ChildState:
        """Wait until it stops or ends; returns at once when that was seen already. ``waitid(2)``.

        A process that the kernel has begun to trace because of its parent is in ``tracees`` then.
        """
        await pace()
        while (found := self.stopped or self.ended) is None:
            self._check_there("wait")
            assert self._readiness is not None, "it was opened"
            await self._readiness.wait(CHANGES)
            async with self._looking:
                if (self.stopped or self.ended) is None:  # else another one has seen it
                    try:
                        await self._look()
                    except ChildDeadError as error:  # its parent has seen it before us
                        self.ended = error.state
        return found

    async def _look(self) -> None:
        task, pidfd = self.process.task, self._pidfd
        assert pidfd is not None, "it was opened"
        async with self.process.turn():
            with task.transient(SIGINFO_SIZE) as buffer, pidfd.borrow(task) as number:
                options = CHANGES | W.NOHANG
                try:
                    await near_process.waitid(
                        task.sysif, IdType.PIDFD, number.number, buffer.address, options, None
                    )
                except ChildProcessError:
                    if self.ended is not None:
                        return  # it was seen elsewhere
                    self.gone = True  # somebody else has taken its status
                    raise
                state = ChildState.unpack(buffer.read())
            if state is None:
                return
            if state.died():
                self.ended = state
                self.process.noticed(state)
            elif state.code is CLD.TRAPPED:
                self.stopped = self._stop_of(TraceStop.of(state.status))
        if self.stopped is not None and self.stopped.event in BORN:
            await to_the_end(self._adopt)

    def _stop_of(self, stop: TraceStop) -> TraceStop:
        if self._asked and stop == TraceStop(SIG.STOP):
            self._asked = False
            return STOPPED  # as it is where it was seized
        return stop

    async def _adopt(self: Self) -> None:
        """Own what the kernel has begun to trace: it stops as soon as it exists."""
        process = self.process.another(ids.Process(await self.geteventmsg()))
        born = self.__class__(process, self.options, seized=self.seized)
        born._asked = not self.seized  # noqa: SLF001 - one of us; the kernel has sent it
        self.tracees.append(born)
        await born._open()  # noqa: SLF001 - one of us

    @overload
    async def geteventmsg(self) -> int: ...

    @overload
    async def geteventmsg(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def geteventmsg(self, *, into: Pointer[int] | None = None) -> int | Pointer[int]:
        """Return what belongs to the event: the id of the new process, the exit status ...

        ``PTRACE_GETEVENTMSG``, ``ptrace(2)``.
        """
        with room(self.process.task, UINT64, into) as there:
            await self.request(PTRACE.GETEVENTMSG, 0, there.address.value)
            return there.result()

    async def interrupt(self) -> None:
        """Stop it; ``wait`` tells when it has. ``PTRACE_INTERRUPT``, ``ptrace(2)``."""
        self._check_there("interrupt")
        if self.seized:
            await self._ask(PTRACE.INTERRUPT, 0, 0)
        elif not self._asked:
            await self.process.tgkill(self.process.near.id, SIG.STOP)
            self._asked = True

    # requests

    async def request(self, request: PTRACE, addr: int = 0, data: int = 0) -> int:
        """Ask the stopped thread for anything else; addresses are the task's. ``ptrace(2)``."""
        if self.stopped is None:
            raise TraceeRunsError(request.name, self.process, self.ended)
        return await self._ask(request, addr, data)

    async def _ask(self, request: PTRACE, addr: int, data: int) -> int:
        async with self.process.turn() as near_id:
            sysif = self.process.task.sysif
            try:
                return await near_process.ptrace(sysif, request, near_id, addr, data)
            except ProcessLookupError:
                self.stopped = None  # it was killed: what is left is to wait for that
                raise

    @trio.lowlevel.enable_ki_protection
    async def resume(self, request: PTRACE, sig: int | None) -> None:
        """Let it go on in some way, with a signal: None, the one that it has stopped by."""
        stopped = self.stopped
        if stopped is None:
            raise TraceeRunsError(request.name, self.process, self.ended)
        data = stopped.delivers if sig is None else fit("signal", sig, 0, 64)
        await self._ask(request, 0, data)
        self.stopped = None

    @trio.lowlevel.enable_ki_protection
    async def detach(self, sig: int | None = None) -> None:
        """Let it go: it goes on and is traced no more. ``PTRACE_DETACH``, ``ptrace(2)``.

        ``sig``: the signal that it gets; by default the one that it has stopped by.
        """
        await self.resume(PTRACE.DETACH, sig)
        self.gone = True

    def _check_there(self, what: str) -> None:
        if self.gone or self.ended is not None:
            raise TraceeRunsError(what, self.process, self.ended)

    # the end of it

    async def _end(self) -> None:
        """Let it and all that came of it go, each where it is, whatever it does."""
        try:
            await self._end_tracees()  # one that waits for its vforked child stops for nobody
            with suppress(TaskLostError, ChildDeadError, ChildProcessError):
                await self._let_go()
            await self._end_tracees()
        finally:
            await self._close()

    async def _end_tracees(self) -> None:
        while self.tracees:
            await self.tracees.pop()._end()  # noqa: SLF001 - one of us

    async def _let_go(self) -> None:
        while self.ended is None and not self.gone:
            if self.stopped is None:
                with suppress(ProcessLookupError):  # it is dying
                    await self.interrupt()
                await self.wait()
            else:
                with suppress(ProcessLookupError):  # it was killed
                    # not before it has stopped by what it was sent: it would stop afterwards
                    await (self.resume(PTRACE.CONT, None) if self._asked else self.detach())
