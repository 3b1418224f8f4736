"""A fork of this interpreter, by Python's own hooks: refused beside other threads."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import final

from attrs import frozen

from rsyscall_ns.containers.errors import ThreadsRunningError
from rsyscall_ns.near.errors import kernel_error

from .forked import become
from .inside import Loaded
from .job import CLONE_NUMBERS

__all__ = ["Fork", "check_alone", "fork"]


@final
@frozen
class Fork:
    """What a forked child is made with: fds of ours, as in ``Birth``; flags of ``unshare(2)``."""

    channel: int
    page: int | None
    flags: int
    places: dict[int, int]


def check_alone() -> None:
    """Refuse other threads: a fork has none of them, but the locks that they hold."""
    names = [
        thread.name for thread in threading.enumerate() if thread is not threading.current_thread()
    ]
    every = len(names) + 1
    with suppress(OSError):
        every = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - to be counted
    if every > 1:
        raise ThreadsRunningError(names, every - 1)


def fork(request: Fork, given: Loaded) -> tuple[int, int]:
    """Make a child; returns its id and its pidfd. It does not return there. ``fork(2)``."""
    check_alone()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # what was written so far is written once
            stream.flush()
    pid = os.fork()
    if pid == 0:
        become(request.channel, request.page, request.flags, CLONE_NUMBERS, request.places, given)
    # nobody but us is there to reap it; it waits for us
    try:
        return pid, os.pidfd_open(pid)
    except OSError as error:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise kernel_error(error.errno or 0, "pidfd_open", "this interpreter") from None
