"""Programs on a ring, before and without an interface to it: how a process is started.

Owns the memory of a posted program. What posting gives is a state: a result, or one of the
numbers below, which no system call gives.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Final, final

import trio

from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.ffi import Ring, lib
from rsyscall_ns.near.program import Program, Results

from .doorbell import Doorbell
from .pace import slept
from .scratch import ScratchMemory, block_size, place, unpack

__all__ = [
    "FULL",
    "LIMIT",
    "LOST",
    "PENDING",
    "SERVER_SPIN",
    "Posted",
    "post_on",
    "spins",
    "start_server",
    "wait_alone",
]

PENDING: Final = -(2**63)  # plus the slot
FULL: Final = PENDING + 1024
LOST: Final = PENDING + 2047
LIMIT: Final = PENDING + 2048  # below it: not a system call's result
WORD: Final = 8  # bytes of a result
SERVER_SPIN: Final = 50  # microseconds to look for more work before parking


def spins(microseconds: int) -> int:
    """Return how many looks take that long; 0 on one CPU, where spinning only steals time."""
    if len(os.sched_getaffinity(0)) == 1:
        return 0
    return _looks_per_microsecond() * microseconds


@cache
def _looks_per_microsecond() -> int:
    return lib.rs_pauses_per_microsecond()


@final
class Posted:
    """A program that was handed over: where it lies, and what posting it gave."""

    __slots__ = ("_base", "_results", "_scratch", "_size", "_steps", "program", "state")

    def __init__(self, program: Program, scratch: ScratchMemory, steps: int = 0) -> None:
        """Lay it out; ``steps``: where they lie already, so that it only needs results."""
        self.program = program
        self.state = FULL
        self._scratch = scratch
        self._size = WORD * len(program) if steps else block_size(program)
        self._base = scratch.take(self._size)
        if steps:
            self._steps, self._results = steps, self._base
        else:
            view = scratch.view(self._base, self._size)
            self._steps, self._results = self._base, place(program, view, self._base)

    def post(self, ring: Ring) -> int:
        """Post it, if there is room; the state is what that gave."""
        count = len(self.program)
        self.state = lib.rs_ring_run(ring, 0, 0, self._steps, count, self._results)
        return self.state

    def results(self, ran: int, *, interrupted: bool) -> Results:
        """Take the results out, when so many steps were carried out."""
        view = self._scratch.view(self._base, self._size)
        return unpack(self.program, view, self._results - self._base, ran, interrupted=interrupted)

    def release(self) -> None:
        """Give the memory back. Idempotent."""
        size, self._size = self._size, 0
        if size:
            self._scratch.give_back(self._base, size)


def post_on(ring: Ring, scratch: ScratchMemory, program: Program, steps: int = 0) -> Posted:
    """Hand a program over to a ring, which may belong to a server that is still to be started.

    ``steps``: where the steps lie already.
    """
    posted = Posted(program, scratch, steps)
    posted.post(ring)
    return posted


async def wait_alone(ring: Ring, doorbell: Doorbell, posted: Posted) -> Results | None:
    """Wait for a program that is the only one on its ring; None when the process exec'd or died.

    For a process whose ring has no interface: nobody else waits on its doorbell.
    """
    slot = posted.state - PENDING
    while True:
        alive = doorbell.drain()
        lib.rs_ring_arm(ring)
        if lib.rs_ring_done(ring, slot):
            return posted.results(lib.rs_ring_collect(ring, slot), interrupted=False)
        if not alive:
            return None
        await trio.lowlevel.wait_readable(doorbell.fileno())
        slept()


def start_server(ring: Ring, flags: int) -> tuple[int, int]:
    """Clone a child of this interpreter that serves a prepared ring; returns its pid and pidfd."""
    made = lib.rs_launch(ring, flags)
    if made < 0:
        raise kernel_error(-made, "clone3", "this interpreter")
    return made >> 32, made & 0xFFFFFFFF
