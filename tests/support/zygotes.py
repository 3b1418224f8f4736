"""What tests do to the zygote."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from rsyscall_ns.containers.callables.breeder import the_zygote

__all__ = ["kill_zygote"]


def kill_zygote() -> None:
    """Kill it, and return when it is dead; it stays to be reaped."""
    zygote = the_zygote().process
    assert zygote is not None
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(zygote.near.id, signal.SIGKILL)
        os.waitid(os.P_PID, zygote.near.id, os.WEXITED | os.WNOWAIT)
