"""What inotify tells."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import inotify_h

HEADERS: Final = ("sys/inotify.h",)
ENUMS: Final = {"IN_": inotify_h.IN}
NAMES: Final = {"sizeof(struct inotify_event)": inotify_h.HEAD.size}
