"""``<linux/landlock.h>``: what a set of rules handles, and what a rule allows."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, i32, u64

__all__ = [
    "CREATE_RULESET_ERRATA",
    "CREATE_RULESET_VERSION",
    "LANDLOCK_ACCESS_FS",
    "LANDLOCK_ACCESS_NET",
    "LANDLOCK_RESTRICT_SELF",
    "LANDLOCK_RULE",
    "LANDLOCK_SCOPE",
    "LandlockNetPortAttr",
    "LandlockPathBeneathAttr",
    "LandlockRulesetAttr",
    "abi_of",
]

CREATE_RULESET_VERSION: Final = 1
CREATE_RULESET_ERRATA: Final = 2
HEADER: Final = "linux/landlock.h"


class LANDLOCK_ACCESS_FS(IntFlag):  # noqa: N801 - the header's own prefix
    """``LANDLOCK_ACCESS_FS_*``: what may be done with files."""

    NONE = 0
    EXECUTE = 1
    WRITE_FILE = 2
    READ_FILE = 4
    READ_DIR = 8
    REMOVE_DIR = 0x10
    REMOVE_FILE = 0x20
    MAKE_CHAR = 0x40
    MAKE_DIR = 0x80
    MAKE_REG = 0x100
    MAKE_SOCK = 0x200
    MAKE_FIFO = 0x400
    MAKE_BLOCK = 0x800
    MAKE_SYM = 0x1000
    REFER = 0x2000
    TRUNCATE = 0x4000
    IOCTL_DEV = 0x8000


class LANDLOCK_ACCESS_NET(IntFlag):  # noqa: N801 - the header's own prefix
    """``LANDLOCK_ACCESS_NET_*``: what may be done with ports."""

    NONE = 0
    BIND_TCP = 1
    CONNECT_TCP = 2


class LANDLOCK_SCOPE(IntFlag):  # noqa: N801 - the header's own prefix
    """``LANDLOCK_SCOPE_*``: what is kept within the restricted processes."""

    NONE = 0
    ABSTRACT_UNIX_SOCKET = 1
    SIGNAL = 2


class LANDLOCK_RULE(IntEnum):  # noqa: N801 - the header's own prefix
    """``LANDLOCK_RULE_*``: the type of a rule."""

    PATH_BENEATH = 1
    NET_PORT = 2


class LANDLOCK_RESTRICT_SELF(IntFlag):  # noqa: N801 - the header's own prefix
    """``LANDLOCK_RESTRICT_SELF_*``: which denials the audit log gets."""

    NONE = 0
    LOG_SAME_EXEC_OFF = 1
    LOG_NEW_EXEC_ON = 2
    LOG_SUBDOMAINS_OFF = 4


@c_struct
class LandlockRulesetAttr(CStruct):
    """``struct landlock_ruleset_attr``: what is denied where no rule allows it."""

    C_NAME: ClassVar = "struct landlock_ruleset_attr"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"handled_access_net", "scoped"})
    handled_access_fs: LANDLOCK_ACCESS_FS = u64(LANDLOCK_ACCESS_FS)
    handled_access_net: LANDLOCK_ACCESS_NET = u64(LANDLOCK_ACCESS_NET)
    scoped: LANDLOCK_SCOPE = u64(LANDLOCK_SCOPE)


@c_struct
class LandlockPathBeneathAttr(CStruct):
    """``struct landlock_path_beneath_attr``: what is allowed below a directory, or on a file."""

    C_NAME: ClassVar = "struct landlock_path_beneath_attr"
    C_HEADER: ClassVar = HEADER
    PACKED: ClassVar = True
    allowed_access: LANDLOCK_ACCESS_FS = u64(LANDLOCK_ACCESS_FS)
    parent_fd: int = i32()


@c_struct
class LandlockNetPortAttr(CStruct):
    """``struct landlock_net_port_attr``: what is allowed on a port."""

    C_NAME: ClassVar = "struct landlock_net_port_attr"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"allowed_access", "port"})
    allowed_access: LANDLOCK_ACCESS_NET = u64(LANDLOCK_ACCESS_NET)
    port: int = u64()


# the first version of the interface that has each
_SINCE_FS: Final = (
    (2, LANDLOCK_ACCESS_FS.REFER),
    (3, LANDLOCK_ACCESS_FS.TRUNCATE),
    (5, LANDLOCK_ACCESS_FS.IOCTL_DEV),
)
_NET: Final = 4
_SCOPED: Final = 6


def abi_of(attr: LandlockRulesetAttr) -> int:
    """Return the first version of the interface that has all that is asked for."""
    needed = [abi for abi, right in _SINCE_FS if right & attr.handled_access_fs]
    if attr.handled_access_net:
        needed.append(_NET)
    if attr.scoped:
        needed.append(_SCOPED)
    return max(needed, default=1)
