"""Waiting for a child of this very interpreter, without any system-call interface."""

from __future__ import annotations

import os

from rsyscall_ns.near.abi.wait_h import ChildState

from .errors import kernel_error

__all__ = ["wait_here"]


def wait_here(pidfd: int, options: int) -> ChildState | None:
    """Make a waitid that never blocks; None when there is nothing. ``waitid(2)``."""
    try:
        found = os.waitid(os.P_PIDFD, pidfd, options | os.WNOHANG)
    except OSError as error:
        raise kernel_error(error.errno or 0, "waitid", "this interpreter") from None
    return None if found is None else ChildState.found(found)
