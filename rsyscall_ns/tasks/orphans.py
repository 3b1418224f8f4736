"""The end of a child whose parent has died while it made it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.transport.hub import Hub

from .readiness import reap_orphan

__all__ = ["end_in_table"]


async def end_in_table(sharers: Iterable[MemoryTask], pidfd: int, hub: Hub, *, owned: bool) -> None:
    """End it by the pidfd that clone has put into a table which these tasks share.

    Where it shares that table too, the doorbell can't tell its end. ``owned``: by a handle. -1: it
    was not made.
    """
    for other in sharers if pidfd >= 0 else ():
        with suppress(TaskLostError):
            await end_by(other, pidfd, hub)
            if not owned:
                await other.sysif.call(SYS.close, pidfd)
            return


async def end_by(other: MemoryTask, pidfd: int, hub: Hub) -> None:
    """End it by a pidfd of this task's."""
    here = await other.sysif.export_fd(pidfd)
    try:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(here, signal.SIGKILL)
        await hub.wait_ready(here)
        reap_orphan(here)
    finally:
        os.close(here)
