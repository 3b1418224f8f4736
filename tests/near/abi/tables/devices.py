"""Tun, loop and block devices."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import if_tun_h, loop_h

HEADERS: Final = ("linux/if_tun.h", "linux/loop.h", "linux/fs.h")
ENUMS: Final = {
    "IFF_": if_tun_h.TUN_IFF,
    "LO_FLAGS_": loop_h.LO_FLAGS,
    "TUN_F_": if_tun_h.TUN_F,
}
NAMES: Final = {
    name: value
    for module in (if_tun_h, loop_h)
    for name, value in vars(module).items()
    if name.startswith(("TUNSET", "TUNGET", "BLK", "LOOP_")) and isinstance(value, int)
}
