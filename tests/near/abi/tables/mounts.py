"""Mounts."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import mount_h as m

HEADERS: Final = ("fcntl.h", "linux/mount.h")
ENUMS: Final = {
    "FSCONFIG_": m.FSCONFIG,
    "FSMOUNT_": m.FSMOUNT,
    "FSOPEN_": m.FSOPEN,
    "FSPICK_": m.FSPICK,
    "LISTMOUNT_": m.LISTMOUNT,
    "MOUNT_ATTR_": m.MOUNT_ATTR,
    "MOVE_MOUNT_": m.MOVE_MOUNT,
    "MS_": m.MS,
    "OPEN_TREE_": m.OPEN_TREE,
    "STATMOUNT_": m.STATMOUNT,
}
NAMES: Final = {
    "LSMT_ROOT": m.LSMT_ROOT,
    "MOUNT_ATTR__ATIME": m.MOUNT_ATTR.ATIME,
}
