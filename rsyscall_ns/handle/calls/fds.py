"""``task.fds``: fds that no path leads to, and waiting for several at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import final

import attrs
import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.fd_sets import WORD, in_fd_set, pack_fd_set
from rsyscall_ns.handle.kinds.epoll import EpollFD
from rsyscall_ns.handle.kinds.eventfd import EventFD
from rsyscall_ns.handle.kinds.file import FileFD
from rsyscall_ns.handle.kinds.memfd import MemFD
from rsyscall_ns.handle.kinds.perf_event import PerfEventFD
from rsyscall_ns.handle.kinds.timerfd import TimerFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import borrowed, given, path_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.processes.process_handle import ProcessHandle
from rsyscall_ns.handle.signal_set import SignalSet
from rsyscall_ns.handle.waiting import Limit, Mask, any_ready, in_seconds, look_until, mask_given
from rsyscall_ns.memory.arrays import array_of
from rsyscall_ns.near.abi.eventfd_h import EFD
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.memfd_h import MFD
from rsyscall_ns.near.abi.perf_event_h import PERF_FLAG, PerfEventAttr
from rsyscall_ns.near.abi.poll_h import POLL, Pollfd
from rsyscall_ns.near.abi.signal_h import SIGSET_SIZE
from rsyscall_ns.near.abi.time_h import CLOCK, Timespec
from rsyscall_ns.near.abi.timerfd_h import TFD
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["FDs", "PollFD"]

FOREVER = -1
NOTHING = POLL(0)
LONGEST = 2**31 - 1  # milliseconds
FDList = list[FileDescriptor]
POLLFDS = array_of(Pollfd)


@value
class PollFD:
    """An fd that is polled, for what, and what it was ready for."""

    fd: FileDescriptor
    events: POLL
    revents: POLL = NOTHING


@final
class FDs:
    """System calls that make fds of their own kinds, and poll."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def epoll_create1(self, flags: int = 0) -> EpollFD:
        """Make an fd that watches others, close-on-exec. ``epoll_create(2)``."""
        await self._task.sweep()
        made = await near_events.epoll_create1(self._task.sysif, flags | O.CLOEXEC)
        return EpollFD(self._task, made)

    @trio.lowlevel.enable_ki_protection
    async def eventfd(self, initval: int = 0, flags: EFD = EFD.CLOEXEC) -> EventFD:
        """Make a counter, close-on-exec. ``EFD.SEMAPHORE``: reading takes 1. ``eventfd(2)``."""
        count = fit("initval", initval, 0, 2**32 - 1)
        await self._task.sweep()
        made = await near_events.eventfd2(self._task.sysif, count, flags | EFD.CLOEXEC)
        return EventFD(self._task, made)

    @trio.lowlevel.enable_ki_protection
    async def timerfd_create(
        self, clockid: CLOCK = CLOCK.MONOTONIC, flags: TFD = TFD.CLOEXEC
    ) -> TimerFD:
        """Make a timer that runs by a clock, close-on-exec. ``timerfd_create(2)``."""
        await self._task.sweep()
        made = await near_events.timerfd_create(self._task.sysif, clockid, flags | TFD.CLOEXEC)
        return TimerFD(self._task, made)

    @trio.lowlevel.enable_ki_protection
    async def memfd_create(self, name: str | Pointer[bytes], flags: MFD = MFD.CLOEXEC) -> MemFD:
        """Make an empty file in memory, close-on-exec. ``memfd_create(2)``.

        ``name`` is only shown, in ``/proc``.
        """
        task = self._task
        await task.sweep()
        with path_given(task, name) as there:
            made = await near_fd.memfd_create(task.sysif, there.address, flags | MFD.CLOEXEC)
            return MemFD(task, made)

    @trio.lowlevel.enable_ki_protection
    async def memfd_secret(self, flags: int = 0) -> FileFD:
        """Make a file whose memory nobody sees who does not map it, close-on-exec.

        It can only be sized and mapped. ``memfd_secret(2)``.
        """
        await self._task.sweep()
        made = await near_fd.memfd_secret(self._task.sysif, flags | O.CLOEXEC)
        return FileFD(self._task, made)

    @trio.lowlevel.enable_ki_protection
    async def perf_event_open(
        self,
        attr: PerfEventAttr | Pointer[PerfEventAttr],
        process: ProcessHandle | None = None,
        cpu: int = -1,
        group: PerfEventFD | None = None,
        flags: PERF_FLAG = PERF_FLAG.FD_CLOEXEC,
    ) -> PerfEventFD:
        """Count events of a process (None: the task), close-on-exec. ``perf_event_open(2)``.

        ``cpu``: on that processor only; -1: on all. ``group``: the leader of those that are
        counted together.
        """
        task = self._task
        await task.sweep()
        number = fit("cpu", cpu, -1, 2**31 - 1)
        async with AsyncExitStack() as stack:
            near = None if process is None else await stack.enter_async_context(process.turn())
            leader = stack.enter_context(borrowed(task, group))
            there = stack.enter_context(given(task, attr))
            made = await near_fd.perf_event_open(
                task.sysif,
                there.address,
                0 if near is None else near.id,
                number,
                leader,
                flags | PERF_FLAG.FD_CLOEXEC,
            )
            return PerfEventFD(task, made)

    async def poll(
        self,
        fds: Sequence[PollFD],
        timeout: int = FOREVER,
    ) -> list[PollFD]:
        """Wait until one is ready, ``timeout`` milliseconds at most; -1: for ever. ``poll(2)``.

        Returns those that are, with their ``revents``: none when the time is over. Closing one of
        them meanwhile does not end the wait.
        """
        wait = None if timeout == FOREVER else fit("timeout", timeout, 0, LONGEST)
        return await self._poll(fds, None if wait is None else Timespec.of(wait / 1000), None)

    async def ppoll(
        self,
        fds: Sequence[PollFD],
        timeout: Limit = None,
        sigmask: SignalSet | None = None,
    ) -> list[PollFD]:
        """Wait as ``poll`` does, with these signals blocked and no others; None: for ever.

        In a child only, if there is a mask. In memory of the caller's a child's kernel leaves what
        was left of the time. ``poll(2)``.
        """
        return await self._poll(fds, timeout, mask_given(self._task, "ppoll", sigmask))

    async def pselect(
        self,
        readfds: Sequence[FileDescriptor],
        writefds: Sequence[FileDescriptor] = (),
        exceptfds: Sequence[FileDescriptor] = (),
        timeout: Limit = None,
        sigmask: SignalSet | None = None,
    ) -> tuple[FDList, FDList, FDList]:
        """Return which can be read, written, and are exceptional; waits for one. ``select(2)``.

        ``timeout`` and ``sigmask`` are as with ``ppoll``. Numbers above 1023 do as well.
        """
        task = self._task
        mask = mask_given(task, "pselect", sigmask)
        sets = (readfds, writefds, exceptfds)
        if not task.sysif.same_thread:
            return await select_once(task, sets, timeout, mask)
        wanted = ((readfds, POLL.IN), (writefds, POLL.OUT), (exceptfds, POLL.PRI))
        found: list[tuple[FDList, FDList, FDList]] = []

        async def look() -> bool:
            found[:] = [await select_once(task, sets, Timespec(), None)]
            return any(found[0])

        async def ready() -> None:
            pairs = [(fd.near.number, int(bit)) for fds, bit in wanted for fd in fds]
            await any_ready(task, pairs)

        await look_until(in_seconds(timeout, "pselect6", task.sysif), look, ready)
        return found[0]

    async def _poll(
        self,
        fds: Sequence[PollFD],
        timeout: Limit,
        mask: Mask,
    ) -> list[PollFD]:
        task = self._task

        async def call(until: Limit) -> list[PollFD]:
            with ExitStack() as stack:
                items = [
                    Pollfd(stack.enter_context(one.fd.borrow(task)).number, one.events)
                    for one in fds
                ]
                block = stack.enter_context(task.transient(POLLFDS.to_bytes(items)))
                time = stack.enter_context(given(task, until))
                sigmask = stack.enter_context(given(task, mask))
                await near_fd.ppoll(
                    task.sysif,
                    block.address if items else None,
                    len(items),
                    time.address,
                    sigmask.address,
                    SIGSET_SIZE,
                )
                filled = POLLFDS.from_bytes(block.read())
            return [
                attrs.evolve(one, revents=POLL(found.revents))
                for one, found in zip(fds, filled, strict=True)
                if found.revents
            ]

        if not task.sysif.same_thread:
            return await call(timeout)

        async def ready() -> None:
            await any_ready(task, [(one.fd.near.number, int(one.events)) for one in fds])

        limit = in_seconds(timeout, "ppoll", task.sysif)
        return await look_until(limit, lambda: call(Timespec()), ready)


async def select_once(
    task: MemoryTask,
    sets: Sequence[Sequence[FileDescriptor]],
    timeout: Limit,
    mask: Mask,
) -> tuple[FDList, FDList, FDList]:
    """Make the call."""
    with ExitStack() as stack:
        numbers = [[stack.enter_context(fd.borrow(task)).number for fd in fds] for fds in sets]
        n = max((number + 1 for some in numbers for number in some), default=0)
        blocks = [stack.enter_context(task.transient(pack_fd_set(some, n))) for some in numbers]
        time = stack.enter_context(given(task, timeout))
        sigmask = stack.enter_context(given(task, mask))
        place = 0 if sigmask.address is None else sigmask.address.value
        both = b"".join(word.to_bytes(WORD, "little") for word in (place, SIGSET_SIZE))
        pair = stack.enter_context(given(task, both))
        read, write, special = (block.address for block in blocks)
        await near_fd.pselect6(task.sysif, n, read, write, special, time.address, pair.address)
        one, two, three = (
            [fd for fd, number in zip(fds, some, strict=True) if in_fd_set(block.read(), number)]
            for fds, some, block in zip(sets, numbers, blocks, strict=True)
        )
        return one, two, three
