"""What a new child does first: a program that lies on its ring before it exists.

It makes the child what it is to be (``FirstSteps``); where nothing needs to be done in between, it
execs as well.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Sequence
from typing import Final, Protocol, final

from rsyscall_ns.handle.pointers.context import Transient
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near.ffi import Ring
from rsyscall_ns.near.program import Program, Results
from rsyscall_ns.transport.doorbell import Doorbell
from rsyscall_ns.transport.posting import Posted, check_begun, outcome, post_on, wait_alone

from .block import MOST_RESULTS, ServerBlock
from .idwrite import OwnMaps
from .steps import BY_CLONE, NEW, FirstSteps, Wanted

__all__ = ["EMPTY", "Exec", "FirstProgram"]

INT: Final = 4  # bytes
EMPTY: Final = Program()
EMPTY.interruptible = False


class Exec(Protocol):
    """A program that ends in an exec, and what it needs in memory."""

    program: Program
    steps: int  # where its steps lie already, if they do
    first: FirstSteps | None  # what it begins with

    def release(self) -> None:
        """Give the memory back. Idempotent."""
        ...


@final
class FirstProgram:
    """``build`` it, or let it ``become`` an exec; then ``post`` it. Owns what the child needs."""

    __slots__ = (
        "_arena",
        "_checks",
        "_exec",
        "_held",
        "_own",
        "_posted",
        "_program",
        "_steps",
        "wanted",
    )

    def __init__(self, arena: Arena, flags: int, inside: OwnMaps | None) -> None:
        """Take the flags of a clone, which makes some of the namespaces itself."""
        own = flags & NEW & ~BY_CLONE
        self.wanted: Wanted | None = (own, inside) if own or inside is not None else None
        self._arena = arena
        self._held: list[Transient] = []
        self._own: FirstSteps | None = None
        self._exec: Exec | None = None
        self._checks: FirstSteps | None = None  # the steps of either
        self._posted: Posted | None = None
        self._program = EMPTY
        self._steps = 0  # where they lie already, if they do

    def build(self) -> None:
        """Let it be the first steps; an empty one is done as soon as the child serves."""
        if self.wanted is not None:
            self._own = self._checks = FirstSteps(self._arena, self.wanted)
            self._program = self._own.program

    def become(self, exec_: Exec) -> None:
        """Let it be an exec, behind the first steps or not; it owns that. Not posted yet."""
        self._program, self._steps = exec_.program, exec_.steps
        self._exec, self._checks = exec_, exec_.first

    def hold(self, content: bytes) -> int:
        """Place bytes where the child sees them; returns their address."""
        memory = Transient(self._arena, content).__enter__()
        self._held.append(memory)
        return memory.address.value

    def hold_list(self, numbers: Sequence[int], room: int = 0) -> tuple[int, int]:
        """Place an ascending list of fds, with room for more; returns address and length."""
        every = sorted(set(numbers))
        content = struct.pack(f"<{len(every)}i", *every) + bytes(INT * room)
        return self.hold(content), len(every)

    def lay_out(self, block: ServerBlock) -> tuple[int, int, int]:
        """Place it where the child sees it; a server is started with what is returned."""
        results = block.results if len(self._program) <= MOST_RESULTS else 0
        posted = self._posted = Posted(self._program, self._arena, self._steps, results)
        return posted.first()

    def post(self, block: ServerBlock) -> None:
        """Post it on the ring of a server, which need not have been started."""
        if self._posted is not None:
            self._posted.release()
        self._posted = post_on(block.ring, self._arena, self._program, self._steps)

    def alone(
        self, ring: Ring, doorbell: Doorbell, pidfd: int, later: tuple[Ring, Posted] | None = None
    ) -> Awaitable[Results | None]:
        """Wait for it without an interface: None when the child has exec'd or died of it.

        ``later``: what is posted on the ring that the child serves when it has exec'd.
        """
        assert self._posted is not None
        return wait_alone(ring, doorbell, self._posted, pidfd, later)

    def outcome(self, ring: Ring) -> Results | None:
        """Return what has come of it, once the child is dead: None when it has exec'd.

        OSError: it has ended before it began.
        """
        assert self._posted is not None
        results = outcome(ring, self._posted)
        if results is None:
            check_begun(ring)
        return results

    def check(self, results: Results, where: object) -> None:
        """Raise the error of a first step that failed."""
        if self._checks is not None:
            self._checks.check(results, where)

    def forget(self) -> None:
        """Free its memory: the child is done with it, dead, or was never made. Idempotent."""
        while self._held:
            self._held.pop().__exit__()
        if self._posted is not None:
            self._posted.release()
        for owned in (self._own, self._exec):
            if owned is not None:
                owned.release()
        self._own = self._exec = None
