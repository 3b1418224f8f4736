"""Ioctls of namespaces, and of pidfds about them."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import nsfs_h

HEADERS: Final = ("linux/nsfs.h", "linux/pidfd.h")
NAMES: Final = {
    name: value
    for name, value in vars(nsfs_h).items()
    if name.startswith(("NS_", "PIDFD_")) and isinstance(value, int)
}
