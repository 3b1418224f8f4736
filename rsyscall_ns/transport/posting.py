"""Programs on a ring, before and without an interface to it: how a process is started.

Owns the memory of a posted program. What posting gives is a state: a result, or one of the
numbers below, which no system call gives.
"""

from __future__ import annotations

import os
import select
import signal
from functools import cache
from typing import Final, final

import trio

from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.ffi import Ring, lib
from rsyscall_ns.near.program import Program, Results

from .doorbell import Doorbell
from .hub import is_ready
from .pace import pace, slept
from .scratch import ScratchMemory, block_size, place, unpack

__all__ = [
    "FULL",
    "LIMIT",
    "LOST",
    "PENDING",
    "SERVER_SPIN",
    "Posted",
    "both",
    "check_begun",
    "outcome",
    "post_on",
    "spins",
    "start_server",
    "wait_alone",
    "wait_fd",
]

PENDING: Final = -(2**63)  # plus the slot
FULL: Final = PENDING + 1024
LOST: Final = PENDING + 2047
LIMIT: Final = PENDING + 2048  # below it: not a system call's result
WORD: Final = 8  # bytes of a result
SIGKILL: Final = int(signal.SIGKILL)
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

    __slots__ = (
        "_base",
        "_room",
        "_scratch",
        "_size",
        "count",
        "program",
        "results_at",
        "state",
        "steps",
    )

    def __init__(
        self, program: Program, scratch: ScratchMemory, steps: int = 0, results: int = 0
    ) -> None:
        """Lay it out; ``steps``: where they lie already, so that it only needs results.

        ``results``: where there is room for those, and for what such a program needs besides.
        """
        self.program = program
        self.count = len(program)
        self.state = FULL
        self._scratch = scratch
        self._room = WORD * self.count if steps else block_size(program)
        if results and self._is_empty():
            steps = results  # there is nothing to be written
        if steps and results:
            self._size, self._base = 0, results
        else:
            self._size, self._base = self._room, scratch.take(self._room)
        if steps:
            self.steps, self.results_at = steps, self._base
        else:
            view = scratch.view(self._base, self._size)
            self.steps, self.results_at = self._base, place(program, view, self._base)

    def _is_empty(self) -> bool:
        return not (self.count or self.program.regions)

    def first(self) -> tuple[int, int, int]:
        """Be the first one of a server that is started then.

        Returns where its steps lie, how many they are, and where the results are to be.
        """
        self.state = PENDING
        return self.steps, self.count, self.results_at

    def post(self, ring: Ring) -> int:
        """Post it, if there is room; the state is what that gave."""
        self.state = lib.rs_ring_run(ring, 0, 0, self.steps, self.count, self.results_at)
        return self.state

    def results(self, ran: int, *, interrupted: bool) -> Results:
        """Take the results out, when so many steps were carried out."""
        if self._is_empty():
            return Results(self.program, (), {}, {}, interrupted)
        view = self._scratch.view(self._base, self._room)
        at = self.results_at - self._base
        return unpack(self.program, view, at, ran, interrupted=interrupted)

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


async def wait_alone(
    ring: Ring,
    doorbell: Doorbell,
    posted: Posted,
    pidfd: int = -1,
    later: tuple[Ring, Posted] | None = None,
) -> Results | None:
    """Wait for a program that is the only one on its ring; None when the process exec'd or died.

    For a process whose ring has no interface: nobody else waits on its doorbell. ``pidfd`` tells
    its end where the doorbell does not, because another process shares the fd table. ``later``: one
    on another ring, which the process serves once it has exec'd; the results are the program's that
    is done. OSError: it has ended before it began.
    """
    every = ((ring, posted),) if later is None else (later, (ring, posted))
    alive, waited = True, False  # as far as we know
    while True:
        for at, one in every:
            if alive:
                lib.rs_ring_arm(at)
            if (results := outcome(at, one)) is not None:
                if not waited:
                    await pace()
                return results
        if not alive:
            for at, _ in every:
                check_begun(at)
            return None
        if pidfd < 0:
            await trio.lowlevel.wait_readable(doorbell.fileno())
        else:
            with both(doorbell.fileno(), pidfd) as ends:
                await trio.lowlevel.wait_readable(ends.fileno())
        slept()
        waited = True
        alive = doorbell.drain() and (pidfd < 0 or not is_ready(pidfd))


def outcome(ring: Ring, posted: Posted) -> Results | None:
    """Return what has come of a program by now; None where it was not carried out to its end."""
    slot = posted.state - PENDING
    if not lib.rs_ring_done(ring, slot):
        return None
    return posted.results(lib.rs_ring_collect(ring, slot), interrupted=False)


def check_begun(ring: Ring) -> None:
    """Raise what has ended a process before it began with what it was to do."""
    failure = lib.rs_ring_failure(ring)
    if failure:
        raise kernel_error(-failure, "close_range", "a new child")


async def wait_fd(doorbell: Doorbell) -> int | None:
    """Wait until an fd has come, which is the caller's; None when the doorbell has ended."""
    while True:
        alive = doorbell.drain()
        number = doorbell.take_fd()
        if number is not None or not alive:
            return number
        await trio.lowlevel.wait_readable(doorbell.fileno())
        slept()


def both(one: int, other: int) -> select.epoll:
    """Return what is readable when one of two fds is; the caller's to close."""
    try:
        made = select.epoll()
    except OSError as error:
        raise kernel_error(error.errno or 0, "epoll_create1", "this interpreter") from None
    try:
        made.register(one, select.EPOLLIN)
        made.register(other, select.EPOLLIN)
    except BaseException:
        made.close()
        raise
    return made


def start_server(  # noqa: PLR0913 - all that is done in one call
    ring: Ring,
    first: tuple[int, int, int],
    entry: int,
    flags: int,
    *,
    setup: int = 0,
    spin: int = 0,
    kept: tuple[int, int] = (0, 0),
    theirs: int = -1,
    lends: bool = False,
    cgroup: int = 0,
) -> tuple[int, int, int]:
    """Clone a child of this interpreter that serves a ring, from its first program on.

    ``first``: what ``Posted.first`` tells of that. Returns its pid, its pidfd, and our end of the
    doorbell that is made for it. ``theirs``: the child's end of one that there is, or
    RS_NO_DOORBELL; then the last is -1. That end is closed in here, but for a child that shares our
    fd table (``CLONE.FILES``), or ``lends`` from it what becomes its own: then it is open here as
    ``ring.doorbell``. ``kept``: address and length of an ascending list of fds that it keeps
    besides, with room for one more. ``cgroup``: the fd of the one that it starts in, with
    ``CLONE.INTO_CGROUP``. ``setup``: more of ``RS_SETUP_*``. It dies with this thread.
    """
    failure = lib.rs_start(
        *(ring, entry, setup, SIGKILL, spin, theirs, lends, *kept, flags, cgroup), *first
    )
    pid, pidfd, bell = ring.made
    if failure:
        what = "socketpair" if theirs == -1 and bell < 0 else "clone3"
        raise kernel_error(-failure, what, "this interpreter")
    return pid, pidfd, bell
