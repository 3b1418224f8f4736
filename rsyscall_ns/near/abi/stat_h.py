"""``<linux/stat.h>``: what statx writes."""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, i64, nested, u16, u32, u64

__all__ = ["STATX", "STATX_ATTR", "STATX_ATTR_MOUNT_ROOT", "STATX_SIZE", "Statx", "StatxTimestamp"]
__all__ += ["statx_attributes"]

STATX_SIZE: Final = 256
STATX_ATTR_MOUNT_ROOT: Final = 0x2000
_ATTRIBUTES: Final = struct.Struct("<8xQ40xQ")


def statx_attributes(data: bytes) -> tuple[int, int]:
    """Return (``stx_attributes``, ``stx_attributes_mask``: those that the file system knows)."""
    attributes, known = _ATTRIBUTES.unpack_from(data)
    return attributes, known


class STATX(IntFlag):
    """``STATX_*``: which fields are wanted, and which were filled (``statx(2)``)."""

    TYPE = 1
    MODE = 2
    NLINK = 4
    UID = 8
    GID = 0x10
    ATIME = 0x20
    MTIME = 0x40
    CTIME = 0x80
    INO = 0x100
    SIZE = 0x200
    BLOCKS = 0x400
    BASIC_STATS = 0x7FF
    BTIME = 0x800
    MNT_ID = 0x1000
    DIOALIGN = 0x2000
    MNT_ID_UNIQUE = 0x4000
    SUBVOL = 0x8000
    WRITE_ATOMIC = 0x10000
    DIO_READ_ALIGN = 0x20000


class STATX_ATTR(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``STATX_ATTR_*``: attributes of a file."""

    COMPRESSED = 4
    IMMUTABLE = 0x10
    APPEND = 0x20
    NODUMP = 0x40
    ENCRYPTED = 0x800
    AUTOMOUNT = 0x1000
    MOUNT_ROOT = 0x2000
    VERITY = 0x100000
    DAX = 0x200000
    WRITE_ATOMIC = 0x400000


@c_struct
class StatxTimestamp(CStruct):
    """``struct statx_timestamp``: seconds and nanoseconds since 1970."""

    C_NAME: ClassVar = "struct statx_timestamp"
    C_HEADER: ClassVar = "linux/stat.h"
    sec: int = i64(c_name="tv_sec")
    nsec: int = u32(c_name="tv_nsec", then=4)

    @property
    def ns(self) -> int:
        """Nanoseconds since 1970."""
        return self.sec * 1_000_000_000 + self.nsec


@c_struct
class Statx(CStruct):
    """``struct statx``: what a file is."""

    C_NAME: ClassVar = "struct statx"
    C_HEADER: ClassVar = "linux/stat.h"
    NEWER: ClassVar = frozenset(
        {
            "stx_subvol",
            "stx_atomic_write_unit_min",
            "stx_atomic_write_unit_max",
            "stx_atomic_write_segments_max",
            "stx_dio_read_offset_align",
            "stx_atomic_write_unit_max_opt",
        }
    )
    mask: STATX = u32(STATX, c_name="stx_mask")
    blksize: int = u32(c_name="stx_blksize")
    attributes: STATX_ATTR = u64(STATX_ATTR, c_name="stx_attributes")
    nlink: int = u32(c_name="stx_nlink")
    uid: int = u32(c_name="stx_uid")
    gid: int = u32(c_name="stx_gid")
    mode: int = u16(c_name="stx_mode", then=2)
    ino: int = u64(c_name="stx_ino")
    size: int = u64(c_name="stx_size")
    blocks: int = u64(c_name="stx_blocks")
    attributes_mask: STATX_ATTR = u64(STATX_ATTR, c_name="stx_attributes_mask")
    atime: StatxTimestamp = nested(StatxTimestamp, c_name="stx_atime")
    btime: StatxTimestamp = nested(StatxTimestamp, c_name="stx_btime")
    ctime: StatxTimestamp = nested(StatxTimestamp, c_name="stx_ctime")
    mtime: StatxTimestamp = nested(StatxTimestamp, c_name="stx_mtime")
    rdev_major: int = u32(c_name="stx_rdev_major")
    rdev_minor: int = u32(c_name="stx_rdev_minor")
    dev_major: int = u32(c_name="stx_dev_major")
    dev_minor: int = u32(c_name="stx_dev_minor")
    mnt_id: int = u64(c_name="stx_mnt_id")
    dio_mem_align: int = u32(c_name="stx_dio_mem_align")
    dio_offset_align: int = u32(c_name="stx_dio_offset_align")
    subvol: int = u64(c_name="stx_subvol")
    atomic_write_unit_min: int = u32(c_name="stx_atomic_write_unit_min")
    atomic_write_unit_max: int = u32(c_name="stx_atomic_write_unit_max")
    atomic_write_segments_max: int = u32(c_name="stx_atomic_write_segments_max")
    dio_read_offset_align: int = u32(c_name="stx_dio_read_offset_align")
    atomic_write_unit_max_opt: int = u32(c_name="stx_atomic_write_unit_max_opt", then=4 + 8 * 8)
