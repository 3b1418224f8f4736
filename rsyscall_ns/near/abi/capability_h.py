"""``<linux/capability.h>``: the capabilities, and sets of them."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar, Final, Self

from attrs import field

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .capability_block import CAPABILITY_DATA, capability_sets
from .layout import CStruct, c_struct, i32, u32

__all__ = ["CAP", "CapUserData", "CapUserHeader", "Capabilities"]

WORD: Final = 2**32 - 1
SET: Final = 2**64 - 1


class CAP(IntFlag):
    """``CAP_*``: capabilities, each as the bit that it is in a set (``capabilities(7)``)."""

    NONE = 0
    CHOWN = 1 << 0
    DAC_OVERRIDE = 1 << 1
    DAC_READ_SEARCH = 1 << 2
    FOWNER = 1 << 3
    FSETID = 1 << 4
    KILL = 1 << 5
    SETGID = 1 << 6
    SETUID = 1 << 7
    SETPCAP = 1 << 8
    LINUX_IMMUTABLE = 1 << 9
    NET_BIND_SERVICE = 1 << 10
    NET_BROADCAST = 1 << 11
    NET_ADMIN = 1 << 12
    NET_RAW = 1 << 13
    IPC_LOCK = 1 << 14
    IPC_OWNER = 1 << 15
    SYS_MODULE = 1 << 16
    SYS_RAWIO = 1 << 17
    SYS_CHROOT = 1 << 18
    SYS_PTRACE = 1 << 19
    SYS_PACCT = 1 << 20
    SYS_ADMIN = 1 << 21
    SYS_BOOT = 1 << 22
    SYS_NICE = 1 << 23
    SYS_RESOURCE = 1 << 24
    SYS_TIME = 1 << 25
    SYS_TTY_CONFIG = 1 << 26
    MKNOD = 1 << 27
    LEASE = 1 << 28
    AUDIT_WRITE = 1 << 29
    AUDIT_CONTROL = 1 << 30
    SETFCAP = 1 << 31
    MAC_OVERRIDE = 1 << 32
    MAC_ADMIN = 1 << 33
    SYSLOG = 1 << 34
    WAKE_ALARM = 1 << 35
    BLOCK_SUSPEND = 1 << 36
    AUDIT_READ = 1 << 37
    PERFMON = 1 << 38
    BPF = 1 << 39
    CHECKPOINT_RESTORE = 1 << 40

    @property
    def number(self) -> int:
        """Its number, as C has it; of several an ArgumentRangeError."""
        bits = int(self)
        fit("number of capabilities", bits.bit_count(), 1, 1)
        return bits.bit_length() - 1


@c_struct
class CapUserHeader(CStruct):
    """``struct __user_cap_header_struct``: which version of the call, and whose sets."""

    C_NAME: ClassVar = "struct __user_cap_header_struct"
    C_HEADER: ClassVar = "linux/capability.h"
    version: int = u32()
    pid: int = i32()


@c_struct
class CapUserData(CStruct):
    """``struct __user_cap_data_struct``: one word of each set; there are two of it."""

    C_NAME: ClassVar = "struct __user_cap_data_struct"
    C_HEADER: ClassVar = "linux/capability.h"
    effective: int = u32()
    permitted: int = u32()
    inheritable: int = u32()


def _bits(value: int) -> CAP:
    return CAP(fit("set of capabilities", value, 0, SET))


@value
class Capabilities:
    """The capability sets of a thread, as ``capget(2)`` gives them.

    ``effective``: those that count now; ``permitted``: those that it may make effective;
    ``inheritable``: what exec may keep.
    """

    effective: CAP = field(default=CAP.NONE, converter=_bits)
    permitted: CAP = field(default=CAP.NONE, converter=_bits)
    inheritable: CAP = field(default=CAP.NONE, converter=_bits)

    def pack(self) -> bytes:
        """Return both words of all sets."""
        sets = (int(self.effective), int(self.permitted), int(self.inheritable))
        return CAPABILITY_DATA.pack(*(one & WORD for one in sets), *(one >> 32 for one in sets))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the sets that ``data`` is, which must be neither shorter nor longer."""
        if len(data) != CAPABILITY_DATA.size:
            raise SerializerError(cls.__name__, CAPABILITY_DATA.size, len(data))
        effective, permitted, inheritable = capability_sets(data)
        return cls(CAP(effective), CAP(permitted), CAP(inheritable))

    @classmethod
    def sizeof(cls) -> int:
        """Return how many bytes it takes."""
        return CAPABILITY_DATA.size
