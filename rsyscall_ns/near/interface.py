"""The one primitive: how programs get carried out in some process.

Owns the protocol only; the transports implement it.
"""

from __future__ import annotations

from typing import Protocol

from .program import Program, Results

__all__ = ["SyscallInterface"]


class SyscallInterface(Protocol):
    """System calls in one process, whatever it takes to reach it.

    Once a program was sent, neither method returns before its result is known or the process is
    lost: cancellation interrupts a call that blocks, and never loses a result. Both are trio
    checkpoints. A process that has exec'd or died raises ``TaskLostError``.
    """

    async def execute(self, program: Program) -> Results:
        """Carry out a program; failed calls are in the results, not raised."""
        ...

    async def call(
        self, number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0
    ) -> int:
        """Carry out a program of one call, faster; the result is negative (-errno) on failure.

        Arguments are 64-bit words as the kernel takes them: mask negative ones.
        """
        ...

    async def export_fd(self, number: int) -> int:
        """Copy an fd of the process into this interpreter's table; returns its number here."""
        ...

    async def import_fd(self, number: int) -> int:
        """Copy an fd of this interpreter into the process's table; returns its number there."""
        ...

    async def wait_ready(self, number: int, events: int) -> None:
        """Wait until a call on an fd (``select.POLLIN`` or ``POLLOUT``) won't block our event loop.

        Returns at once where calls are made elsewhere. A fd that is ``closing`` is ready too.
        """
        ...

    def closing(self, number: int) -> None:
        """Wake those that wait for an fd which is about to be closed."""
        ...

    @property
    def same_thread(self) -> bool:
        """Whether calls are made by this very thread, so that one that blocks blocks the loop."""
        ...

    def interrupt_signal(self) -> int | None:
        """Return the signal that interrupts blocked calls, None where nothing can."""
        ...
