"""``<linux/mount.h>``: what statmount writes: a struct, and behind it the strings that it names."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, u32, u64
from .mount_h import MOUNT_ATTR, MS, STATMOUNT

__all__ = ["RawStatMount", "StatMount"]

NUMBERS: Final = (
    "mask",
    "sb_dev_major",
    "sb_dev_minor",
    "sb_magic",
    "sb_flags",
    "mnt_id",
    "mnt_parent_id",
    "mnt_id_old",
    "mnt_parent_id_old",
    "mnt_attr",
    "mnt_propagation",
    "mnt_peer_group",
    "mnt_master",
    "propagate_from",
    "mnt_ns_id",
    "supported_mask",
)
TEXTS: Final = {
    "fs_type": STATMOUNT.FS_TYPE,
    "mnt_root": STATMOUNT.MNT_ROOT,
    "mnt_point": STATMOUNT.MNT_POINT,
    "mnt_opts": STATMOUNT.MNT_OPTS,
    "fs_subtype": STATMOUNT.FS_SUBTYPE,
    "sb_source": STATMOUNT.SB_SOURCE,
}
ARRAYS: Final = {  # with the member that counts them
    "opt_array": (STATMOUNT.OPT_ARRAY, "opt_num"),
    "opt_sec_array": (STATMOUNT.OPT_SEC_ARRAY, "opt_sec_num"),
    "mnt_uidmap": (STATMOUNT.MNT_UIDMAP, "mnt_uidmap_num"),
    "mnt_gidmap": (STATMOUNT.MNT_GIDMAP, "mnt_gidmap_num"),
}
MEMBERS: Final = {"size", *NUMBERS, *TEXTS, *ARRAYS, *(count for _, count in ARRAYS.values())}


@c_struct
class RawStatMount(CStruct):
    """``struct statmount``; the members that say so are offsets of strings behind it."""

    C_NAME: ClassVar = "struct statmount"
    C_HEADER: ClassVar = "linux/mount.h"
    NEWER: ClassVar = frozenset(MEMBERS)  # the struct came with Linux 6.8, and has grown
    size: int = u32()
    mnt_opts: int = u32()  # offset
    mask: STATMOUNT = u64(STATMOUNT)
    sb_dev_major: int = u32()
    sb_dev_minor: int = u32()
    sb_magic: int = u64()
    sb_flags: int = u32()
    fs_type: int = u32()  # offset
    mnt_id: int = u64()
    mnt_parent_id: int = u64()
    mnt_id_old: int = u32()
    mnt_parent_id_old: int = u32()
    mnt_attr: MOUNT_ATTR = u64(MOUNT_ATTR)
    mnt_propagation: MS = u64(MS)
    mnt_peer_group: int = u64()
    mnt_master: int = u64()
    propagate_from: int = u64()
    mnt_root: int = u32()  # offset
    mnt_point: int = u32()  # offset
    mnt_ns_id: int = u64()
    fs_subtype: int = u32()  # offset
    sb_source: int = u32()  # offset
    opt_num: int = u32()
    opt_array: int = u32()  # offset
    opt_sec_num: int = u32()
    opt_sec_array: int = u32()  # offset
    supported_mask: STATMOUNT = u64(STATMOUNT)
    mnt_uidmap_num: int = u32()
    mnt_uidmap: int = u32()  # offset
    mnt_gidmap_num: int = u32()
    mnt_gidmap: int = u32(then=43 * 8)  # offset


@value
class StatMount:
    """What ``statmount(2)`` has told about a mount; ``mask`` says which of it is known.

    What it did not tell is None where it is text, empty where there may be several, else 0.
    """

    mask: STATMOUNT = STATMOUNT(0)
    sb_dev_major: int = 0
    sb_dev_minor: int = 0
    sb_magic: int = 0
    sb_flags: int = 0
    mnt_id: int = 0
    mnt_parent_id: int = 0
    mnt_id_old: int = 0
    mnt_parent_id_old: int = 0
    mnt_attr: MOUNT_ATTR = MOUNT_ATTR(0)
    mnt_propagation: MS = MS.NONE
    mnt_peer_group: int = 0
    mnt_master: int = 0
    propagate_from: int = 0
    mnt_ns_id: int = 0
    supported_mask: STATMOUNT = STATMOUNT(0)
    fs_type: str | None = None
    mnt_root: str | None = None
    mnt_point: str | None = None
    mnt_opts: str | None = None
    fs_subtype: str | None = None
    sb_source: str | None = None
    opt_array: tuple[str, ...] = ()
    opt_sec_array: tuple[str, ...] = ()
    mnt_uidmap: tuple[str, ...] = ()
    mnt_gidmap: tuple[str, ...] = ()

    @classmethod
    def unpack(cls, data: bytes) -> StatMount:
        """Return the value at the start of ``data``; SerializerError where it is not whole."""
        fixed = RawStatMount.sizeof()
        if len(data) < fixed:
            raise SerializerError("struct statmount", fixed, len(data), least=True)
        raw = RawStatMount.unpack(data[:fixed])
        if not fixed <= raw.size <= len(data):
            raise SerializerError("struct statmount", max(raw.size, fixed), len(data), least=True)
        strings = data[fixed : raw.size]
        found: dict[str, Any] = {name: getattr(raw, name) for name in NUMBERS}
        for name, flag in TEXTS.items():
            if flag in raw.mask:
                (found[name],) = _strings(name, strings, getattr(raw, name), 1)
        for name, (flag, counter) in ARRAYS.items():
            if flag in raw.mask:
                found[name] = _strings(name, strings, getattr(raw, name), getattr(raw, counter))
        return cls(**found)

    def pack(self) -> bytes:
        """Return the bytes as the kernel writes them; what ``mask`` lacks is left out."""
        content = {name: getattr(self, name) for name in NUMBERS}
        strings = bytearray()
        for name, flag in TEXTS.items():
            if flag in self.mask:
                content[name] = len(strings)
                strings += os.fsencode(getattr(self, name) or "") + b"\0"
        for name, (flag, counter) in ARRAYS.items():
            if flag in self.mask:
                several: tuple[str, ...] = getattr(self, name)
                content[name], content[counter] = len(strings), len(several)
                strings += b"".join(os.fsencode(one) + b"\0" for one in several)
        size = RawStatMount.sizeof() + len(strings)
        return RawStatMount(size=size, **content).pack() + bytes(strings)


def _strings(name: str, data: bytes, start: int, count: int) -> tuple[str, ...]:
    """Return so many strings that end with a NUL."""
    found: list[str] = []
    for _ in range(count):
        end = data.find(b"\0", start)
        if end < 0:
            raise SerializerError(f"{name} of struct statmount", start + 1, len(data), least=True)
        found.append(os.fsdecode(data[start:end]))
        start = end + 1
    return tuple(found)
