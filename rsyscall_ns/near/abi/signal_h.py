"""``<signal.h>``: signals, signal sets, dispositions."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit

__all__ = [
    "ALL_SIGNALS",
    "SIG",
    "SIGACTION",
    "SIGSET_SIZE",
    "SIG_BLOCK",
    "SIG_DFL",
    "SIG_IGN",
    "SIG_SETMASK",
    "SIG_UNBLOCK",
    "SI_KERNEL",
    "check_signal",
    "pack_sigaction",
    "pack_sigset",
    "unpack_sigset",
]


class SIG(IntEnum):
    """``SIG*`` (``signal(7)``); the same numbers on x86_64 and aarch64."""

    HUP = 1
    INT = 2
    QUIT = 3
    ILL = 4
    TRAP = 5
    ABRT = 6
    BUS = 7
    FPE = 8
    KILL = 9
    USR1 = 10
    SEGV = 11
    USR2 = 12
    PIPE = 13
    ALRM = 14
    TERM = 15
    STKFLT = 16
    CHLD = 17
    CONT = 18
    STOP = 19
    TSTP = 20
    TTIN = 21
    TTOU = 22
    URG = 23
    XCPU = 24
    XFSZ = 25
    VTALRM = 26
    PROF = 27
    WINCH = 28
    IO = 29
    PWR = 30
    SYS = 31


SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK = 0, 1, 2
SIG_DFL, SIG_IGN = 0, 1
SIGSET_SIZE: Final = 8
ALL_SIGNALS: Final = 2**64 - 1
LAST: Final = 64
SI_KERNEL: Final = 0x80  # sent by the kernel: a terminal's interrupt key, for example
SIGACTION: Final = struct.Struct("<QQQQ")  # handler, flags, restorer, mask


def check_signal(number: int) -> int:
    """Return a signal number (0 asks only whether one may signal), or raise."""
    return fit("signal", number, 0, LAST)


def pack_sigset(signals: Iterable[int]) -> bytes:
    """Return the kernel's ``sigset_t`` of these signals."""
    bits = 0
    for number in signals:
        bits |= 1 << (fit("signal", number, 1, LAST) - 1)
    return bits.to_bytes(SIGSET_SIZE, "little")


def unpack_sigset(data: bytes) -> frozenset[int]:
    """Return the signals in a kernel ``sigset_t``, which must be neither shorter nor longer."""
    if len(data) != SIGSET_SIZE:
        raise SerializerError("sigset_t", SIGSET_SIZE, len(data))
    bits = int.from_bytes(data, "little")
    return frozenset(number for number in range(1, LAST + 1) if bits >> (number - 1) & 1)


def pack_sigaction(disposition: int) -> bytes:
    """Return a kernel ``struct sigaction`` for ``SIG_DFL`` or ``SIG_IGN``."""
    return SIGACTION.pack(fit("disposition", disposition, SIG_DFL, SIG_IGN), 0, 0, 0)
