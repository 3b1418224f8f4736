"""WatchCalls: making what tells of changes to files."""

from __future__ import annotations

import trio

from rsyscall_ns.handle.kinds.fanotify import FanotifyFD
from rsyscall_ns.handle.kinds.inotify import InotifyFD
from rsyscall_ns.near.abi.fanotify_h import FAN_INIT
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.calls import events as near_events

from .fs_xattrs import XattrCalls

__all__ = ["WatchCalls"]


class WatchCalls(XattrCalls):
    """Calls that make an fd which tells of changes to files."""

    __slots__ = ()

    @trio.lowlevel.enable_ki_protection
    async def inotify_init1(self, flags: int = 0) -> InotifyFD:
        """Make an fd that tells of changes to files, close-on-exec. ``inotify_init1(2)``."""
        task = self._task
        await task.sweep()
        return InotifyFD(task, await near_events.inotify_init1(task.sysif, flags | O.CLOEXEC))

    @trio.lowlevel.enable_ki_protection
    async def fanotify_init(
        self, flags: FAN_INIT = FAN_INIT.CLASS_NOTIF, event_flags: int = O.RDONLY
    ) -> FanotifyFD:
        """Make a fanotify group, close-on-exec; so are the fds that its events bring.

        Without ``FAN_INIT.REPORT_FID`` and its relatives only root may. ``fanotify_init(2)``.
        """
        task = self._task
        await task.sweep()
        made = await near_events.fanotify_init(
            task.sysif, flags | FAN_INIT.CLOEXEC, event_flags | O.CLOEXEC
        )
        return FanotifyFD(task, made)
