"""Processes whose parent died before them, and that nobody else is to find."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from signal import pidfd_send_signal

from rsyscall_ns import SIG, SYS, Task

PR_SET_CHILD_SUBREAPER = 36


@asynccontextmanager
async def orphans_are_ours(local: Task) -> AsyncGenerator[None, None]:
    """Have orphans given to us in the block, and not to an init that reaps them some time later."""
    assert await local.sysif.call(SYS.prctl, PR_SET_CHILD_SUBREAPER, 1) == 0
    try:
        yield
    finally:
        assert await local.sysif.call(SYS.prctl, PR_SET_CHILD_SUBREAPER, 0) == 0


def take_away(pidfd: int) -> None:
    """End an orphan that was given to us, if it is not dead yet; reap it, and close its pidfd."""
    with suppress(ProcessLookupError):
        pidfd_send_signal(pidfd, SIG.KILL)
    with suppress(ChildProcessError):
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    os.close(pidfd)
