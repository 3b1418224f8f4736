"""The kinds of namespaces by their short names, and what is said of a set of them."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES

__all__ = ["FILE_NAMES", "NS_ALL", "NS_CGROUP", "NS_IPC", "NS_MNT", "NS_NET", "NS_PID", "NS_TIME"]
__all__ += ["NS_USER", "NS_UTS", "ORDER", "UserNamespaceWarning", "get_ns_string"]

NS_TIME: Final = CLONE.NEWTIME
NS_MNT: Final = CLONE.NEWNS
NS_CGROUP: Final = CLONE.NEWCGROUP
NS_UTS: Final = CLONE.NEWUTS
NS_IPC: Final = CLONE.NEWIPC
NS_USER: Final = CLONE.NEWUSER
NS_PID: Final = CLONE.NEWPID
NS_NET: Final = CLONE.NEWNET
NS_ALL: Final = NEW_NAMESPACES

# What each is called in /proc/PID/ns, in the order in which somebody with all rights joins them:
# the user namespace last, since whoever is in there has no rights over the others any more.
FILE_NAMES: Final[dict[CLONE, str]] = {
    NS_TIME: "time",
    NS_CGROUP: "cgroup",
    NS_UTS: "uts",
    NS_IPC: "ipc",
    NS_PID: "pid",
    NS_NET: "net",
    NS_MNT: "mnt",
    NS_USER: "user",
}
ORDER: Final = tuple(FILE_NAMES)


class UserNamespaceWarning(UserWarning):
    """A user namespace is really joined: whoever does so himself can't come back.

    ``gid`` and ``uid`` own it, it is that of process ``pid``. Here a process of its own joins it.
    """

    def __init__(self, gid: int, uid: int, pid: int) -> None:
        super().__init__(
            f"the user namespace of process {pid}, which belongs to gid {gid} and uid {uid}, is "
            "joined for good, by a process of its own"
        )
        self.gid = gid
        self.uid = uid
        self.pid = pid


def get_ns_string(types: int) -> str:
    """Return the names of some kinds, as ``pid|net``; the user namespace comes last."""
    return "|".join(name for kind, name in FILE_NAMES.items() if int(types) & int(kind))
