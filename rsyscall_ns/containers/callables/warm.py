"""What a zygote does before it serves: all that a child does, some times over.

That fills caches and adapts code to how it is used. What is so already when a child is made, it has
in common with the zygote; what it changes itself, it has to copy, page by page.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import socket
from collections.abc import Callable
from typing import Final

from . import pickling
from .channel import LENGTH, Channel
from .inside import do_job
from .kernel import KIND_CALL, OP, ignore, in_child_again, restore
from .placing import move_in

__all__ = ["warm_up"]

ROUNDS: Final = 20
NO_CALL: Final = 2**32 - 1  # the number of no system call
LARGE: Final = 100_000  # bytes
SIGNAL: Final = int(signal.SIGURG)  # which is ignored in any case


def sample() -> Callable[[int], int]:
    """Return a function that is pickled as a whole."""

    def function(value: int) -> int:
        return value + 1

    return function


def warm_up() -> None:
    """Do a job that changes nothing."""
    ops = OP.pack(KIND_CALL, 0, 0, NO_CALL, *(0,) * 7)
    part = ((ops, b"\0" * 8, [(8, 0)], [(0, 0)]), [0])
    job = marshal.dumps(
        {
            "names": part,
            "places": part,
            "passed": [],
            "path": None,
            "environment": None,
            "imports": [],
            "enters": None,
            "wanted": True,
        }
    )
    content = pickling.dumps((sample(), (1,), dict[str, object](), None))
    message = LENGTH.pack(len(job)) + job + LENGTH.pack(len(content)) + content
    restored = ignore(SIGNAL)
    for _ in range(ROUNDS):
        in_child_again()
        restore(SIGNAL, restored)
        here = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        move_in({number: os.dup(number) for number in range(3)}, here, -1)
        ours, theirs = socket.socketpair()
        with ours:
            ours.sendall(message)
            channel = Channel(theirs.detach())
            status = do_job(channel)
            assert status == 0
            channel.close()
    gc.collect()
    bytearray(LARGE)  # what is free lies in its place then
