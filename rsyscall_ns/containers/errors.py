"""What is raised when a container can't be had as it was asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from errno import EACCES, EINVAL, ELOOP, ENODEV, ENOENT, ENOSYS, ENOTDIR, EPERM, EROFS, EXDEV
from typing import ClassVar

from rsyscall_ns.near.errors import RsyscallError

__all__ = [
    "CallablePickleError",
    "ContainerArgumentError",
    "ContainerSetupError",
    "ContainerStateError",
    "ForeignImportError",
    "IdMapHelperError",
    "MountError",
    "NotInsideError",
    "PidNamespaceDeadError",
    "RemoteTracebackError",
    "ResultPickleError",
    "RootMissingError",
    "SubordinateIdError",
    "TargetEndedError",
    "ThreadsRunningError",
    "WorkdirError",
    "ZygoteLostError",
]

LEADS_OUT = "a symbolic link on the way could lead elsewhere: name the place itself"
CURES = {
    ELOOP: LEADS_OUT,
    EXDEV: LEADS_OUT,
    ENOENT: "make the place first, or mount onto a root of the container's own (rootdir)",
    ENOTDIR: "a directory goes onto a directory, a file onto a file",
    EROFS: "the place is missing, and can't be made where nothing can be written: mount what is "
    "below first, or make it read-only by its own description",
    ENOSYS: "this kernel lacks the call, or a filter of system calls denies it as if it did",
    ENODEV: "this kernel lacks the file system",
    EPERM: "a user namespace (user=True) may mount it only beside the namespaces that it shows: "
    "pid for proc, net for sysfs, ipc for mqueue; and not where the host's own is covered in part",
    EINVAL: "what is mounted below must come along (recursive=True), or an option is unknown",
}


class ContainerArgumentError(RsyscallError, ValueError):
    """Arguments of a container that contradict each other, or lack what they need."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


class ContainerStateError(RsyscallError):
    """Something was asked of a container that it can't do in its present state."""

    def __init__(self, container: object, state: str, cure: str) -> None:
        super().__init__(f"{container} {state}: {cure}")


class RootMissingError(RsyscallError, OSError):
    """The directory that was to be the root is not there, is none, or is out of reach."""

    NUMBERS: ClassVar = frozenset({ENOENT, ENOTDIR, EACCES, ELOOP})

    def __init__(self, path: str, number: int) -> None:
        OSError.__init__(
            self, number, f"no directory to be the root of a container: {os.strerror(number)}", path
        )


class MountError(RsyscallError, OSError):
    """A mount of a container could not be made; ``filename`` is its source or its target."""

    def __init__(self, mount: object, number: int, text: str, path: str) -> None:
        target = getattr(mount, "place", path)
        cure = None if number == ENOENT and path != target else CURES.get(number)
        what = type(mount).__name__
        OSError.__init__(self, number, f"{what}: {text}" + (f"; {cure}" if cure else ""), path)


class WorkdirError(RsyscallError, OSError):
    """A working directory that is not there, or that leads out of what can be reached."""

    def __init__(self, path: str, number: int, text: str) -> None:
        cure = LEADS_OUT if number in {ELOOP, EXDEV} else "give a workdir that is inside the root"
        OSError.__init__(
            self, number, f"no working directory for a container: {text}; {cure}", path
        )


class ContainerSetupError(RsyscallError, OSError):
    """A step of making a container failed that is no mount: host name, loopback, ids, root."""

    def __init__(self, what: str, number: int, text: str) -> None:
        OSError.__init__(self, number, f"{what}: {text}")


class SubordinateIdError(RsyscallError, PermissionError):
    """A range of ids that the user was not given."""

    def __init__(self, kind: str, ids: object, path: str) -> None:
        PermissionError.__init__(
            self,
            EPERM,
            f"{kind} map: {ids} is not this user's; an administrator gives ranges",
            path,
        )


class IdMapHelperError(RsyscallError):
    """``newuidmap`` or ``newgidmap`` did not write a map."""

    def __init__(self, tool: str, state: str, said: str) -> None:
        super().__init__(f"{tool} {state}: {said or 'it said nothing'}")


class CallablePickleError(RsyscallError, TypeError):
    """A callable, or what it is given, can't be taken to another process."""

    def __init__(self, target: object, why: str) -> None:
        super().__init__(
            f"{target!r} or its arguments can't be pickled, or not be made again: {why}; "
            "open files, locks and such are to be made by the callable itself"
        )


class ResultPickleError(RsyscallError, TypeError):
    """What a callable has returned, or raised, can't be taken out of its process."""

    def __init__(self, target: object, what: str, why: str) -> None:
        super().__init__(f"{target!r} has ended, but what it {what} can't be pickled: {why}")


class TargetEndedError(RsyscallError):
    """A callable's process has ended without a result: killed, or by ``exit``."""

    def __init__(self, target: object, state: object) -> None:
        super().__init__(f"{target!r} has no result, its process {state}")
        self.state = state


class ZygoteLostError(RsyscallError):
    """The interpreter that makes processes for callables died while it made one."""

    def __init__(self) -> None:
        super().__init__("the zygote died; nothing was started, and the next call starts another")


class ForeignImportError(RsyscallError, ImportError):
    """A callable would have loaded something from the files of a foreign mount namespace."""

    def __init__(self, text: str, name: str | None) -> None:
        super().__init__(text)
        self.name = name


class NotInsideError(RsyscallError):
    """``Namespace.exit`` was called by who has not been entered: it would end the caller."""

    def __init__(self) -> None:
        super().__init__("only a callable that Namespace.enter has called can end its process so")


class PidNamespaceDeadError(RsyscallError, OSError):
    """A pid namespace whose first process has ended: nobody can live in it any more."""

    def __init__(self, number: int) -> None:
        OSError.__init__(
            self,
            number,
            "no process can be made in that pid namespace, as its process 1 has ended: enter that "
            "of a process that lives",
        )


class ThreadsRunningError(RsyscallError):
    """The interpreter can't be forked: other threads run in it, which may hold any lock."""

    def __init__(self, names: Sequence[str], number: int) -> None:
        hidden = number - len(names)
        known = [*names, *([f"{hidden} that Python knows nothing of"] if hidden > 0 else [])]
        super().__init__(
            f"{number} other thread(s) run in this interpreter: {', '.join(known)}; end them "
            "(those of trio.to_thread end some seconds after their last use), or use "
            'start_method="zygote"'
        )
        self.names = tuple(names)


class RemoteTracebackError(RsyscallError):
    """The cause of an exception that was raised in a container: its traceback there."""

    def __init__(self, shown: str) -> None:
        super().__init__(f"in the container:\n{shown}")
