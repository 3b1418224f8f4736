"""What every thin call shares."""

from __future__ import annotations

import trio

from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD
from rsyscall_ns.near.errors import kernel_error, missing_call
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.near.ids import Address, FileDescriptor, Process, ProcessGroup, fit
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS, name_of
from rsyscall_ns.near.program import Program, Results

__all__ = [
    "MASK",
    "at",
    "c_mode",
    "c_offset",
    "c_size",
    "c_word",
    "call_here",
    "checked",
    "checked32",
    "close_here",
    "id_of",
    "int32",
    "number_of",
    "or_cwd",
    "or_none",
    "run",
]

MASK = 2**64 - 1
LOWEST_ERROR = -4095
ONE_TOO_MUCH = 2**32


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


def c_mode(what: str, value: int) -> int:
    """Return what fits the kernel's ``umode_t``; else raise ArgumentRangeError."""
    return fit(what, value, 0, 0o177777)


def at(address: Address | None) -> int:
    """Return an address as the kernel takes it; None is NULL."""
    return 0 if address is None else address.value


def or_cwd(fd: FileDescriptor | None) -> int:
    """Return the number of a directory's fd; None is the working directory."""
    return AT_FDCWD if fd is None else fd.number


def or_none(fd: FileDescriptor | None) -> int:
    """Return the number of an fd; None is none."""
    return -1 if fd is None else fd.number


def id_of(process: Process | ProcessGroup | None) -> int:
    """Return a process's or a group's id; None is the caller's own."""
    return 0 if process is None else process.id


def number_of(name: str) -> int:
    """Return the number of a call that not every machine has, or raise MissingCallError."""
    number = getattr(SYS, name, None)
    if number is None:
        raise missing_call(name, "this interpreter")
    return int(number)


def close_here(number: int) -> None:
    """Close an fd of this very interpreter, without a checkpoint. ``close(2)``."""
    result = lib.rs_direct_call(SYS.close, number, 0, 0, 0, 0, 0)
    if result < 0:
        raise kernel_error(-result, "close", "this interpreter", None, (number,))


def call_here(number: int, *args: int) -> int:
    """Make a call that never blocks in this very interpreter, for who can't await it.

    Returns its result, or -errno.
    """
    return lib.rs_direct_call(number, *args, *[0] * (6 - len(args)))


async def checked(sysif: SyscallInterface, number: int, *args: int, path: object = None) -> int:
    """Make a call; returns its result or raises its error (with ``path`` as filename)."""
    result = await sysif.call(number, *[arg & MASK for arg in args])
    if LOWEST_ERROR <= result < 0:
        raise kernel_error(-result, name_of(number), sysif, path, args)
    return result


async def checked32(sysif: SyscallInterface, number: int, *args: int) -> int:
    """Make a call whose result is a C ``int`` and no more, so that an error looks positive."""
    result = await checked(sysif, number, *args)
    if result - ONE_TOO_MUCH >= LOWEST_ERROR:
        raise kernel_error(ONE_TOO_MUCH - result, name_of(number), sysif, None, args)
    return result


async def run(sysif: SyscallInterface, program: Program, path: object = None) -> Results:
    """Carry out a program; raises the error of the call that ended it."""
    results = await sysif.execute(program)
    if results.interrupted and not results.complete:
        await trio.lowlevel.checkpoint_if_cancelled()
    return results.check(sysif, path)
