"""``<linux/prctl.h>``, ``<linux/capability.h>``, ``<linux/pidfd.h>``: the parts used so far."""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["CAP_SYS_ADMIN", "PIDFD_GET_INFO", "PIDFD_INFO", "PIDFD_INFO_EXIT", "PR_SET_DUMPABLE"]
__all__ += ["PR_SET_NO_NEW_PRIVS", "PR_SET_PDEATHSIG", "capability_header", "effective_set"]

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38

CAP_SYS_ADMIN: Final = 21
_CAPABILITY_VERSION_3: Final = 0x20080522
_CAPABILITY_HEADER: Final = struct.Struct("<Ii")
_CAPABILITY_DATA: Final = struct.Struct("<6I")

# struct pidfd_info: mask, cgroupid, then 11 ids and the exit code
PIDFD_INFO: Final = struct.Struct("<QQ11Ii")
PIDFD_INFO_EXIT: Final = 1 << 3
PIDFD_GET_INFO: Final = 3 << 30 | PIDFD_INFO.size << 16 | 0xFF << 8 | 11


def capability_header(pid: int = 0) -> bytes:
    """Return the header for capget with room for its data behind it."""
    return _CAPABILITY_HEADER.pack(_CAPABILITY_VERSION_3, pid) + bytes(_CAPABILITY_DATA.size)


def effective_set(block: bytes) -> int:
    """Return the effective capabilities as bits, from a block that capget has filled."""
    low, _, _, high, _, _ = _CAPABILITY_DATA.unpack_from(block, _CAPABILITY_HEADER.size)
    bits: int = high << 32 | low
    return bits
