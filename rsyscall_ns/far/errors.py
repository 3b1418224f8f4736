"""What is raised when a handle is used where it means nothing."""

from __future__ import annotations

from rsyscall_ns.near.errors import RsyscallError

__all__ = [
    "AddressSpaceMismatchError",
    "FDTableMismatchError",
    "IpcNamespaceMismatchError",
    "NamespaceMismatchError",
    "PidNamespaceMismatchError",
]


class NamespaceMismatchError(RsyscallError):
    """A handle was used through a task of another namespace; no system call was made."""

    cure = "use it through a task of its own namespace"

    def __init__(self, what: object, its: object, task: object, tasks: object) -> None:
        super().__init__(f"{what} belongs to {its}, but {task} is in {tasks}: {self.cure}")


class FDTableMismatchError(NamespaceMismatchError):
    """An fd of another fd table."""

    cure = "await fd.pass_to(task) makes a copy of the fd in the task's own table"


class AddressSpaceMismatchError(NamespaceMismatchError):
    """A pointer into another address space."""

    cure = "allocate the memory through the task that makes the call"


class PidNamespaceMismatchError(NamespaceMismatchError):
    """A process id of another pid namespace."""

    cure = "process ids mean nothing there: use a task of the same pid namespace"


class IpcNamespaceMismatchError(NamespaceMismatchError):
    """A System V IPC object of another ipc namespace."""

    cure = "ids of ipc objects mean nothing there: use a task of the same ipc namespace"
