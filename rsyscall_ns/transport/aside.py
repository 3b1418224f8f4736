"""Calls that nothing can interrupt and that take too long for the event loop: in a thread.

Each has a thread of its own, which gets no signals, so that none goes astray, and ends with the
call. A thread that stayed would take signals that are sent to the process.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress

import trio

__all__ = ["aside", "start_aside"]


async def aside(function: Callable[[], object]) -> None:
    """Await a function that is called in a thread. Not cancellable."""
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def work() -> None:
        try:
            function()
        finally:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(done.set)

    thread = start_aside(work)
    with trio.CancelScope(shield=True):
        await done.wait()
    thread.join()


def start_aside(function: Callable[[], object]) -> threading.Thread:
    """Call a function in a thread, without waiting for it."""
    thread = threading.Thread(target=function, name="rsyscall_ns", daemon=True)
    old = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
    return thread
