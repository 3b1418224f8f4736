"""``<linux/futex.h>``: waiting on words in memory."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, i64, u32, u64

__all__ = ["FUTEX", "FUTEX2", "FUTEX_BITSET_MATCH_ANY", "FUTEX_CMD", "FUTEX_OP", "FUTEX_OP_CMP"]
__all__ += ["FUTEX_OWNER_DIED", "FUTEX_TID_MASK", "FUTEX_WAITERS", "FUTEX_WAITV_MAX"]
__all__ += ["FutexOp", "FutexWaitv", "RobustList", "RobustListHead"]

FUTEX_WAITERS: Final = 0x8000_0000
FUTEX_OWNER_DIED: Final = 0x4000_0000
FUTEX_TID_MASK: Final = 0x3FFF_FFFF
FUTEX_BITSET_MATCH_ANY: Final = 0xFFFF_FFFF
FUTEX_WAITV_MAX: Final = 128


class FUTEX_CMD(IntEnum):  # noqa: N801 - as in C
    """``FUTEX_*``: what the old call does (``futex(2)``)."""

    WAIT = 0
    WAKE = 1
    FD = 2  # gone
    REQUEUE = 3
    CMP_REQUEUE = 4
    WAKE_OP = 5
    LOCK_PI = 6
    UNLOCK_PI = 7
    TRYLOCK_PI = 8
    WAIT_BITSET = 9
    WAKE_BITSET = 10
    WAIT_REQUEUE_PI = 11
    CMP_REQUEUE_PI = 12
    LOCK_PI2 = 13


class FUTEX(IntFlag):
    """``FUTEX_*``: how the old call does it (``futex(2)``)."""

    NONE = 0
    PRIVATE_FLAG = 128
    CLOCK_REALTIME = 256


class FUTEX2(IntFlag):
    """``FUTEX2_*``: the size of a word, and where it is, for the newer calls (``futex(2)``)."""

    SIZE_U8 = 0
    SIZE_U16 = 1
    SIZE_U32 = 2
    SIZE_U64 = 3
    NUMA = 4
    MPOL = 8
    PRIVATE = 128


class FUTEX_OP(IntEnum):  # noqa: N801 - as in C
    """``FUTEX_OP_*``: what is done to the second word (``FUTEX_WAKE_OP(2const)``)."""

    SET = 0
    ADD = 1
    OR = 2
    ANDN = 3
    XOR = 4


class FUTEX_OP_CMP(IntEnum):  # noqa: N801 - as in C
    """``FUTEX_OP_CMP_*``: how its old value is compared (``FUTEX_WAKE_OP(2const)``)."""

    EQ = 0
    NE = 1
    LT = 2
    LE = 3
    GT = 4
    GE = 5


@value
class FutexOp:
    """What is done to a word, and for which old values its waiters are woken.

    Both arguments are of 12 bits, with a sign. ``shift``: the first is 1 shifted by so many bits.
    """

    op: FUTEX_OP
    oparg: int
    cmp: FUTEX_OP_CMP = FUTEX_OP_CMP.EQ
    cmparg: int = 0
    shift: bool = False

    def pack(self) -> int:
        """Return it as the call takes it."""
        oparg = fit("oparg", self.oparg, 0 if self.shift else -2048, 31 if self.shift else 2047)
        cmparg = fit("cmparg", self.cmparg, -2048, 2047)
        op = self.op | (8 if self.shift else 0)
        return op << 28 | self.cmp << 24 | (oparg & 0xFFF) << 12 | cmparg & 0xFFF


@c_struct
class FutexWaitv(CStruct):
    """``struct futex_waitv``: one word to wait on, and the value that it must have."""

    C_NAME: ClassVar = "struct futex_waitv"
    C_HEADER: ClassVar = "linux/futex.h"
    val: int = u64()
    uaddr: int = u64()
    flags: FUTEX2 = u32(FUTEX2, then=4)


@c_struct
class RobustList(CStruct):
    """``struct robust_list``: an entry; ``next``: the address of the next one, or of the head."""

    C_NAME: ClassVar = "struct robust_list"
    C_HEADER: ClassVar = "linux/futex.h"
    next: int = u64()


@c_struct
class RobustListHead(CStruct):
    """``struct robust_list_head``: a thread's list of locks.

    ``next``: the address of the first entry, its own if there is none. ``futex_offset``: where an
    entry's word is, from the entry on. ``list_op_pending``: an entry that is being put there.
    """

    C_NAME: ClassVar = "struct robust_list_head"
    C_HEADER: ClassVar = "linux/futex.h"
    next: int = u64(c_name="list.next")
    futex_offset: int = i64()
    list_op_pending: int = u64()
