"""``<linux/userfaultfd.h>``: page faults that are told of, and how they are resolved."""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, i64, nested, u64

__all__ = ["UFFDIO", "UFFD_API", "UFFD_EVENT", "UFFD_FEATURE", "UFFD_PAGEFAULT", "UFFD_REGISTER"]
__all__ += ["UFFD_MSG_SIZE", "UFFD_USER_MODE_ONLY", "UffdMsg", "UffdioApi", "UffdioContinue"]
__all__ += ["UffdioCopy", "UffdioMove", "UffdioRange", "UffdioRegister", "UffdioWriteprotect"]
__all__ += ["UffdioZeropage"]

UFFD_API: Final = 0xAA
UFFD_USER_MODE_ONLY: Final = 1
UFFD_MSG_SIZE: Final = 32
MESSAGE: Final = struct.Struct("<B7xQQQ")
FAULT_THREAD: Final = 0xFFFFFFFF
MASK: Final = 2**64 - 1
NOWHERE: Final = Address(0)


class UFFD_FEATURE(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``UFFD_FEATURE_*``: what a kernel can do."""

    NONE = 0
    PAGEFAULT_FLAG_WP = 1
    EVENT_FORK = 2
    EVENT_REMAP = 4
    EVENT_REMOVE = 8
    MISSING_HUGETLBFS = 0x10
    MISSING_SHMEM = 0x20
    EVENT_UNMAP = 0x40
    SIGBUS = 0x80
    THREAD_ID = 0x100
    MINOR_HUGETLBFS = 0x200
    MINOR_SHMEM = 0x400
    EXACT_ADDRESS = 0x800
    WP_HUGETLBFS_SHMEM = 0x1000
    WP_UNPOPULATED = 0x2000
    POISON = 0x4000
    WP_ASYNC = 0x8000
    MOVE = 0x10000


class UFFD_EVENT(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``UFFD_EVENT_*``: what has happened."""

    PAGEFAULT = 0x12
    FORK = 0x13
    REMAP = 0x14
    REMOVE = 0x15
    UNMAP = 0x16


class UFFD_PAGEFAULT(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``UFFD_PAGEFAULT_FLAG_*``: which fault it was; 0 is a read of a missing page."""

    NONE = 0
    WRITE = 1
    WP = 2
    MINOR = 4


class UFFD_REGISTER(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``UFFDIO_REGISTER_MODE_*``: of which faults one wants to know."""

    MISSING = 1
    WP = 2
    MINOR = 4


class UFFDIO(IntEnum):
    """``UFFDIO_*``: the requests."""

    API = 0xC018AA3F
    REGISTER = 0xC020AA00
    UNREGISTER = 0x8010AA01
    WAKE = 0x8010AA02
    COPY = 0xC028AA03
    ZEROPAGE = 0xC020AA04
    MOVE = 0xC028AA05
    WRITEPROTECT = 0xC018AA06
    CONTINUE = 0xC020AA07
    POISON = 0xC020AA08


@c_struct
class UffdioApi(CStruct):
    """``struct uffdio_api``: features asked for, and given."""

    C_NAME: ClassVar = "struct uffdio_api"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    api: int = u64(default=UFFD_API)
    features: UFFD_FEATURE = u64(UFFD_FEATURE)
    ioctls: int = u64()


@c_struct
class UffdioRange(CStruct):
    """``struct uffdio_range``: addresses."""

    C_NAME: ClassVar = "struct uffdio_range"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    start: int = u64()
    len: int = u64()


@c_struct
class UffdioRegister(CStruct):
    """``struct uffdio_register``: a range that faults are told of."""

    C_NAME: ClassVar = "struct uffdio_register"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    range: UffdioRange = nested(UffdioRange)
    mode: UFFD_REGISTER = u64(UFFD_REGISTER)
    ioctls: int = u64()


@c_struct
class UffdioCopy(CStruct):
    """``struct uffdio_copy``: fill pages with the content of others."""

    C_NAME: ClassVar = "struct uffdio_copy"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    dst: int = u64()
    src: int = u64()
    len: int = u64()
    mode: int = u64()
    copy: int = i64()


@c_struct
class UffdioMove(CStruct):
    """``struct uffdio_move``: fill pages by moving others there."""

    C_NAME: ClassVar = "struct uffdio_move"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    NEWER: ClassVar = frozenset({"dst", "src", "len", "mode", "move"})
    dst: int = u64()
    src: int = u64()
    len: int = u64()
    mode: int = u64()
    move: int = i64()


@c_struct
class UffdioZeropage(CStruct):
    """``struct uffdio_zeropage``: fill pages with zeros."""

    C_NAME: ClassVar = "struct uffdio_zeropage"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    range: UffdioRange = nested(UffdioRange)
    mode: int = u64()
    zeropage: int = i64()


@c_struct
class UffdioWriteprotect(CStruct):
    """``struct uffdio_writeprotect``: have writes told of, or let them through."""

    C_NAME: ClassVar = "struct uffdio_writeprotect"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    range: UffdioRange = nested(UffdioRange)
    mode: int = u64()


@c_struct
class UffdioContinue(CStruct):
    """``struct uffdio_continue``: map what the page cache has."""

    C_NAME: ClassVar = "struct uffdio_continue"
    C_HEADER: ClassVar = "linux/userfaultfd.h"
    range: UffdioRange = nested(UffdioRange)
    mode: int = u64()
    mapped: int = i64()


@value
class UffdMsg:
    """``struct uffd_msg``: one event.

    ``address`` of a fault, or where a range begins that was removed, unmapped or moved; ``end`` of
    it, in bytes as the address; ``to``: where it was moved. ``thread``: who made the fault, where
    that was asked for. ``fd``: the number of the new userfaultfd of a fork, which is open.
    """

    event: UFFD_EVENT
    address: Address = NOWHERE
    flags: UFFD_PAGEFAULT = UFFD_PAGEFAULT.NONE
    thread: int = 0
    end: Address = NOWHERE
    to: Address = NOWHERE
    fd: int = -1

    @classmethod
    def unpack(cls, data: bytes) -> UffdMsg | None:
        """Return the event; None for one that is not known. ``data``: one message."""
        if len(data) != UFFD_MSG_SIZE:
            raise SerializerError("struct uffd_msg", UFFD_MSG_SIZE, len(data))
        event, first, second, third = MESSAGE.unpack(data)
        match event:
            case UFFD_EVENT.PAGEFAULT:
                flags, thread = UFFD_PAGEFAULT(first), third & FAULT_THREAD
                return cls(UFFD_EVENT.PAGEFAULT, Address(second), flags, thread)
            case UFFD_EVENT.FORK:
                return cls(UFFD_EVENT.FORK, fd=first & 0x7FFFFFFF)
            case UFFD_EVENT.REMAP:
                return cls(
                    UFFD_EVENT.REMAP,
                    Address(first),
                    end=Address(first + third & MASK),
                    to=Address(second),
                )
            case UFFD_EVENT.REMOVE | UFFD_EVENT.UNMAP:
                return cls(UFFD_EVENT(event), Address(first), end=Address(second))
            case _:
                return None
