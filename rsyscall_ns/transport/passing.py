"""How fds travel between us and the process that serves a ring: one at a time, by its doorbell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from errno import EAGAIN, EINVAL, EMFILE
from functools import partial
from typing import Final, Protocol, final

import trio

from rsyscall_ns.near.errors import TaskLostError, kernel_error
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.near.nr import SYS

from .apart import to_the_end
from .doorbell import MESSAGE_SIZE, Doorbell, control_fd, message
from .scratch import ScratchMemory

__all__ = ["Passing"]

MSG_DONTWAIT: Final = 0x40
MSG_NOSIGNAL: Final = 0x4000
MSG_CMSG_CLOEXEC: Final = 0x40000000


class Calling(Protocol):
    """The process: what makes its calls."""

    async def call(self, number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, /) -> int: ...


@final
class Passing:
    """Both directions. Borrows the doorbell, and its other end ``there``, a number there."""

    __slots__ = ("_doorbell", "_passing", "_pidfd", "_scratch", "_stuck", "_there")

    def __init__(self, doorbell: Doorbell, there: int, pidfd: int, scratch: ScratchMemory) -> None:
        """``pidfd``: -1 for a thread."""
        self._doorbell = doorbell
        self._there = there
        self._pidfd = pidfd
        self._scratch = scratch
        self._passing: trio.Lock | None = None
        self._stuck = False  # whether an fd that we sent lies there, where nobody took it

    def _passes(self) -> trio.Lock:
        if self._passing is None:
            self._passing = trio.Lock()
        return self._passing

    async def export_fd(self, process: Calling, number: int, look: Callable[[], None]) -> int:
        """Have the process send us one of its fds; ``look`` takes it out of the doorbell."""
        async with self._passes():
            base = self._scratch.take(MESSAGE_SIZE)
            try:
                self._scratch.view(base, MESSAGE_SIZE)[:] = message(base, number)
                flags = MSG_NOSIGNAL | MSG_DONTWAIT
                result = await process.call(SYS.sendmsg, self._there, base, flags)
            finally:
                self._scratch.give_back(base, MESSAGE_SIZE)
            if result == -EINVAL and self._pidfd >= 0:  # no socket takes an io_uring
                result = lib.rs_direct_call(SYS.pidfd_getfd, self._pidfd, number, 0, 0, 0, 0)
                if result < 0:
                    raise kernel_error(-result, "pidfd_getfd", "this interpreter")
                return result
            if result < 0:
                raise kernel_error(-result, "sendmsg", process)
            look()  # before our fd may lie the news that another call waits for
            received = self._doorbell.take_fd()
            if received is None:
                raise kernel_error(EMFILE, "recvmsg", "this interpreter")
            return received

    async def import_fd(self, process: Calling, number: int) -> int:
        """Send one of our fds to the process."""
        async with self._passes():
            if self._stuck:
                await self._take_out(process)
            base = self._scratch.take(MESSAGE_SIZE)
            try:
                self._scratch.view(base, MESSAGE_SIZE)[:] = message(base, -1)
                try:
                    self._doorbell.send_fd(number)
                except (BrokenPipeError, ConnectionResetError) as error:
                    raise TaskLostError(process, "it has exec'd or died") from error
                flags = MSG_CMSG_CLOEXEC | MSG_DONTWAIT
                # what was sent must be taken out again, or the next one would get it
                result = await to_the_end(
                    partial(process.call, SYS.recvmsg, self._there, base, flags)
                )
                if result < 0:
                    self._stuck = True
                    with suppress(OSError):  # then the next one tries, before it sends
                        await to_the_end(partial(self._take_out, process))
                received = control_fd(bytes(self._scratch.view(base, MESSAGE_SIZE)))
            finally:
                self._scratch.give_back(base, MESSAGE_SIZE)
            if result < 0:
                raise kernel_error(-result, "recvmsg", process)
            if received is None:
                raise kernel_error(EMFILE, "recvmsg", process)
            return received

    async def _take_out(self, process: Calling) -> None:
        """Have the process drop an fd that was sent and could not be received."""
        result = await process.call(SYS.recvfrom, self._there, 0, 0, MSG_DONTWAIT)
        if result < 0 and result != -EAGAIN:
            raise kernel_error(-result, "recvfrom", process)
        self._stuck = False
