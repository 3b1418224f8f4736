"""Times of files, as utimensat takes them."""

from __future__ import annotations

import struct
from typing import Final

from rsyscall_ns.near.abi.fcntl_h import UTIME
from rsyscall_ns.near.ids import fit

from .pointers.context import MemoryTask
from .pointers.passing import check_size, given
from .pointers.pointer import Pointer

__all__ = ["Times", "times_given"]

Times = tuple[int | UTIME, int | UTIME] | Pointer[bytes] | None
TIMESPEC: Final = struct.Struct("<qq")  # seconds, nanoseconds
SECOND: Final = 1_000_000_000
LIMIT: Final = 2**63 * SECOND


def _timespec(when: int | UTIME) -> bytes:
    if isinstance(when, UTIME):
        return TIMESPEC.pack(0, when)
    return TIMESPEC.pack(*divmod(fit("time", when, -LIMIT, LIMIT - 1), SECOND))


def times_given(task: MemoryTask, times: Times) -> given:
    """Return the times of access and modification for a call to read; None is now."""
    if isinstance(times, Pointer):
        check_size(times, 2 * TIMESPEC.size)
    return given(task, b"".join(map(_timespec, times)) if isinstance(times, tuple) else times)
