"""What every thin call shares."""

from __future__ import annotations

import trio

from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import name_of
from rsyscall_ns.near.program import Program, Results

__all__ = ["MASK", "c_offset", "c_size", "c_word", "checked", "int32", "run"]

MASK = 2**64 - 1
LOWEST_ERROR = -4095


def int32(what: str, value: int) -> int:
    """Return what fits a C ``int`` or ``unsigned int``; else raise ArgumentRangeError."""
    return fit(what, value, -(2**31), 2**32 - 1)


def c_size(what: str, value: int) -> int:
    """Return what fits a C ``size_t`` that the kernel takes; else raise ArgumentRangeError."""
    return fit(what, value, 0, 2**63 - 1)


def c_offset(what: str, value: int) -> int:
    """Return what fits a C ``off_t``; else raise ArgumentRangeError."""
    return fit(what, value, -(2**63), 2**63 - 1)


def c_word(what: str, value: int) -> int:
    """Return what fits a C ``long`` or ``unsigned long``; else raise ArgumentRangeError."""
    return fit(what, value, -(2**63), 2**64 - 1)


async def checked(sysif: SyscallInterface, number: int, *args: int, path: object = None) -> int:
    """Make a call; returns its result or raises its error (with ``path`` as filename)."""
    result = await sysif.call(number, *[arg & MASK for arg in args])
    if LOWEST_ERROR <= result < 0:
        raise kernel_error(-result, name_of(number), sysif, path)
    return result


async def run(sysif: SyscallInterface, program: Program, path: object = None) -> Results:
    """Carry out a program; raises the error of the call that ended it."""
    results = await sysif.execute(program)
    if results.interrupted and not results.complete:
        await trio.lowlevel.checkpoint_if_cancelled()
    return results.check(sysif, path)
