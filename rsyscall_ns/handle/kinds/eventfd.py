"""EventFD: a counter that is an fd."""

from __future__ import annotations

from typing import ClassVar, final

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.near.ids import fit

__all__ = ["EventFD"]

COUNTER = 8  # bytes
HIGHEST = 2**64 - 2


@final
class EventFD(FileDescriptor):
    """A counter. It is readable while it is above 0."""

    __slots__ = ()
    kind: ClassVar[str] = "eventfd"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is an eventfd."""
        await check_link(fd, cls.__name__, "anon_inode:[eventfd]")

    async def eventfd_read(self) -> int:
        """Wait until the counter is above 0, set it to 0 and return what it was.

        In semaphore mode: take 1 off it, and return 1. ``eventfd(2)``.
        """
        return int.from_bytes(await self.read(COUNTER), "little")

    async def eventfd_write(self, value: int = 1) -> None:
        """Add to the counter; waits while it would be above 2**64 - 2. ``eventfd(2)``."""
        await self.write(fit("value", value, 0, HIGHEST).to_bytes(COUNTER, "little"))
