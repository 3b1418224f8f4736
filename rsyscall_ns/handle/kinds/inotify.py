"""InotifyFD: an fd that tells of changes to files."""

from __future__ import annotations

from collections import deque
from typing import ClassVar, Self, final, overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import PathLike, path_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.inotify_h import IN, InotifyEvent, inotify_events
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.transport.pace import pace

__all__ = ["InotifyFD"]

EVENTS_ROOM = 4096


@final
class InotifyFD(FileDescriptor):
    """Watches files and directories (``inotify(7)``): ``async for event in inotify``."""

    __slots__ = ("_next",)
    kind: ClassVar[str] = "inotify"

    def __init__(self, task: MemoryTask, near_id: ids.FileDescriptor) -> None:
        super().__init__(task, near_id)
        self._next: deque[InotifyEvent] = deque()  # read, but not yet iterated over

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is an inotify. ``readlink(2)`` of ``/proc/self/fd``."""
        await check_link(fd, cls.__name__, "anon_inode:inotify")

    async def add_watch(self, path: PathLike, mask: IN = IN.ALL_EVENTS) -> int:
        """Watch a path, or change what it is watched for; returns the watch's number.

        ``inotify_add_watch(2)``.
        """
        with path_given(self.task, path) as name, self.borrow() as near_id:
            return await near_events.inotify_add_watch(self.task.sysif, near_id, name.address, mask)

    async def rm_watch(self, watch: int) -> None:
        """Stop to watch; an event with ``IN.IGNORED`` follows. ``inotify_rm_watch(2)``."""
        with self.borrow() as near_id:
            await near_events.inotify_rm_watch(self.task.sysif, near_id, watch)

    @overload
    async def read_events(self, size: int = ...) -> list[InotifyEvent]: ...

    @overload
    async def read_events(self, size: Pointer[bytes]) -> Pointer[bytes]: ...

    async def read_events(
        self, size: int | Pointer[bytes] = EVENTS_ROOM
    ) -> list[InotifyEvent] | Pointer[bytes]:
        """Wait for events; returns those that there are, up to ``size`` bytes. ``inotify(7)``.

        With a pointer: consumes it, and returns the part that was filled, for ``inotify_events``;
        the rest is freed.
        """
        if isinstance(size, Pointer):
            return await self.read(size)
        return list(inotify_events(await self.read(size)))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> InotifyEvent:
        await pace()
        while not self._next:
            self._next.extend(await self.read_events())
        return self._next.popleft()
