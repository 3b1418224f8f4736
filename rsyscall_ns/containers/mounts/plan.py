"""MountPlan: mounts by the calls that Linux has since 5.2 and 5.12, by fds alone."""

from __future__ import annotations

from typing import Final, final

from rsyscall_ns.near.abi.fcntl_h import AT, AT_FDCWD, O
from rsyscall_ns.near.abi.mount_h import (
    FSCONFIG,
    FSMOUNT,
    FSOPEN,
    MOUNT_ATTR,
    MOVE_MOUNT,
    OPEN_TREE,
    MountAttr,
)
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Ref

from .places import Made, Options, Places

__all__ = ["MountPlan"]

TO_FDS: Final = int(MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH)


@final
class MountPlan(Places):
    """A mount has an fd before it is put anywhere."""

    __slots__ = ()

    def tree(self, path: str, *, recursive: bool) -> Made:
        """Make a copy of the mount of a file or directory, as the host has it."""
        flags = int(OPEN_TREE.CLONE | O.CLOEXEC) | (AT.RECURSIVE if recursive else 0)
        return Made(self.program.call(SYS.open_tree, AT_FDCWD, self.text(path), flags))

    def filesystem(
        self, kind: str, options: Options = (), attributes: MOUNT_ATTR = MOUNT_ATTR.RELATIME
    ) -> Made:
        """Make a new file system; an option without a value is a flag."""
        call = self.program.call
        context = call(SYS.fsopen, self.text(kind), FSOPEN.CLOEXEC)
        for key, value in (("source", kind), *options):
            if value is None:
                call(SYS.fsconfig, context, FSCONFIG.SET_FLAG, self.text(key), 0, 0)
            else:
                what = self.text(value)
                call(SYS.fsconfig, context, FSCONFIG.SET_STRING, self.text(key), what, 0)
        call(SYS.fsconfig, context, FSCONFIG.CMD_CREATE, 0, 0, 0)
        mount = call(SYS.fsmount, context, FSMOUNT.CLOEXEC, int(attributes))
        call(SYS.close, context)
        return Made(mount)

    def set_attributes(self, mount: Made, change: MOUNT_ATTR, *, recursive: bool) -> None:
        """Add attributes to a mount, and to those below it."""
        if change:
            flags = AT.EMPTY_PATH | (AT.RECURSIVE if recursive else 0)
            attr = MountAttr(attr_set=change).pack()
            self.program.call(
                SYS.mount_setattr, mount.fd, self.text(""), flags, self.text(attr), len(attr)
            )

    def put(self, mount: Made, target: Ref) -> None:
        """Put a mount onto an fd."""
        empty = self.text("")
        self.program.call(SYS.move_mount, mount.fd, empty, target, empty, TO_FDS)

    def cover(self, mount: Made) -> None:
        """Put the new root over the old one, which still is what paths begin at."""
        self.program.call(
            SYS.move_mount,
            mount.fd,
            self.text(""),
            AT_FDCWD,
            self.text("/"),
            int(MOVE_MOUNT.F_EMPTY_PATH),
        )
        self.root, self.makes_targets = mount.fd, True
