"""The end of a child whose parent has died while it made it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.transport.hub import Hub

from .readiness import reap_orphan

__all__ = ["end_in_table"]


async def end_in_table(other: MemoryTask, pidfd: int, hub: Hub, *, owned: bool) -> None:
    """End it by the pidfd that clone has put into a table which another task shares.

    Where it shares that table too, the doorbell can't tell its end. ``owned``: by a handle. -1: it
    was not made.
    """
    if pidfd < 0:
        return
    here = await other.sysif.export_fd(pidfd)
    try:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(here, signal.SIGKILL)
        await hub.wait_ready(here)
        reap_orphan(here)
    finally:
        os.close(here)
    if not owned:
        await other.sysif.call(SYS.close, pidfd)
