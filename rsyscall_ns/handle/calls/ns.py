"""``task.ns``: leaving, joining and naming namespaces."""

from __future__ import annotations

import os
from errno import EINVAL, ENOSPC, EPERM, EUSERS
from typing import final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.namespace import NamespaceFD
from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import Text, length_of, text_given
from rsyscall_ns.handle.processes.clone_flags import CloneFlagsError, check_unshare_flags
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.abi.mount_h import MS
from rsyscall_ns.near.abi.nsfs_h import PIDFD_GET_USER_NAMESPACE
from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES, NO_FLAGS
from rsyscall_ns.near.abi.stat_h import (
    STATX_ATTR_MOUNT_ROOT,
    STATX_SIZE,
    statx_attributes,
)
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.calls import path as near_path
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.calls.base import checked
from rsyscall_ns.near.errors import PathError, RsyscallError
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.near.strings import c_path

__all__ = [
    "ForeignUserNamespaceError",
    "InInterpreterError",
    "NamespaceNotAllowedError",
    "Namespaces",
    "RootNotMountedError",
    "not_allowed",
]

UTSNAME_FIELD = 65
NODENAME, DOMAINNAME = 1, 5  # which of its fields
KINDS = (
    "cgroup",
    "ipc",
    "mnt",
    "net",
    "pid",
    "pid_for_children",
    "time",
    "time_for_children",
    "user",
    "uts",
)

CURES = {
    EPERM: "it needs CAP_SYS_ADMIN: add CLONE.NEWUSER, or run as root; where that is refused "
    "too, user namespaces are switched off (see user.max_user_namespaces, and your container's "
    "seccomp or AppArmor profile)",
    ENOSPC: "a limit is reached: raise the sysctl user.max_*_namespaces, or nest less deeply",
    EUSERS: "user namespaces are nested too deeply, or this kind needs memory of its own: "
    "spawn(own_memory=True)",
    EINVAL: "this kernel lacks the namespace, or the process has threads, which forbid it",
}

JOINING = {
    EINVAL: "setns(2) takes no fd of another kind than its flags say, no user namespace that the "
    "task is in already, and no process that has threads or shares its root",
}


class NamespaceNotAllowedError(RsyscallError, PermissionError):
    """A namespace that this user, kernel or limit does not allow."""

    def __init__(self, flags: int, number: int, task: object, *, joining: bool = False) -> None:
        names = [flag.name or "" for flag in CLONE if flag & NEW_NAMESPACES & flags]
        cure = CURES.get(number, "see namespaces(7)")
        if joining:
            cure = JOINING.get(number, cure)
        PermissionError.__init__(
            self, number, f"{', '.join(names)} for {task}: {os.strerror(number)}; {cure}"
        )


class RootNotMountedError(RsyscallError, OSError):
    """A mount namespace was to be made by a task whose root is no mount point."""

    def __init__(self, task: object) -> None:
        OSError.__init__(
            self,
            EINVAL,
            f"the root of {task} is no mount point, so its mounts could not be kept from the "
            "outside: make the namespace before chroot, or bind the root onto itself",
        )


class ForeignUserNamespaceError(RsyscallError, PermissionError):
    """A user namespace of another user was to be joined by a task that shares our memory."""

    def __init__(self, fd: object, owner: int, own: int) -> None:
        PermissionError.__init__(
            self,
            EPERM,
            f"{fd} belongs to uid {owner}, the task is uid {own}: whoever is root in there could "
            "read this interpreter's memory, which the task shares; make a child with NEWUSER",
        )


class InInterpreterError(RsyscallError):
    """Something that must never happen to the interpreter's own process."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} would change this interpreter for good: do it in a child, "
            "async with task.spawn(...)"
        )


def not_allowed(error: OSError, flags: int, task: object, *, joining: bool = False) -> OSError:
    """Return the named error for a failed unshare, clone or setns, or the error itself."""
    if error.errno in CURES:
        return NamespaceNotAllowedError(flags, error.errno or EPERM, task, joining=joining)
    return error


@final
class Namespaces:
    """System calls that change which namespaces the task is in; its beliefs follow."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    def _in_child(self, what: str) -> None:
        if self._task.sysif.same_thread:
            raise InInterpreterError(what)

    @trio.lowlevel.enable_ki_protection
    async def unshare(self, flags: CLONE) -> None:
        """Leave namespaces, or a shared fd table, for new ones. ``unshare(2)``.

        With ``CLONE.NEWNS`` every mount is made private, so that none made later reaches the
        outside. A new pid namespace is for children only, a new time namespace for children and
        for the next exec.
        """
        self._in_child("unshare")
        check_unshare_flags(flags)
        task = self._task
        if CLONE.NEWNS in flags:
            await self._check_root()
        with task.transient(b"/\0") as root:
            # in one go: no mount may ever be made in there that reaches the outside
            program = Program()
            program.interruptible = False
            program.call(SYS.unshare, int(flags))
            if CLONE.NEWNS in flags:
                program.call(SYS.mount, 0, root.address.value, 0, MS.REC | MS.PRIVATE, 0)
            results = await task.sysif.execute(program)
        failed = results.failure()
        if failed is None or failed[0] > 0:
            task.entered(flags)
            if CLONE.FILES in flags:
                task.files_unshared()
        try:
            results.check(task.sysif)
        except OSError as error:
            if failed is None or failed[0] > 0:
                raise
            raise not_allowed(error, flags, task) from error

    async def _check_root(self) -> None:
        """Refuse a root whose mounts could not be made private afterwards."""
        task = self._task
        with task.transient(b"/\0") as root, task.transient(STATX_SIZE) as statx:
            at, into = root.address.value, statx.address.value
            await checked(task.sysif, SYS.statx, AT_FDCWD, at, 0, 0, into, path="/")
            attributes, known = statx_attributes(statx.read())
        if known & ~attributes & STATX_ATTR_MOUNT_ROOT:
            raise RootNotMountedError(task)

    @trio.lowlevel.enable_ki_protection
    async def open(self, kind: str) -> NamespaceFD:
        """Open the task's own namespace of a kind: mnt, user, net, uts, ipc, cgroup, time, pid.

        ``namespaces(7)``. The path is ``/proc/thread-self/ns/KIND`` as the task sees it.
        """
        if kind not in KINDS:
            raise PathError(kind, f"is no kind of namespace: one of {', '.join(KINDS)}")
        task = self._task
        await task.sweep()
        with task.transient(c_path(f"/proc/thread-self/ns/{kind}")) as path:
            made = await near_path.openat(task.sysif, None, path.address, O.RDONLY | O.CLOEXEC, 0)
        return NamespaceFD(task, made)

    @trio.lowlevel.enable_ki_protection
    async def setns(self, fd: NamespaceFD | PidFD, flags: CLONE = NO_FLAGS) -> None:
        """Join a namespace (``flags``: the kind it must be of, 0 any), or those of a process.

        Of a process ``flags`` says which; its user namespace is joined first, and stays so when
        another can't be. Not a user namespace of another user: whoever is root in there could
        read our memory, which the task shares unless it is a stub. ``setns(2)``.
        """
        self._in_child("setns")
        if isinstance(fd, PidFD):
            await self._join_process(fd, flags)
            return
        kind = await fd.for_task(self._task).nstype()
        if kind == CLONE.NEWUSER:
            await self._check_owner(fd)
        await self._join(fd, flags, kind)

    async def _join_process(self, fd: PidFD, flags: CLONE) -> None:
        if int(flags) & ~int(NEW_NAMESPACES) or not flags:
            raise CloneFlagsError(flags, "of a process one or more namespaces are joined: NEW*")
        if CLONE.NEWUSER in flags:
            task = self._task
            await task.sweep()
            with fd.borrow(task) as near_id:  # what is checked is what is joined
                made = await near_fd.ioctl(task.sysif, near_id, PIDFD_GET_USER_NAMESPACE, 0)
            async with NamespaceFD(task, ids.FileDescriptor(made)) as user:
                await self._check_owner(user)
                await self._join(user, CLONE.NEWUSER, CLONE.NEWUSER)
            flags &= ~CLONE.NEWUSER
        if flags:
            await self._join(fd, flags, flags)

    async def _check_owner(self, fd: NamespaceFD) -> None:
        task = self._task
        if task.arena.apart:
            return
        owner = await fd.for_task(task).owner_uid()
        own = await near_cred.geteuid(task.sysif)
        if owner != own:
            raise ForeignUserNamespaceError(fd, owner, own)

    async def _join(self, fd: FileDescriptor, flags: CLONE, kinds: CLONE) -> None:
        task = self._task
        with fd.borrow(task) as near_id:
            try:
                await near_process.setns(task.sysif, near_id, flags)
            except OSError as error:
                raise not_allowed(error, kinds, task, joining=True) from error
        task.entered(kinds, joined=True)
        if CLONE.NEWTIME in kinds:
            task.time_namespace = task.time_for_children  # joined, unlike unshared, at once

    async def sethostname(self, name: Text) -> None:
        """Set the host name of the task's uts namespace. ``sethostname(2)``."""
        with text_given(self._task, name) as there:
            length = length_of(name)
            await near_host.sethostname(self._task.sysif, there.address, length)

    async def setdomainname(self, name: Text) -> None:
        """Set the NIS domain name of the task's uts namespace. ``setdomainname(2)``."""
        with text_given(self._task, name) as there:
            length = length_of(name)
            await near_host.setdomainname(self._task.sysif, there.address, length)

    async def gethostname(self) -> str:
        """Return the host name. ``uname(2)``."""
        return await self._uname(NODENAME)

    async def getdomainname(self) -> str:
        """Return the NIS domain name. ``uname(2)``."""
        return await self._uname(DOMAINNAME)

    async def _uname(self, place: int) -> str:
        with self._task.transient(6 * UTSNAME_FIELD) as buffer:
            await near_host.uname(self._task.sysif, buffer.address)
            field = buffer.read(place * UTSNAME_FIELD, (place + 1) * UTSNAME_FIELD)
            return os.fsdecode(field.split(b"\0", 1)[0])
