"""FanotifyFD: a group that is told of what happens to files, and may be asked to allow it."""

from __future__ import annotations

from collections import deque
from typing import ClassVar, Self, final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import PathLike, borrowed, path_given
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fanotify_events import (
    FanotifyInfo,
    FanotifyPidfd,
    FanotifyRecord,
    fanotify_records,
)
from rsyscall_ns.near.abi.fanotify_h import FAN, FAN_MARK, FAN_RESPONSE, FanotifyResponse
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value
from rsyscall_ns.transport.pace import pace

from .file import FileFD
from .pidfd import PidFD

__all__ = ["FanotifyEvent", "FanotifyFD"]

EVENTS_ROOM = 4096
ERROR_SHIFT = 24  # of an errno in a response


@value
class FanotifyEvent:
    """What happened. ``file`` and ``pidfd`` are open: ``close`` them, or ``async with event``.

    ``pid``: who did it. ``info``: records of files, names, errors (``fanotify(7)``).
    """

    mask: FAN
    pid: int
    file: FileFD | None
    pidfd: PidFD | None
    info: tuple[FanotifyInfo, ...]

    async def close(self) -> None:
        """Close the fds that the event brought. Idempotent."""
        with trio.CancelScope(shield=True):
            for fd in (self.file, self.pidfd):
                if fd is not None:
                    await fd.close()
        await pace()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@final
class FanotifyFD(FileDescriptor):
    """A fanotify group (``fanotify(7)``): ``async for event in group``."""

    __slots__ = ("_next",)
    kind: ClassVar[str] = "fanotify"

    def __init__(self, task: MemoryTask, near_id: ids.FileDescriptor) -> None:
        super().__init__(task, near_id)
        self._next: deque[FanotifyEvent] = deque()  # read, but not yet iterated over

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a fanotify group: its link says so."""
        await check_link(fd, cls.__name__, "anon_inode:[fanotify]")

    async def mark(
        self,
        flags: FAN_MARK,
        mask: FAN = FAN.NONE,
        path: PathLike | None = None,
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> None:
        """Change what the group is told of; without a path, of ``dir_fd`` itself.

        ``fanotify_mark(2)``.
        """
        task = self.task
        with self.borrow() as near_id, borrowed(task, dir_fd) as directory:
            if path is None:
                await near_events.fanotify_mark(task.sysif, near_id, flags, mask, directory, None)
                return
            with path_given(task, path) as name:
                await near_events.fanotify_mark(
                    task.sysif, near_id, flags, mask, directory, name.address
                )

    @trio.lowlevel.enable_ki_protection
    async def read_events(self, size: int = EVENTS_ROOM) -> list[FanotifyEvent]:
        """Wait for events; returns those that there are, up to ``size`` bytes. ``fanotify(7)``.

        Memory of the caller's is not taken: the fds in there would belong to nobody.
        """
        await self.task.sweep()
        return [self._event(record) for record in fanotify_records(await self.read(size))]

    def _event(self, record: FanotifyRecord) -> FanotifyEvent:
        file = pidfd = None
        if record.fd >= 0:
            file = FileFD(self.task, ids.FileDescriptor(record.fd))
        for info in record.info:
            if isinstance(info, FanotifyPidfd) and info.pidfd >= 0:
                pidfd = PidFD(self.task, ids.FileDescriptor(info.pidfd))
        return FanotifyEvent(record.mask, record.pid, file, pidfd, record.info)

    async def respond(self, file: FileFD, response: FAN_RESPONSE, error: int = 0) -> None:
        """Answer a permission event, whose ``file`` this is: then the one who waits goes on.

        ``error``: the errno that one who is denied gets in place of EPERM (Linux 6.13, of a group
        of ``CLASS_PRE_CONTENT``). Closing the group allows all that was not answered.
        ``fanotify(7)``.
        """
        code = fit("error", error, 0, 255) << ERROR_SHIFT
        with file.borrow(self.task) as near_id:
            answer = FanotifyResponse(near_id.number, FAN_RESPONSE(response | code))
        await self.write(answer.pack())

    @trio.lowlevel.enable_ki_protection
    async def close(self) -> None:
        """Close the group, and what events brought that nobody has seen. Idempotent."""
        with trio.CancelScope(shield=True):
            while self._next:
                await self._next.popleft().close()
        await super().close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FanotifyEvent:
        await pace()
        while not self._next:
            self._next.extend(await self.read_events())
        return self._next.popleft()
