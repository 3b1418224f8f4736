"""What fanotify tells."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import fanotify_events
from rsyscall_ns.near.abi.fanotify_h import FAN, FAN_INIT, FAN_MARK, FAN_RESPONSE

HEADERS: Final = ("linux/fanotify.h",)
TYPES: Final = ("FID", "DFID_NAME", "DFID", "PIDFD", "ERROR", "RANGE", "MNT")
NAMES: Final = {
    **{f"FAN_{name}": int(flag) for name, flag in FAN_INIT.__members__.items()},
    **{f"FAN_{name}": int(flag) for name, flag in FAN_RESPONSE.__members__.items()},
    **{
        f"FAN_EVENT_INFO_TYPE_{name}": int(getattr(fanotify_events, name))
        for name in (*TYPES, "OLD_DFID_NAME", "NEW_DFID_NAME")
    },
    "FANOTIFY_METADATA_VERSION": fanotify_events.VERSION,
    "sizeof(struct fanotify_event_metadata)": fanotify_events.METADATA.size,
    "sizeof(struct fanotify_event_info_header)": fanotify_events.INFO.size,
}
ENUMS: Final = {"FAN_": FAN, "FAN_MARK_": FAN_MARK}
