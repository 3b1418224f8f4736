"""``<linux/personality.h>``: which system a program takes the kernel for."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["PER", "PERSONALITY", "Personality"]

PER_MASK: Final = 0xFF
HIGHEST: Final = 2**32 - 2  # above it is the question which one there is


class PERSONALITY(IntFlag):
    """Flags of ``personality(2)``, which change single things."""

    NONE = 0
    UNAME26 = 0x20000
    ADDR_NO_RANDOMIZE = 0x40000
    FDPIC_FUNCPTRS = 0x80000
    MMAP_PAGE_ZERO = 0x100000
    ADDR_COMPAT_LAYOUT = 0x200000
    READ_IMPLIES_EXEC = 0x400000
    ADDR_LIMIT_32BIT = 0x800000
    SHORT_INODE = 0x1000000
    WHOLE_SECONDS = 0x2000000
    STICKY_TIMEOUTS = 0x4000000
    ADDR_LIMIT_3GB = 0x8000000


class PER(IntEnum):
    """``PER_*``: systems; the number without the flags that go with it in C."""

    LINUX = 0
    SVR4 = 1
    SVR3 = 2
    SCOSVR3 = 3
    WYSEV386 = 4
    ISCR4 = 5
    BSD = 6
    XENIX = 7
    LINUX32 = 8
    IRIX32 = 9
    IRIXN32 = 10
    IRIX64 = 11
    RISCOS = 12
    SOLARIS = 13
    UW7 = 14
    OSF4 = 15
    HPUX = 16


@value
class Personality:
    """An execution domain: a system, and flags (``personality(2)``)."""

    domain: PER | int = PER.LINUX
    flags: PERSONALITY = PERSONALITY.NONE

    def word(self) -> int:
        """Return it as the kernel takes it."""
        fit("domain", self.domain, 0, PER_MASK)
        return fit("personality", int(self.flags) | int(self.domain), 0, HIGHEST)

    @classmethod
    def from_word(cls, word: int) -> Personality:
        """Return what a number of the kernel's says."""
        low = fit("personality", word, 0, 2**32 - 1) & PER_MASK
        domain = PER(low) if low in PER.__members__.values() else low
        return cls(domain, PERSONALITY(word & ~PER_MASK))
