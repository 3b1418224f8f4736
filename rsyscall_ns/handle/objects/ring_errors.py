"""What can be wrong with the use of a ring."""

from __future__ import annotations

from rsyscall_ns.near.abi.io_uring_h import IORING_SETUP, IOSQE
from rsyscall_ns.near.errors import RsyscallError

__all__ = ["RingClosedError", "RingFlagsError", "RingFullError", "RingNumberError"]


class RingFlagsError(RsyscallError, ValueError):
    """A ring, or an operation, has flags by which Ring could not know when something has ended."""

    def __init__(self, flags: IORING_SETUP | IOSQE) -> None:
        super().__init__(f"a Ring can't have {flags!r}: it must be told of all that it starts")


class RingFullError(RsyscallError):
    """More was submitted at once than the ring has room for."""

    def __init__(self, count: int, entries: int) -> None:
        super().__init__(f"{count} operations don't fit a ring of {entries}: submit fewer at once")


class RingClosedError(RsyscallError):
    """A ring was used after its scope had been left."""

    def __init__(self) -> None:
        super().__init__("the ring is closed: its scope was left")


class RingNumberError(RsyscallError):
    """A completion was waited for that can't come: another one has it, or nothing was submitted."""

    def __init__(self, number: int) -> None:
        super().__init__(f"operation {number} is not in flight, and nothing of it is left")
