"""``<linux/loop.h>``, ``<linux/fs.h>``: block devices, and those that are made of files."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar, Final

from .ioctl_h import io_none, io_read
from .layout import CStruct, c_struct, chars, nested, u32, u64

__all__ = ["BLKALIGNOFF", "BLKBSZGET", "BLKDISCARD", "BLKFLSBUF", "BLKGETDISKSEQ", "BLKGETSIZE64"]
__all__ += ["BLKIOMIN", "BLKIOOPT", "BLKPBSZGET", "BLKRAGET", "BLKRASET", "BLKROGET", "BLKROSET"]
__all__ += ["BLKROTATIONAL", "BLKRRPART", "BLKSECDISCARD", "BLKSSZGET", "BLKZEROOUT"]
__all__ += ["LOOP_CHANGE_FD", "LOOP_CLR_FD", "LOOP_CONFIGURE", "LOOP_CTL_ADD"]
__all__ += ["LOOP_CTL_GET_FREE", "LOOP_CTL_REMOVE", "LOOP_GET_STATUS64", "LOOP_SET_BLOCK_SIZE"]
__all__ += ["LOOP_SET_CAPACITY", "LOOP_SET_DIRECT_IO", "LOOP_SET_FD", "LOOP_SET_STATUS64"]
__all__ += ["LO_FLAGS", "LoopConfig", "LoopInfo64"]

BLOCK: Final = 0x12
U64: Final = 8

BLKROSET: Final = io_none(BLOCK, 93)
BLKROGET: Final = io_none(BLOCK, 94)
BLKRRPART: Final = io_none(BLOCK, 95)
BLKFLSBUF: Final = io_none(BLOCK, 97)
BLKRASET: Final = io_none(BLOCK, 98)
BLKRAGET: Final = io_none(BLOCK, 99)
BLKSSZGET: Final = io_none(BLOCK, 104)
BLKBSZGET: Final = io_read(BLOCK, 112, U64)
BLKGETSIZE64: Final = io_read(BLOCK, 114, U64)
BLKDISCARD: Final = io_none(BLOCK, 119)
BLKIOMIN: Final = io_none(BLOCK, 120)
BLKIOOPT: Final = io_none(BLOCK, 121)
BLKALIGNOFF: Final = io_none(BLOCK, 122)
BLKPBSZGET: Final = io_none(BLOCK, 123)
BLKSECDISCARD: Final = io_none(BLOCK, 125)
BLKROTATIONAL: Final = io_none(BLOCK, 126)
BLKZEROOUT: Final = io_none(BLOCK, 127)
BLKGETDISKSEQ: Final = io_read(BLOCK, 128, U64)

LOOP_SET_FD: Final = 0x4C00
LOOP_CLR_FD: Final = 0x4C01
LOOP_SET_STATUS64: Final = 0x4C04
LOOP_GET_STATUS64: Final = 0x4C05
LOOP_CHANGE_FD: Final = 0x4C06
LOOP_SET_CAPACITY: Final = 0x4C07
LOOP_SET_DIRECT_IO: Final = 0x4C08
LOOP_SET_BLOCK_SIZE: Final = 0x4C09
LOOP_CONFIGURE: Final = 0x4C0A
LOOP_CTL_ADD: Final = 0x4C80
LOOP_CTL_REMOVE: Final = 0x4C81
LOOP_CTL_GET_FREE: Final = 0x4C82


class LO_FLAGS(IntFlag):  # noqa: N801 - the header's own prefix
    """``LO_FLAGS_*``: how a loop device works (``loop(4)``)."""

    NONE = 0
    READ_ONLY = 1
    AUTOCLEAR = 4
    PARTSCAN = 8
    DIRECT_IO = 16


@c_struct
class LoopInfo64(CStruct):
    """``struct loop_info64``: which part of which file a loop device is (``loop(4)``)."""

    C_NAME: ClassVar = "struct loop_info64"
    C_HEADER: ClassVar = "linux/loop.h"
    device: int = u64(c_name="lo_device")
    inode: int = u64(c_name="lo_inode")
    rdevice: int = u64(c_name="lo_rdevice")
    offset: int = u64(c_name="lo_offset")
    sizelimit: int = u64(c_name="lo_sizelimit")
    number: int = u32(c_name="lo_number")
    encrypt_type: int = u32(c_name="lo_encrypt_type")
    encrypt_key_size: int = u32(c_name="lo_encrypt_key_size")
    flags: LO_FLAGS = u32(LO_FLAGS, c_name="lo_flags")
    file_name: str = chars(64, text=True, c_name="lo_file_name")
    crypt_name: str = chars(64, text=True, c_name="lo_crypt_name")
    encrypt_key: bytes = chars(32, c_name="lo_encrypt_key", then=16)


@c_struct
class LoopConfig(CStruct):
    """``struct loop_config``: all that a loop device is told at once (``loop(4)``)."""

    C_NAME: ClassVar = "struct loop_config"
    C_HEADER: ClassVar = "linux/loop.h"
    fd: int = u32()
    block_size: int = u32()
    info: LoopInfo64 = nested(LoopInfo64, then=64)
