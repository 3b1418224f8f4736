"""File systems in user space."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import fuse_h as f

HEADERS: Final = ("linux/fuse.h", "linux/ioctl.h")
ENUMS: Final = {"FOPEN_": f.FOPEN, "FUSE_NOTIFY_": f.FUSE_NOTIFY}
NAMES: Final = (
    {f"FUSE_{name}": int(member) for name, member in f.FUSE.__members__.items()}
    | {f"FUSE_{name}": int(member) for name, member in f.FUSE_INIT.__members__.items()}
    | {
        name: value
        for name, value in vars(f).items()
        if name.startswith("FUSE_") and isinstance(value, int)
    }
)
