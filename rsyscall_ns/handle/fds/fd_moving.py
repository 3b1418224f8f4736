"""MovingFD: bytes that go from one fd to another without passing through memory of ours."""

from __future__ import annotations

from rsyscall_ns.handle.pointers.passing import Offset, offset_given
from rsyscall_ns.near.abi.splice_h import SPLICE_F
from rsyscall_ns.near.calls.base import at, c_size, int32
from rsyscall_ns.near.nr import SYS

from .fd_reading import ReadingFD

__all__ = ["MovingFD"]


class MovingFD(ReadingFD):
    """An fd that is a source or a sink of bytes. Offsets are bytes from the file's start.

    Without an offset the fd's own is used, and moves; one in a pointer's memory moves as well.
    In the interpreter's own task one call moves 16 MiB at most, so as not to hold the event loop.
    """

    __slots__ = ()

    async def sendfile(self, source: ReadingFD, count: int, offset: Offset = None) -> int:
        """Write up to ``count`` bytes of the file ``source``; returns how many. ``sendfile(2)``."""
        size = self.at_once(c_size("count", count))
        with offset_given(self.task, offset) as start:
            return await source.moving(
                self,
                SYS.sendfile,
                lambda origin, target: (target, origin, at(start.address), size),
            )

    async def splice(
        self,
        sink: ReadingFD,
        count: int,
        *,
        offset: Offset = None,
        sink_offset: Offset = None,
        flags: SPLICE_F = SPLICE_F.NONE,
    ) -> int:
        """Move up to ``count`` bytes from here into ``sink``; one of both is a pipe. ``splice(2)``.

        Returns how many; 0 is the end. With ``SPLICE_F.NONBLOCK`` it raises BlockingIOError where a
        pipe would have to be waited for.
        """
        size, how = c_size("count", count), int32("flags", flags)
        with (
            offset_given(self.task, offset) as here,
            offset_given(self.task, sink_offset) as there,
        ):
            return await self.moving(
                sink,
                SYS.splice,
                lambda origin, target: (
                    origin,
                    at(here.address),
                    target,
                    at(there.address),
                    size,
                    how,
                ),
                waits=not flags & SPLICE_F.NONBLOCK,
            )
