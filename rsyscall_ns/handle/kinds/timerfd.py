"""TimerFD: a timer that is an fd."""

from __future__ import annotations

from typing import ClassVar, final, overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.time_h import Itimerspec
from rsyscall_ns.near.abi.timerfd_h import TFD, TFD_IOC_SET_TICKS
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.ids import fit

__all__ = ["TimerFD"]

COUNTER = 8  # bytes


@final
class TimerFD(FileDescriptor):
    """A timer. It is readable once it has expired."""

    __slots__ = ()
    kind: ClassVar[str] = "timerfd"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a timerfd."""
        await check_link(fd, cls.__name__, "anon_inode:[timerfd]")

    @overload
    async def timerfd_settime(
        self, new: Itimerspec | Pointer[Itimerspec], flags: TFD = ...
    ) -> Itimerspec: ...

    @overload
    async def timerfd_settime(
        self,
        new: Itimerspec | Pointer[Itimerspec],
        flags: TFD = ...,
        *,
        into: Pointer[Itimerspec],
    ) -> Pointer[Itimerspec]: ...

    async def timerfd_settime(
        self,
        new: Itimerspec | Pointer[Itimerspec],
        flags: TFD = TFD(0),  # noqa: B008 - a constant
        *,
        into: Pointer[Itimerspec] | None = None,
    ) -> Itimerspec | Pointer[Itimerspec]:
        """Arm the timer, or disarm it (a value of 0); returns what was left. ``timerfd_create(2)``.

        ``flags``: with ``TFD.TIMER_ABSTIME`` the value is a time of the timer's clock.
        """
        task = self.task
        with (
            self.borrow() as near_id,
            given(task, new) as there,
            room(task, struct_of(Itimerspec), into) as old,
        ):
            await near_events.timerfd_settime(
                task.sysif, near_id, flags, there.address, old.address
            )
            return old.result()

    @overload
    async def timerfd_gettime(self) -> Itimerspec: ...

    @overload
    async def timerfd_gettime(self, into: Pointer[Itimerspec]) -> Pointer[Itimerspec]: ...

    async def timerfd_gettime(
        self, into: Pointer[Itimerspec] | None = None
    ) -> Itimerspec | Pointer[Itimerspec]:
        """Return how long the timer has to go, all 0 if it is disarmed. ``timerfd_create(2)``."""
        task = self.task
        with self.borrow() as near_id, room(task, struct_of(Itimerspec), into) as there:
            await near_events.timerfd_gettime(task.sysif, near_id, there.address)
            return there.result()

    async def expirations(self) -> int:
        """Wait until it has expired; returns how often since it was last asked or set.

        With ``TFD.TIMER_CANCEL_ON_SET`` an OSError of ECANCELED: the clock was set.
        ``timerfd_create(2)``.
        """
        return int.from_bytes(await self.read(COUNTER), "little")

    async def set_ticks(self, count: int) -> None:
        """Let it have expired so often. ``timerfd_create(2)``, TFD_IOC_SET_TICKS."""
        ticks = fit("count", count, 1, 2**64 - 1).to_bytes(COUNTER, "little")
        await self.ioctl_bytes(TFD_IOC_SET_TICKS, ticks)
