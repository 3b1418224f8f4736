"""What operations on keys are given, and how what they fill is got."""

from __future__ import annotations

from typing import Final, Protocol

from rsyscall_ns.handle.pointers.context import LARGEST, MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import Address, fit

__all__ = ["FIRST_ROOM", "filled", "key_words"]

FIRST_ROOM: Final = 512  # bytes
ARGUMENTS: Final = 4


class Filling(Protocol):
    """A call that fills a buffer; returns how many bytes there are, also where it has no room."""

    async def __call__(self, address: Address, size: int, /) -> int:
        """Make it."""
        ...


def key_words(*args: int | Address | None) -> tuple[int, int, int, int]:
    """Return what follows the operation in ``keyctl(2)``."""
    words = [arg.value if isinstance(arg, Address) else arg or 0 for arg in args]
    one, two, three, four = words + [0] * (ARGUMENTS - len(words))
    return one, two, three, four


async def filled(
    task: MemoryTask, what: str, call: Filling, into: Pointer[bytes] | None
) -> bytes | Pointer[bytes]:
    """Return what a call fills a buffer with that is as large as it must be.

    A pointer that is too small is refused with SerializerError, after the call.
    """
    most = FIRST_ROOM
    while True:
        with room(task, BYTES, into, most) as there:
            got = await call(there.address, there.size)
            if got <= there.size:
                return there.result(got)
            if into is not None:
                raise SerializerError(what, got, there.size, least=True)
        most = fit("size", got, 0, LARGEST)
