"""``<sys/mman.h>``, ``<linux/mman.h>``: mappings, and what is done with them."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = ["MADV", "MAP", "MCL", "MLOCK", "MREMAP", "MSYNC", "PKEY", "PROT", "SHADOW_STACK"]


class PROT(IntFlag):
    """``PROT_*`` (``mmap(2)``)."""

    NONE = 0
    READ = 1
    WRITE = 2
    EXEC = 4
    SEM = 8
    GROWSDOWN = 0x1000000
    GROWSUP = 0x2000000


class MAP(IntFlag):
    """``MAP_*`` (``mmap(2)``). ``HUGE_*`` says of which size the pages of ``HUGETLB`` are."""

    SHARED = 1
    PRIVATE = 2
    SHARED_VALIDATE = 3
    DROPPABLE = 8
    FIXED = 0x10
    ANONYMOUS = 0x20
    GROWSDOWN = 0x100
    DENYWRITE = 0x800
    EXECUTABLE = 0x1000
    LOCKED = 0x2000
    NORESERVE = 0x4000
    POPULATE = 0x8000
    NONBLOCK = 0x10000
    STACK = 0x20000
    HUGETLB = 0x40000
    SYNC = 0x80000
    FIXED_NOREPLACE = 0x100000
    HUGE_16KB = 14 << 26
    HUGE_64KB = 16 << 26
    HUGE_512KB = 19 << 26
    HUGE_1MB = 20 << 26
    HUGE_2MB = 21 << 26
    HUGE_8MB = 23 << 26
    HUGE_16MB = 24 << 26
    HUGE_32MB = 25 << 26
    HUGE_256MB = 28 << 26
    HUGE_512MB = 29 << 26
    HUGE_1GB = 30 << 26
    HUGE_2GB = 31 << 26
    HUGE_16GB = 34 << 26


class MADV(IntEnum):
    """``MADV_*``: how memory will be used (``madvise(2)``)."""

    NORMAL = 0
    RANDOM = 1
    SEQUENTIAL = 2
    WILLNEED = 3
    DONTNEED = 4
    FREE = 8
    REMOVE = 9
    DONTFORK = 10
    DOFORK = 11
    MERGEABLE = 12
    UNMERGEABLE = 13
    HUGEPAGE = 14
    NOHUGEPAGE = 15
    DONTDUMP = 16
    DODUMP = 17
    WIPEONFORK = 18
    KEEPONFORK = 19
    COLD = 20
    PAGEOUT = 21
    POPULATE_READ = 22
    POPULATE_WRITE = 23
    DONTNEED_LOCKED = 24
    COLLAPSE = 25
    HWPOISON = 100
    SOFT_OFFLINE = 101
    GUARD_INSTALL = 102
    GUARD_REMOVE = 103


class MREMAP(IntFlag):
    """``MREMAP_*`` (``mremap(2)``)."""

    NONE = 0
    MAYMOVE = 1
    FIXED = 2
    DONTUNMAP = 4


class MSYNC(IntFlag):
    """``MS_*`` of ``msync(2)``; ``MS`` is of ``mount(2)``."""

    ASYNC = 1
    INVALIDATE = 2
    SYNC = 4


class MCL(IntFlag):
    """``MCL_*``: which pages ``mlockall(2)`` keeps in memory."""

    CURRENT = 1
    FUTURE = 2
    ONFAULT = 4


class MLOCK(IntFlag):
    """``MLOCK_*`` (``mlock2(2)``)."""

    NONE = 0
    ONFAULT = 1


class PKEY(IntFlag):
    """``PKEY_*``: what a protection key forbids (``pkey_alloc(2)``)."""

    NONE = 0
    DISABLE_ACCESS = 1
    DISABLE_WRITE = 2


class SHADOW_STACK(IntFlag):  # noqa: N801 - the header's own prefix
    """``SHADOW_STACK_SET_*``: what lies in a new shadow stack (``map_shadow_stack(2)``)."""

    NONE = 0
    TOKEN = 1
    MARKER = 2
