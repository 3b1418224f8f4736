"""MountFD: a mount by its fd, mounted somewhere or nowhere."""

from __future__ import annotations

from typing import ClassVar, final

import trio
from attrs import evolve

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.passing import PathLike, borrowed, given, path_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.fcntl_h import AT, F_GETFL, O
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR, MOVE_MOUNT, MS, OPEN_TREE, MountAttr
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import mount as near_mount
from rsyscall_ns.near.errors import RsyscallError

from .file import FileFD
from .namespace import NamespaceFD

__all__ = ["Attr", "MountFD", "MountFlagsError", "attr_given", "tree_flags"]

Attr = MountAttr | Pointer[MountAttr]
NO_AT = AT(0)
PROPAGATIONS = {MS.NONE, MS.PRIVATE, MS.SLAVE, MS.SHARED, MS.UNBINDABLE}
AT_OF_TREES = int(AT.EMPTY_PATH | AT.NO_AUTOMOUNT | AT.SYMLINK_NOFOLLOW | AT.RECURSIVE)


class MountFlagsError(RsyscallError, ValueError):
    """Flags or attributes of mounts that contradict each other."""

    def __init__(self, flags: object, why: str) -> None:
        super().__init__(f"{flags!r}: {why}")


@final
class MountFD(FileFD):
    """A mount, or a tree of them; what is mounted nowhere is unmounted with its last fd."""

    __slots__ = ()
    kind: ClassVar[str] = "mount"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` names a place without opening it, as O_PATH does."""
        await FileFD.check_kind(fd)
        with fd.borrow() as near_id:
            flags = await near_fd.fcntl(fd.task.sysif, near_id, F_GETFL, 0)
        if not flags & O.PATH:
            raise FDKindError(fd, cls.__name__, "it is open: mounts are named by O_PATH")

    async def move_to(
        self,
        path: PathLike = b"",
        flags: MOVE_MOUNT = MOVE_MOUNT.NONE,
        *,
        dir_fd: FileDescriptor | None = None,
    ) -> None:
        """Put the mount, with all below it, onto ``path``, seen from ``dir_fd``.

        An empty path is ``dir_fd`` itself. ``MOVE_MOUNT.BENEATH`` puts it under what is there
        on top. ``move_mount(2)``.
        """
        task = self.task
        how = flags | MOVE_MOUNT.F_EMPTY_PATH
        if dir_fd is not None:
            how |= MOVE_MOUNT.T_EMPTY_PATH
        with (
            self.borrow() as near_id,
            task.transient(1) as empty,
            path_given(task, path) as to,
            borrowed(task, dir_fd) as there,
        ):
            await near_mount.move_mount(task.sysif, near_id, empty.address, there, to.address, how)

    async def mount_setattr(
        self, attr: Attr, flags: AT = NO_AT, *, userns: NamespaceFD | None = None
    ) -> None:
        """Change attributes of the mount; with ``AT.RECURSIVE`` of all below it too.

        ``userns``: whose id maps the mount gets, with ``MOUNT_ATTR.IDMAP``; only while it is
        mounted nowhere. ``mount_setattr(2)``.
        """
        task = self.task
        with (
            self.borrow() as near_id,
            task.transient(1) as empty,
            attr_given(task, attr, userns) as there,
        ):
            await near_mount.mount_setattr(
                task.sysif,
                near_id,
                empty.address,
                flags | AT.EMPTY_PATH,
                there.address,
                there.size,
            )

    @trio.lowlevel.enable_ki_protection
    async def open_tree(
        self,
        path: PathLike = b"",
        flags: int = OPEN_TREE.CLONE,
    ) -> MountFD:
        """Return a copy of the mount, mounted nowhere, or of what is at ``path`` within.

        With ``AT.RECURSIVE`` all below it is copied too. ``open_tree(2)``.
        """
        task = self.task
        how = tree_flags(flags) | AT.EMPTY_PATH
        await task.sweep()
        with self.borrow() as near_id, path_given(task, path) as name:
            made = await near_mount.open_tree(task.sysif, near_id, name.address, how)
            return MountFD(task, made)


def tree_flags(flags: int) -> int:
    """Return the flags of open_tree, close-on-exec; others, or a contradiction, are refused."""
    bits = int(flags)
    known = int(OPEN_TREE.CLONE | O.CLOEXEC) | AT_OF_TREES
    if bits & ~known:
        raise MountFlagsError(hex(bits & ~known), "open_tree knows no such flags")
    if bits & AT.RECURSIVE and not bits & OPEN_TREE.CLONE:
        raise MountFlagsError(AT.RECURSIVE, "only a copy is made of all below: OPEN_TREE.CLONE")
    return bits | O.CLOEXEC


@final
class attr_given:  # noqa: N801 - used as a function: ``with attr_given(task, attr, None) as there``
    """A ``MountAttr`` for a call to read, with the number of its user namespace's fd."""

    __slots__ = ("_attr", "_borrow", "_given", "_task")

    def __init__(self, task: MemoryTask, attr: Attr, userns: NamespaceFD | None) -> None:
        if isinstance(attr, MountAttr):
            check_attr(attr, userns)
        elif userns is not None:
            raise MountFlagsError(userns, "a pointer's struct says itself which user namespace")
        self._task = task
        self._attr = attr
        self._borrow = None if userns is None else userns.borrow(task)

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> given:
        attr = self._attr
        if isinstance(attr, MountAttr) and self._borrow is not None:
            attr = evolve(attr, userns_fd=self._borrow.__enter__().number)
        self._given = given(self._task, attr)
        return self._given.__enter__()

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        self._given.__exit__()


def check_attr(attr: MountAttr, userns: NamespaceFD | None) -> None:
    """Refuse attributes that contradict each other."""
    if attr.propagation not in PROPAGATIONS:
        raise MountFlagsError(attr, "its propagation is one of PRIVATE, SLAVE, SHARED, UNBINDABLE")
    if bool(attr.attr_set & MOUNT_ATTR.IDMAP) != (userns is not None):
        raise MountFlagsError(attr, "MOUNT_ATTR.IDMAP and userns= go together")
    if attr.userns_fd:
        raise MountFlagsError(attr, "the user namespace is given as userns=")
    access = attr.attr_set & MOUNT_ATTR.ATIME
    if access and attr.attr_clr & MOUNT_ATTR.ATIME != MOUNT_ATTR.ATIME:
        raise MountFlagsError(attr, "who sets NOATIME or STRICTATIME clears MOUNT_ATTR.ATIME")
