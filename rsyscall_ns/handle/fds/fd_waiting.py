"""WaitingFD: calls on an fd that may block, made without ever blocking the event loop."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from rsyscall_ns.handle.patience import Patience
from rsyscall_ns.handle.pointers.owned import OwnedFD
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import F_GETFL, F_SETFL, O
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls.base import MASK, checked
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program

__all__ = ["WaitingFD"]

R = TypeVar("R")
MOST_HERE: Final = 1 << 24  # bytes
Arguments = Callable[[int, int], tuple[int, ...]]


class WaitingFD(OwnedFD):
    """An owned fd whose calls wait in trio where they would block the loop."""

    __slots__ = ()

    async def without_blocking(
        self, events: int, attempt: Callable[[ids.FileDescriptor], Awaitable[R]]
    ) -> R:
        """Make a call that fails where it would block, and wait until it is worth another try.

        While this only waits, nothing is borrowed.
        """
        patience: Patience | None = None
        while True:
            with self.borrow() as near_id:
                try:
                    return await attempt(near_id)
                except BlockingIOError:
                    if not self.task.sysif.same_thread:
                        raise
            patience = patience or Patience()
            await patience.wait(partial(self.task.sysif.wait_ready, self.near.number, events))

    async def nonblocking_call(self, near_id: ids.FileDescriptor, number: int, *args: int) -> int:
        """Make a call on the fd that, in the loop's own thread, fails where it would block.

        The flag is of the open file, which others may use: it is set for the time of one program,
        which nothing of ours can interrupt.
        """
        fd = near_id.number
        if not self.task.sysif.same_thread:
            return await checked(self.task.sysif, number, fd, *args)
        flags = await near_fd.fcntl(self.task.sysif, near_id, F_GETFL, 0)
        program = Program()
        program.call(SYS.fcntl, fd, F_SETFL, flags | O.NONBLOCK)
        made = program.call(number, fd, *args, must_succeed=False)
        program.call(SYS.fcntl, fd, F_SETFL, flags)
        return (await self.task.sysif.execute(program)).require(made, self.task.sysif)

    def at_once(self, count: int) -> int:
        """Return how many bytes one call is to move: in the loop's own thread not too many."""
        return min(count, MOST_HERE) if self.task.sysif.same_thread else count

    def waits_here(self) -> bool:
        """Tell whether a call on the fd could block the event loop."""
        return self.task.sysif.same_thread and self._may_block()

    def _may_block(self) -> bool:
        if self._slow is None:
            mode = os.fstat(self.near.number).st_mode
            self._slow = not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
        return self._slow

    async def moving(
        self, sink: WaitingFD, number: int, make: Arguments, *, waits: bool = True
    ) -> int:
        """Make a call that takes bytes from this fd and puts them into ``sink``.

        ``make`` is given both numbers and returns all arguments. In the loop's own thread it
        waits until both fds are ready, unless ``waits`` is false; elsewhere the call itself waits.
        """
        task = self.task
        while True:
            with self.borrow() as near_source, sink.borrow(task) as near_sink:
                source, target = near_source.number, near_sink.number
                slow = [fd for fd in (self, sink) if fd.waits_here()]
                try:
                    return await self._unblocked(slow, number, *make(source, target))
                except BlockingIOError:
                    if not slow or not waits:
                        raise
            if self in slow:
                await task.sysif.wait_ready(self.near.number, select.POLLIN)
            if sink in slow:
                await task.sysif.wait_ready(sink.near.number, select.POLLOUT)

    async def _unblocked(self, fds: list[WaitingFD], number: int, *args: int) -> int:
        """Make a call that fails where it would block on one of ``fds``."""
        sysif = self.task.sysif
        if not fds:
            return await checked(sysif, number, *args)
        before = [(fd.near.number, await near_fd.fcntl(sysif, fd.near, F_GETFL)) for fd in fds]
        program = Program()
        for fd, flags in before:
            program.call(SYS.fcntl, fd, F_SETFL, flags | O.NONBLOCK)
        made = program.call(number, *[arg & MASK for arg in args], must_succeed=False)
        for fd, flags in reversed(before):
            program.call(SYS.fcntl, fd, F_SETFL, flags)
        return (await sysif.execute(program)).require(made, sysif)
