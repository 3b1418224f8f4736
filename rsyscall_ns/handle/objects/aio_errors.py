"""What the use of a context for asynchronous I/O is refused with."""

from __future__ import annotations

from rsyscall_ns.near.errors import RsyscallError

__all__ = ["AioClosedError", "AioNumberError"]


class AioClosedError(RsyscallError):
    """A context for asynchronous I/O was used after it had been destroyed."""

    def __init__(self) -> None:
        super().__init__("the context is destroyed: make another one by task.aio.io_setup()")


class AioNumberError(RsyscallError):
    """An operation was to be cancelled that is not in flight."""

    def __init__(self, number: int) -> None:
        super().__init__(f"operation {number} is not in flight: it has ended, and was told of")
