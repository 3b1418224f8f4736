"""What a fork of the interpreter does first, before it is as any other child with a callable.

It never returns to what was forked: neither to its event loop, nor to what that would clean up.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import signal
import sys
import traceback
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, NoReturn, TextIO

from .channel import Channel
from .foreign import move
from .inside import Loaded, serve
from .kernel import PR_SET_PDEATHSIG, libc
from .placing import FIRST_PLAIN_FD, put

__all__ = ["become"]

FOR_CHILDREN: Final = 0x20000080  # CLONE_NEWPID and CLONE_NEWTIME: who unshares is not in them


def become(
    channel: int,
    page: int | None,
    flags: int,
    numbers: tuple[int, int],
    places: Mapping[int, int],
    given: Loaded,
) -> NoReturn:
    """Be a child of its own: do one job, and end."""
    try:
        gc.freeze()  # what was the parent's is not collected here
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        forget_signals()
        (channel,) = put_fds(places, channel)
        open_streams()
        if flags_are_done(Channel(os.dup(channel)), page, flags, numbers):
            serve(channel, given)
    except BaseException:  # noqa: BLE001 - nobody else is here to see it
        traceback.print_exc()
    finally:
        os._exit(1)


def forget_signals() -> None:
    """Take away the handlers of the program that was forked: they tell an event loop."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def put_fds(places: Mapping[int, int], channel: int) -> list[int]:
    """Put its fds where it wants them, and close all others; returns the channel."""
    copies = {
        target: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, FIRST_PLAIN_FD)
        for target, source in places.items()
    }
    found = put(copies, [channel])
    close_others({*places, *found})
    return found


def close_others(kept: Collection[int]) -> None:
    """Close all fds but some."""
    try:
        numbers = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - os alone
    except OSError:
        numbers = list(range(os.sysconf("SC_OPEN_MAX")))
    for number in numbers:
        if number not in kept:
            with suppress(OSError):
                os.close(number)


def open_streams() -> None:
    """Have standard streams as an interpreter has that starts."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        made: TextIO | None = None
        with suppress(OSError):  # closed
            made = open(  # noqa: SIM115 - a number; it stays open
                number,
                "w" if number else "r",
                buffering=1 if number == 2 or os.isatty(number) else -1,  # noqa: PLR2004 - stderr
                errors="backslashreplace" if number == 2 else None,  # noqa: PLR2004 - as above
                closefd=False,
            )
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)


def flags_are_done(
    channel: Channel, page: int | None, flags: int, numbers: tuple[int, int]
) -> bool:
    """Make the new namespaces, and enter those that are for children; False if that fails."""
    failed = 0
    if flags and libc.unshare(flags) < 0:
        failed = ctypes.get_errno()
    channel.send({"is": "unshared", "errno": failed})
    if failed:
        return False
    channel.wait()
    if page is not None:
        failed = move(page, numbers, channel)
        if failed:
            channel.send({"is": "unshared", "errno": failed})
    channel.close()
    return not failed
