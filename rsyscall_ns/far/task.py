"""far.Task: a system-call interface, plus the namespaces that its process is in now.

Owns the beliefs about which namespaces those are; whoever makes a call that changes them says so
here. Every check that a handle belongs to a task is made here.
"""

from __future__ import annotations

from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES
from rsyscall_ns.near.interface import SyscallInterface

from .errors import (
    AddressSpaceMismatchError,
    FDTableMismatchError,
    IpcNamespaceMismatchError,
    PidNamespaceMismatchError,
)
from .namespaces import (
    NAMESPACE_KINDS,
    AddressSpace,
    CgroupNamespace,
    FDTable,
    IpcNamespace,
    MountNamespace,
    NetNamespace,
    PidNamespace,
    TimeNamespace,
    UserNamespace,
    UtsNamespace,
)

__all__ = ["FLAG_OF_KIND", "Task"]

FLAG_OF_KIND = {
    "mnt_namespace": CLONE.NEWNS,
    "user_namespace": CLONE.NEWUSER,
    "net_namespace": CLONE.NEWNET,
    "uts_namespace": CLONE.NEWUTS,
    "ipc_namespace": CLONE.NEWIPC,
    "cgroup_namespace": CLONE.NEWCGROUP,
}
NEW = int(NEW_NAMESPACES)
NEWPID, NEWTIME = int(CLONE.NEWPID), int(CLONE.NEWTIME)
FILES, VM = int(CLONE.FILES), int(CLONE.VM)
BIT_OF_KIND = {kind: int(flag) for kind, flag in FLAG_OF_KIND.items()}


class Task:
    """A process that can be told to make system calls, seen as the namespaces it is in."""

    __slots__ = (
        "__weakref__",
        "address_space",
        "cgroup_namespace",
        "fd_table",
        "ipc_namespace",
        "mnt_namespace",
        "net_namespace",
        "pid_for_children",
        "pid_namespace",
        "sysif",
        "time_for_children",
        "time_namespace",
        "user_namespace",
        "uts_namespace",
    )

    sysif: SyscallInterface
    mnt_namespace: MountNamespace
    user_namespace: UserNamespace
    net_namespace: NetNamespace
    uts_namespace: UtsNamespace
    ipc_namespace: IpcNamespace
    cgroup_namespace: CgroupNamespace
    time_namespace: TimeNamespace

    def __init__(self, sysif: SyscallInterface, parent: Task | None, flags: CLONE) -> None:
        """Take the namespaces of ``parent``, except those that ``flags`` made anew.

        Without a parent all are new to us: the interpreter's own.
        """
        self.sysif = sysif
        if parent is None:
            self.fd_table = FDTable()
            self.address_space = AddressSpace()
            self.pid_namespace = self.pid_for_children = PidNamespace()
            for kind, cls in NAMESPACE_KINDS.items():
                setattr(self, kind, cls())
            self.time_for_children = self.time_namespace
            return
        bits = int(flags)  # plain ints: a flag type's own operators are slow
        self.fd_table = parent.fd_table if bits & FILES else FDTable()
        self.address_space = parent.address_space if bits & VM else AddressSpace()
        self.mnt_namespace = parent.mnt_namespace
        self.user_namespace = parent.user_namespace
        self.net_namespace = parent.net_namespace
        self.uts_namespace = parent.uts_namespace
        self.ipc_namespace = parent.ipc_namespace
        self.cgroup_namespace = parent.cgroup_namespace
        self.time_namespace = self.time_for_children = parent.time_for_children
        self.pid_namespace = self.pid_for_children = parent.pid_for_children
        if bits & NEW:
            self.entered(flags)
            self.pid_namespace = self.pid_for_children

    def entered(self, flags: CLONE, *, joined: bool = False) -> None:
        """Believe that the process has left these namespaces for new ones (``unshare(2)``).

        New pid and time namespaces are for its children; exec enters the latter too. ``joined``:
        they were there before (``setns(2)``), and nobody knows what they were made from.
        """
        bits = int(flags)
        for kind, cls in NAMESPACE_KINDS.items():
            if bits & BIT_OF_KIND.get(kind, 0):
                setattr(self, kind, cls(None if joined else getattr(self, kind)))
        if bits & NEWPID:
            self.pid_for_children = PidNamespace(None if joined else self.pid_for_children)
        if bits & NEWTIME:
            self.time_for_children = TimeNamespace(None if joined else self.time_for_children)

    def execed(self) -> None:
        """Believe that the process has an address space and an fd table of its own now.

        It also enters the time namespace that it has unshared (Linux 6.3 and later).
        """
        self.time_namespace = self.time_for_children
        self.address_space = AddressSpace()
        self.fd_table = FDTable()

    def check_fd_table(self, what: object, table: FDTable) -> None:
        """Refuse something that belongs to another fd table."""
        if table is not self.fd_table:
            raise FDTableMismatchError(what, table, self, self.fd_table)

    def check_address_space(self, what: object, space: AddressSpace) -> None:
        """Refuse something that belongs to another address space."""
        if space is not self.address_space:
            raise AddressSpaceMismatchError(what, space, self, self.address_space)

    def check_pid_namespace(self, what: object, namespace: PidNamespace) -> None:
        """Refuse something that belongs to another pid namespace."""
        if namespace is not self.pid_namespace:
            raise PidNamespaceMismatchError(what, namespace, self, self.pid_namespace)

    def check_ipc_namespace(self, what: object, namespace: IpcNamespace) -> None:
        """Refuse something that belongs to another ipc namespace."""
        if namespace is not self.ipc_namespace:
            raise IpcNamespaceMismatchError(what, namespace, self, self.ipc_namespace)
