"""``<linux/nsfs.h>``: the ioctls of a namespace's fd, and that of a pidfd which gives one."""

from __future__ import annotations

from typing import ClassVar, Final

from .ioctl_h import io_none, io_read
from .layout import CStruct, c_struct, u32, u64

__all__ = ["NS_GET_ID", "NS_GET_MNTNS_ID", "NS_GET_NSTYPE", "NS_GET_OWNER_UID", "NS_GET_PARENT"]
__all__ += ["NS_GET_PID_FROM_PIDNS", "NS_GET_PID_IN_PIDNS", "NS_GET_TGID_FROM_PIDNS"]
__all__ += ["NS_GET_TGID_IN_PIDNS", "NS_GET_USERNS", "NS_MNT_GET_INFO", "NS_MNT_GET_NEXT"]
__all__ += ["NS_MNT_GET_PREV", "PIDFD_GET_USER_NAMESPACE", "MntNsInfo"]

NSIO: Final = 0xB7
INT, U64, INFO = 4, 8, 16

NS_GET_USERNS: Final = io_none(NSIO, 1)
NS_GET_PARENT: Final = io_none(NSIO, 2)
NS_GET_NSTYPE: Final = io_none(NSIO, 3)
NS_GET_OWNER_UID: Final = io_none(NSIO, 4)
NS_GET_MNTNS_ID: Final = io_read(NSIO, 5, U64)
NS_GET_PID_FROM_PIDNS: Final = io_read(NSIO, 6, INT)
NS_GET_TGID_FROM_PIDNS: Final = io_read(NSIO, 7, INT)
NS_GET_PID_IN_PIDNS: Final = io_read(NSIO, 8, INT)
NS_GET_TGID_IN_PIDNS: Final = io_read(NSIO, 9, INT)
NS_MNT_GET_INFO: Final = io_read(NSIO, 10, INFO)
NS_MNT_GET_NEXT: Final = io_read(NSIO, 11, INFO)
NS_MNT_GET_PREV: Final = io_read(NSIO, 12, INFO)
NS_GET_ID: Final = io_read(NSIO, 13, U64)
PIDFD_GET_USER_NAMESPACE: Final = io_none(0xFF, 9)


@c_struct
class MntNsInfo(CStruct):
    """``struct mnt_ns_info``: how many mounts a mount namespace has, and its id."""

    C_NAME: ClassVar = "struct mnt_ns_info"
    C_HEADER: ClassVar = "linux/nsfs.h"
    NEWER: ClassVar = frozenset({"size", "nr_mounts", "mnt_ns_id"})
    size: int = u32(default=INFO)
    nr_mounts: int = u32()
    mnt_ns_id: int = u64()
