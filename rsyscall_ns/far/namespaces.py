"""Namespaces as objects that are compared by identity.

A near id means something only together with one of these. Owns no kernel resource.
"""

from __future__ import annotations

from itertools import count
from typing import ClassVar, Final, final

__all__ = [
    "NAMESPACE_KINDS",
    "AddressSpace",
    "CgroupNamespace",
    "FDTable",
    "IpcNamespace",
    "MountNamespace",
    "Namespace",
    "NetNamespace",
    "PidNamespace",
    "TimeNamespace",
    "UserNamespace",
    "UtsNamespace",
]

_serial = count(1)


class Namespace:
    """One namespace of some kind; each object is another one."""

    __slots__ = ("__weakref__", "parent", "serial")

    kind: ClassVar[str] = "namespace"

    def __init__(self, parent: Namespace | None = None) -> None:
        """``parent``: the one that it was made from, where somebody knows."""
        self.parent = parent
        self.serial = next(_serial)

    def __repr__(self) -> str:
        return f"{self.kind} #{self.serial}"


@final
class FDTable(Namespace):
    """What fd numbers are indexes into."""

    __slots__ = ()
    kind: ClassVar[str] = "fd table"


@final
class AddressSpace(Namespace):
    """What addresses are places in."""

    __slots__ = ()
    kind: ClassVar[str] = "address space"


@final
class PidNamespace(Namespace):
    """What process ids are names in."""

    __slots__ = ()
    kind: ClassVar[str] = "pid namespace"


@final
class MountNamespace(Namespace):
    """What mounts are seen."""

    __slots__ = ()
    kind: ClassVar[str] = "mount namespace"


@final
class UserNamespace(Namespace):
    """What user and group ids and capabilities mean."""

    __slots__ = ()
    kind: ClassVar[str] = "user namespace"


@final
class NetNamespace(Namespace):
    """What network interfaces, addresses and sockets' names are seen."""

    __slots__ = ()
    kind: ClassVar[str] = "network namespace"


@final
class UtsNamespace(Namespace):
    """What the host is called."""

    __slots__ = ()
    kind: ClassVar[str] = "uts namespace"


@final
class IpcNamespace(Namespace):
    """What System V IPC objects and POSIX message queues are seen."""

    __slots__ = ()
    kind: ClassVar[str] = "ipc namespace"


@final
class CgroupNamespace(Namespace):
    """What the root of the cgroup tree is."""

    __slots__ = ()
    kind: ClassVar[str] = "cgroup namespace"


@final
class TimeNamespace(Namespace):
    """What the monotonic and boot-time clocks show."""

    __slots__ = ()
    kind: ClassVar[str] = "time namespace"


# attribute of far.Task -> kind, for those that clone and unshare make by a CLONE_NEW flag
NAMESPACE_KINDS: Final[dict[str, type[Namespace]]] = {
    "mnt_namespace": MountNamespace,
    "user_namespace": UserNamespace,
    "net_namespace": NetNamespace,
    "uts_namespace": UtsNamespace,
    "ipc_namespace": IpcNamespace,
    "cgroup_namespace": CgroupNamespace,
    "time_namespace": TimeNamespace,
}
