"""SignalFD: an fd from which blocked signals are read."""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import ClassVar, final, overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.signal_set import SignalSet, set_given
from rsyscall_ns.memory.arrays import array_of
from rsyscall_ns.near.abi.signal_h import SIGSET_SIZE
from rsyscall_ns.near.abi.signalfd_h import SignalfdSiginfo
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.ids import fit

__all__ = ["SignalFD"]

Signals = Sequence[SignalfdSiginfo]
SIZE = SignalfdSiginfo.sizeof()
MOST = 1 << 16


@final
class SignalFD(FileDescriptor):
    """Tells of blocked signals: of those of the task that reads, not of the one that made it."""

    __slots__ = ()
    kind: ClassVar[str] = "signalfd"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a signalfd."""
        await check_link(fd, cls.__name__, "anon_inode:[signalfd]")

    async def signalfd(self, signals: SignalSet) -> None:
        """Change which signals it tells of. ``signalfd(2)``."""
        task = self.task
        with set_given(task, signals) as mask, self.borrow() as near_id:
            await near_events.signalfd4(task.sysif, near_id, mask.address, SIGSET_SIZE, 0)

    @overload
    async def read_siginfo(self, count: int = ...) -> Signals: ...

    @overload
    async def read_siginfo(self, count: Pointer[Signals]) -> Pointer[Signals]: ...

    async def read_siginfo(self, count: int | Pointer[Signals] = 1) -> Signals | Pointer[Signals]:
        """Wait for a signal; returns it, and more if they are there, ``count`` at most.

        They are taken then. With a pointer: consumes it, and returns the part that was filled;
        the rest is freed. ``signalfd(2)``.
        """
        if isinstance(count, Pointer):
            with count.borrow(self.task) as address:
                got = await self._transfer(select.POLLIN, address, count.size())
            filled, rest = count.split(got)
            rest.free()
            return filled
        data = await self.read(fit("count", count, 1, MOST) * SIZE)
        return array_of(SignalfdSiginfo).from_bytes(data)
