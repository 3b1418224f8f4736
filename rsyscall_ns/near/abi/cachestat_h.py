"""``<linux/mman.h>``: what cachestat takes and writes."""

from __future__ import annotations

from typing import ClassVar

from .layout import CStruct, c_struct, u64

__all__ = ["Cachestat", "CachestatRange"]


@c_struct
class CachestatRange(CStruct):
    """``struct cachestat_range``, in bytes; ``len`` 0 is up to the end of the file."""

    C_NAME: ClassVar = "struct cachestat_range"
    C_HEADER: ClassVar = "linux/mman.h"
    NEWER: ClassVar = frozenset({"off", "len"})
    off: int = u64()
    len: int = u64()


@c_struct
class Cachestat(CStruct):
    """``struct cachestat``: pages of part of a file."""

    C_NAME: ClassVar = "struct cachestat"
    C_HEADER: ClassVar = "linux/mman.h"
    NEWER: ClassVar = frozenset(
        {"nr_cache", "nr_dirty", "nr_writeback", "nr_evicted", "nr_recently_evicted"}
    )
    cache: int = u64(c_name="nr_cache")
    dirty: int = u64(c_name="nr_dirty")
    writeback: int = u64(c_name="nr_writeback")
    evicted: int = u64(c_name="nr_evicted")
    recently_evicted: int = u64(c_name="nr_recently_evicted")
