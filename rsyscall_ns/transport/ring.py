"""System calls in another process of this machine, through a ring in shared memory.

Owns the client's side of one ring: which entries are under way, who waits for them, and what the
doorbell says. The server's side is ``ffi/server/server.c``; the states of an entry are drawn in
``ffi/server/wire.h``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from errno import EINTR
from time import perf_counter
from typing import Any, Final, final

import trio

from rsyscall_ns.near.errors import TaskLostError, UnresponsiveTaskError
from rsyscall_ns.near.ffi import lib, ring_at
from rsyscall_ns.near.program import Program, Results

from .doorbell import Doorbell
from .grace import Grace
from .hub import Hub
from .news import News
from .pace import pace, slept
from .passing import Passing
from .posting import FULL, LIMIT, LOST, PENDING, Posted, post_on, spins
from .scratch import ScratchMemory

__all__ = ["CLIENT_SPIN", "RingInterface"]

TAKEN_BACK: Final = 2
CLIENT_SPIN: Final = 20  # microseconds to look for an answer before sleeping
LONGER_AT_MOST: Final = 5  # times that, for long programs
BLOCKED: Final = 0.0005  # seconds; what takes longer than to wake a server and be woken
CLIENT_NAP: Final = 50_000  # nanoseconds to sleep for it, still within C, before going to trio


@final
class RingInterface:
    """Implements ``SyscallInterface`` for a process that serves a ring."""

    __slots__ = (
        "_address",
        "_doorbell",
        "_ended",
        "_finished",
        "_grace",
        "_interruptible",
        "_lost",
        "_news",
        "_passing",
        "_pidfd",
        "_ring",
        "_scratch",
        "_server_doorbell",
        "_shut",
        "_slow_call",
        "_space",
        "_spin",
        "_taken_back",
        "_unresponsive",
        "_waiting",
        "name",
    )

    same_thread: bool = False  # a call that blocks blocks the other process only

    def __init__(
        self,
        *,
        name: str,
        address: int,
        doorbell: Doorbell,
        server_doorbell: int,
        pidfd: int,
        hub: Hub,
        scratch: ScratchMemory,
    ) -> None:
        """Take over the doorbell; ``close`` ends it. ``pidfd`` is borrowed: -1 for a thread."""
        self.name = name
        self._address = address
        self._ring = ring_at(address)
        self._doorbell = doorbell
        self._server_doorbell = server_doorbell
        self._pidfd = pidfd
        self._news = News(hub, doorbell, pidfd)
        self._scratch = scratch
        self._interruptible = pidfd >= 0
        self._waiting: dict[int, trio.lowlevel.Task] = {}
        self._taken_back: set[int] = set()  # slots of cancelled calls whose turn is to come
        self._finished: dict[int, int] = {}  # results that were there when the end came
        self._ended: trio.Event | None = None
        self._lost = ""
        self._shut = True  # lost, or not watched yet
        self._space: trio.lowlevel.ParkingLot | None = None  # who waits for a free entry
        self._grace = Grace(self._on_no_answer)
        self._unresponsive = False  # lost, but neither dead nor exec'd
        self._passing = Passing(doorbell, server_doorbell, pidfd, scratch)
        self._spin = spins(CLIENT_SPIN)
        self._slow_call = -1  # the system call that had to be waited for last

    def __repr__(self) -> str:
        return self.name

    @property
    def server_doorbell(self) -> int:
        """The number of the doorbell in the process's own fd table."""
        return self._server_doorbell

    @property
    def lost(self) -> bool:
        """Whether the process can't make calls any more."""
        if not (self._lost or self._news.watched):
            self._look_for_end()
        return bool(self._lost)

    def _look_for_end(self) -> None:
        if self._news.ended():
            self._on_end()

    def watch(self) -> None:
        """Learn what comes, as the first call does. TaskLostError when nothing comes any more."""
        if self._lost:
            raise self._lost_error()
        if not self._news.watched:
            self._news.watch(self._on_doorbell, self._on_end)
        self._shut = False

    def set_grace(self, seconds: float) -> None:
        """Set how long an interrupt may go without an answer before the process counts as lost."""
        self._grace.seconds = seconds

    def set_spins(self, client: int, server: int) -> None:
        """Set for how long each side looks for news before it sleeps, in microseconds."""
        self._spin = spins(client)
        if not self._lost:
            lib.rs_ring_set_spin(self._ring, spins(server))

    async def wait_ready(self, number: int, events: int) -> None:
        """Return at once: a call that blocks blocks the other process only."""

    def closing(self, number: int) -> None:
        """Do nothing: nobody waits here for fds of the other process."""

    def interrupt_signal(self) -> int | None:
        """Return the signal that the server keeps for itself."""
        return lib.RS_INTERRUPT_SIGNAL if self._interruptible else None

    @trio.lowlevel.enable_ki_protection
    async def call(
        self, number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0
    ) -> int:
        """Make one call; a cancelled one that had not happened raises ``trio.Cancelled``."""
        await pace()
        if self._shut:
            self.watch()
        ring, spin, nap = self._ring, self._spin, CLIENT_NAP
        if number == self._slow_call:
            # it blocked last time: look whether it does not now, but not for long
            spin, nap = spin >> 3, 0
        result = lib.rs_ring_call(ring, spin, nap, number, a, b, c, d, e, f)
        if result >= LIMIT:
            if not nap:
                self._slow_call = -1
            return result
        full, began = result == FULL, perf_counter()
        result, interrupted = await self._slow(
            result,
            lambda: lib.rs_ring_call(ring, 0, 0, number, a, b, c, d, e, f),
            interruptible=True,
        )
        if result == LOST:
            raise self._lost_error()
        if not full:  # else it is the calls before it that took so long
            self._slow_call = number if perf_counter() - began > BLOCKED else -1
        if interrupted and result == -EINTR:
            await trio.lowlevel.checkpoint_if_cancelled()
        return result

    @trio.lowlevel.enable_ki_protection
    async def execute(self, program: Program) -> Results:
        """Carry out a program; an interrupted one returns what it got to, with ``interrupted``."""
        await pace()
        return await self.finish(self.begin(program))

    def begin(self, program: Program, steps: int = 0, *, last: bool = False) -> Posted:
        """Hand a program over, so that it is carried out while we go on; ``finish`` it.

        ``steps``: where they lie already. ``last``: it ends in an execve, ``finish_last`` it.
        """
        if last and not self._lost:
            self._news.prepare()
        elif self._shut:
            self.watch()
        return post_on(self._ring, self._scratch, program, steps)

    async def finish(self, posted: Posted) -> Results:
        """Wait for what ``begin`` handed over, and return its results."""
        state = posted.state
        if PENDING <= state < FULL:
            # what many calls take is no sign that one of them blocks
            spin = self._spin * min(1 + (len(posted.program) >> 4), LONGER_AT_MOST)
            state = lib.rs_ring_wait(self._ring, state - PENDING, spin, CLIENT_NAP)
        results = await self._results(posted, state)
        if results is None:
            raise self._lost_error()
        return results

    async def finish_last(self, posted: Posted) -> Results | None:
        """Wait for a program that ends in an execve: None when it was the last one, and did."""
        slot = posted.state - PENDING
        pressed = await self._news.sleep(self._ring, slot)
        if not (self._news.watched or self._lost or lib.rs_ring_done(self._ring, slot)):
            self._look_for_end()
        try:
            return await self._results(posted, posted.state)
        finally:
            if pressed:
                signal.raise_signal(signal.SIGINT)

    async def _results(self, posted: Posted, ran: int) -> Results | None:
        interrupted = False
        try:
            if ran < LIMIT:
                ran, interrupted = await self._slow(
                    ran,
                    lambda: posted.post(self._ring),
                    interruptible=posted.program.interruptible,
                )
                if ran == LOST:
                    if self._unresponsive:
                        raise self._lost_error()
                    return None
            return posted.results(ran, interrupted=interrupted)
        finally:
            posted.release()

    async def _slow(
        self, posted: int, post: Callable[[], int], *, interruptible: bool
    ) -> tuple[int, bool]:
        """Wait for an entry that was not done at once; returns (result or LOST, interrupted)."""
        while posted == FULL:
            if self._space is None:
                self._space = trio.lowlevel.ParkingLot()
            await self._space.park()
            if self._lost:
                return LOST, False
            posted = post()
        outcome = (posted, False)
        if posted < LIMIT:
            outcome = await self._completed(posted - PENDING, interruptible=interruptible)
        self._let_in()
        return outcome

    def _let_in(self) -> None:
        if self._space:
            self._space.unpark()

    async def _completed(self, slot: int, *, interruptible: bool) -> tuple[int, bool]:
        """Sleep until an entry is done; returns (result or LOST, whether it was to end early)."""
        interrupted = False

        def interrupt(_raise_cancel: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
            nonlocal interrupted
            if not self._interruptible:
                return trio.lowlevel.Abort.FAILED
            if interruptible:
                interrupted = True
                outcome = lib.rs_ring_interrupt(self._ring, slot, self._pidfd)
            else:
                outcome = lib.rs_ring_take_back(self._ring, slot)
            if outcome != TAKEN_BACK:
                self._grace.asked(slot)
                return trio.lowlevel.Abort.FAILED
            # it has not happened and never will: only its slot waits for its turn
            del self._waiting[slot]
            self._taken_back.add(slot)
            return trio.lowlevel.Abort.SUCCEEDED

        if self._shut and not self._lost:
            self._watch_or_lose()
        if not self._lost:  # else its memory may be somebody else's by now
            lib.rs_ring_arm(self._ring)
        if not self._lost and not lib.rs_ring_done(self._ring, slot):
            self._waiting[slot] = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(interrupt)
            slept()
            self._grace.answered(slot)
        if self._lost:  # the ring's memory may have been freed meanwhile
            return self._finished.pop(slot, LOST), interrupted
        return lib.rs_ring_collect(self._ring, slot), interrupted

    def _on_doorbell(self) -> None:
        if not self._doorbell.drain():
            self._on_end()
            return
        self._wake()

    def _wake(self) -> None:
        under_way = (*self._waiting, *self._taken_back)
        for slot in under_way:
            if lib.rs_ring_done(self._ring, slot):
                if slot in self._taken_back:
                    self._taken_back.remove(slot)
                    lib.rs_ring_collect(self._ring, slot)
                    self._let_in()
                else:
                    trio.lowlevel.reschedule(self._waiting.pop(slot))
        under_way = (*self._waiting, *self._taken_back)
        if under_way:
            lib.rs_ring_arm(self._ring)
            if any(lib.rs_ring_done(self._ring, slot) for slot in under_way):
                self._wake()

    def _lost_error(self) -> TaskLostError:
        return (UnresponsiveTaskError if self._unresponsive else TaskLostError)(self, self._lost)

    def _on_no_answer(self) -> None:
        self._give_up(
            f"it has not answered an interrupt within {self._grace.seconds} s, being stopped "
            "or in an uninterruptible sleep"
        )

    def _give_up(self, why: str) -> None:
        """Lose a process that may go on later: then it writes where its call was told to."""
        if not self._lost:
            self._unresponsive = True
            self._scratch.hold_back()
            self.lose(why)

    def _watch_or_lose(self) -> None:
        """Have the hub tell of what is under way already."""
        try:
            self.watch()
        except OSError as error:
            self._give_up(f"nobody can tell what comes of its call: {error}")

    def _on_end(self) -> None:
        if self._lost:
            return
        failure = lib.rs_ring_failure(self._ring)
        if failure:
            self.lose(f"it ended, since it could not close other fds: {os.strerror(-failure)}")
        else:
            self.lose("it has exec'd or died")

    def lose(self, why: str) -> None:
        """Refuse calls from now on, and tell those that wait."""
        if self._lost:
            return
        self._lost = why
        self._shut = True
        if self._ended is not None:
            self._ended.set()
        self._news.ignore(self._on_doorbell, self._on_end)
        waiting, self._waiting = self._waiting, {}
        for slot, task in waiting.items():
            if lib.rs_ring_done(self._ring, slot):
                self._finished[slot] = lib.rs_ring_collect(self._ring, slot)
            trio.lowlevel.reschedule(task)
        if self._space:
            self._space.unpark_all()

    async def wait_lost(self) -> None:
        """Wait until the process has exec'd or died."""
        if self._lost:
            await pace()
            return
        self.watch()
        if self._ended is None:
            self._ended = trio.Event()
        await self._ended.wait()

    def close(self) -> None:
        """Close the doorbell; the process must be dead or have exec'd. Idempotent."""
        self.lose("its scope was left")
        self._doorbell.close()
        if self._unresponsive:
            self._unresponsive = False
            self._scratch.let_go()

    @trio.lowlevel.enable_ki_protection
    async def export_fd(self, number: int) -> int:
        """Have the process send us one of its fds."""
        return await self._passing.export_fd(self, number, self._on_doorbell)

    @trio.lowlevel.enable_ki_protection
    async def import_fd(self, number: int) -> int:
        """Send one of our fds to the process."""
        return await self._passing.import_fd(self, number)
