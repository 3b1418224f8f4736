"""EpollFD: an fd that watches others, and tells which of them are ready."""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import ClassVar, final, overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.signal_set import SignalSet
from rsyscall_ns.handle.waiting import Limit, Mask, in_seconds, look_until, mask_given
from rsyscall_ns.memory.arrays import array_of
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.epoll_h import (
    EPIOCGPARAMS,
    EPIOCSPARAMS,
    EPOLL,
    EPOLL_CTL,
    EVENT_SIZE,
    EpollEvent,
    EpollParams,
)
from rsyscall_ns.near.abi.signal_h import SIGSET_SIZE
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.ids import FileDescriptor as FileNumber

__all__ = ["EpollFD"]

Events = Sequence[EpollEvent]
MOST = 1 << 20  # events at once
AT_ONCE = 64
FOREVER = -1
LONGEST = 2**31 - 1  # milliseconds


@final
class EpollFD(FileDescriptor):
    """Watches fds of its own fd table.

    What it watches is the open file: it stays watched while any copy of the fd is open, and is
    forgotten with the last one.
    """

    __slots__ = ()
    kind: ClassVar[str] = "epoll"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is an epoll."""
        await check_link(fd, cls.__name__, "anon_inode:[eventpoll]")

    async def epoll_ctl(
        self,
        op: EPOLL_CTL,
        fd: FileDescriptor,
        event: EpollEvent | Pointer[EpollEvent] | None = None,
    ) -> None:
        """Add, change or remove an fd that is watched. ``epoll_ctl(2)``."""
        task = self.task
        what = event.pack() if isinstance(event, EpollEvent) else event
        with self.borrow() as near_id, fd.borrow(task) as other, given(task, what) as there:
            await near_events.epoll_ctl(task.sysif, near_id, op, other, there.address)

    async def add(self, fd: FileDescriptor, events: EPOLL, data: int = 0) -> None:
        """Watch an fd; ``data`` comes with its events. ``epoll_ctl(2)``, EPOLL_CTL_ADD."""
        await self.epoll_ctl(EPOLL_CTL.ADD, fd, EpollEvent(events, data))

    async def modify(self, fd: FileDescriptor, events: EPOLL, data: int = 0) -> None:
        """Change what an fd is watched for. ``epoll_ctl(2)``, EPOLL_CTL_MOD."""
        await self.epoll_ctl(EPOLL_CTL.MOD, fd, EpollEvent(events, data))

    async def delete(self, fd: FileDescriptor) -> None:
        """Watch an fd no more. ``epoll_ctl(2)``, EPOLL_CTL_DEL."""
        await self.epoll_ctl(EPOLL_CTL.DEL, fd)

    @overload
    async def epoll_wait(self, maxevents: int = ..., timeout: int = ...) -> Events: ...

    @overload
    async def epoll_wait(
        self, maxevents: Pointer[Events], timeout: int = ...
    ) -> Pointer[Events]: ...

    async def epoll_wait(
        self,
        maxevents: int | Pointer[Events] = AT_ONCE,
        timeout: int = FOREVER,
    ) -> Events | Pointer[Events]:
        """Wait for events, ``timeout`` milliseconds at most; -1: for ever. ``epoll_wait(2)``.

        Returns at most ``maxevents``, none when the time is over. With a pointer: consumes it,
        and returns the part that was filled; the rest is freed.
        """
        return await self._wait(maxevents, milliseconds(timeout), None)

    @overload
    async def epoll_pwait(
        self, maxevents: int = ..., timeout: int = ..., sigmask: SignalSet | None = ...
    ) -> Events: ...

    @overload
    async def epoll_pwait(
        self,
        maxevents: Pointer[Events],
        timeout: int = ...,
        sigmask: SignalSet | None = ...,
    ) -> Pointer[Events]: ...

    async def epoll_pwait(
        self,
        maxevents: int | Pointer[Events] = AT_ONCE,
        timeout: int = FOREVER,
        sigmask: SignalSet | None = None,
    ) -> Events | Pointer[Events]:
        """Wait as ``epoll_wait`` does, with these signals blocked and no others.

        In a child only, if there is a mask. ``epoll_wait(2)``.
        """
        mask = mask_given(self.task, "epoll_pwait", sigmask)
        return await self._wait(maxevents, milliseconds(timeout), mask)

    @overload
    async def epoll_pwait2(
        self,
        maxevents: int = ...,
        timeout: Limit = ...,
        sigmask: SignalSet | None = ...,
    ) -> Events: ...

    @overload
    async def epoll_pwait2(
        self,
        maxevents: Pointer[Events],
        timeout: Limit = ...,
        sigmask: SignalSet | None = ...,
    ) -> Pointer[Events]: ...

    async def epoll_pwait2(
        self,
        maxevents: int | Pointer[Events] = AT_ONCE,
        timeout: Limit = None,
        sigmask: SignalSet | None = None,
    ) -> Events | Pointer[Events]:
        """Wait as ``epoll_pwait`` does, for a time with nanoseconds; None: for ever.

        ``epoll_wait(2)``.
        """
        mask = mask_given(self.task, "epoll_pwait2", sigmask)
        return await self._wait(maxevents, timeout, mask)

    async def _wait(
        self,
        maxevents: int | Pointer[Events],
        timeout: Limit | int,
        mask: Mask,
    ) -> Events | Pointer[Events]:
        """``timeout``: an int is in milliseconds, None for ever."""
        task = self.task
        if isinstance(maxevents, Pointer):
            into, most = maxevents, maxevents.size() // EVENT_SIZE
        else:
            into, most = None, maxevents
        fit("maxevents", most, 1, MOST)
        with room(task, array_of(EpollEvent), into, most * EVENT_SIZE) as there:

            async def call(until: Limit | int) -> int:
                with self.borrow() as near_id:
                    return await epoll_call(self, near_id, there.address, most, until, mask)

            async def ready() -> None:
                await task.sysif.wait_ready(self.near.number, select.POLLIN)

            if task.sysif.same_thread:
                limit = (
                    timeout / 1000
                    if isinstance(timeout, int)
                    else in_seconds(timeout, "epoll_pwait2", task.sysif)
                )
                got = await look_until(limit, lambda: call(0), ready)
            else:
                got = await call(timeout)
            return there.result(got * EVENT_SIZE)

    @overload
    async def get_params(self) -> EpollParams: ...

    @overload
    async def get_params(self, into: Pointer[EpollParams]) -> Pointer[EpollParams]: ...

    async def get_params(
        self, into: Pointer[EpollParams] | None = None
    ) -> EpollParams | Pointer[EpollParams]:
        """Return how it polls network devices. ``ioctl_eventpoll(2)``, EPIOCGPARAMS."""
        with self.borrow() as near_id, room(self.task, struct_of(EpollParams), into) as there:
            await near_fd.ioctl(self.task.sysif, near_id, EPIOCGPARAMS, there.address.value)
            return there.result()

    async def set_params(self, params: EpollParams | Pointer[EpollParams]) -> None:
        """Set how it polls network devices. ``ioctl_eventpoll(2)``, EPIOCSPARAMS."""
        with self.borrow() as near_id, given(self.task, params) as there:
            address = 0 if there.address is None else there.address.value
            await near_fd.ioctl(self.task.sysif, near_id, EPIOCSPARAMS, address)


async def epoll_call(
    epoll: EpollFD,
    near_id: FileNumber,
    address: Address,
    most: int,
    until: Limit | int,
    mask: Mask,
) -> int:
    """Make the call that has the timeout in this form."""
    task = epoll.task
    precise = None if isinstance(until, int) else until
    with given(task, mask) as sigmask, given(task, precise) as time:
        if until is None or isinstance(until, int):
            limit = FOREVER if until is None else until
            return await near_events.epoll_pwait(
                task.sysif, near_id, address, most, limit, sigmask.address, SIGSET_SIZE
            )
        return await near_events.epoll_pwait2(
            task.sysif, near_id, address, most, time.address, sigmask.address, SIGSET_SIZE
        )


def milliseconds(timeout: int) -> int | None:
    """Return a timeout of epoll_wait; None is for ever."""
    return None if timeout == FOREVER else fit("timeout", timeout, 0, LONGEST)
