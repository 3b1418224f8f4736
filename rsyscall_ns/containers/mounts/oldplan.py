"""OldMountPlan: mounts by ``mount(2)``, where a filter or an old kernel has nothing else.

That takes paths. So the fds of sources and targets get fixed numbers for the time of a call, and
are named through ``/proc/self/fd``; the old root, with its ``/proc``, still is the root.
"""

from __future__ import annotations

import os
from errno import EOPNOTSUPP
from pathlib import Path
from typing import Final, final

from rsyscall_ns.containers.errors import MountError
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR, MS
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Ref

from .places import Made, Options, Places

__all__ = ["OldMountPlan"]

SOURCE, TARGET = 200, 201  # above what a new child has open
LINK: Final = "/proc/self/fd/%d"
# the attributes are those flags, but for the ones of access times
SAME: Final = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC
KEPT: Final = {os.ST_RDONLY, os.ST_NOSUID, os.ST_NODEV, os.ST_NOEXEC}


@final
class OldMountPlan(Places):
    """A mount is made where it is put."""

    __slots__ = ()

    def tree(self, path: str, *, recursive: bool) -> Made:
        """Open what is to be bound, as the host has it."""
        flags = MS.BIND | (MS.REC if recursive else MS.NONE)
        source = self.program.call(SYS.openat, AT_FDCWD, self.text(path), O.PATH | O.CLOEXEC, 0)
        # what the host's mount forbids can't be left out when more is forbidden
        held = os.statvfs(path).f_flag
        changes = MS(sum(flag for flag in KEPT if held & flag))
        return Made(options=path, flags=flags, source=source, changes=changes)

    def filesystem(
        self, kind: str, options: Options = (), attributes: MOUNT_ATTR = MOUNT_ATTR.RELATIME
    ) -> Made:
        """Take note of a file system."""
        layers = [escaped(value or "", ":\\,") for key, value in options if key == "lowerdir+"]
        words = ["lowerdir=" + ":".join(layers)] if layers else []
        for key, value in options:
            if value is None:
                words.append(key)
            elif key != "lowerdir+":
                # what separates layers has its backslashes already
                text = escaped(value, "," if key == "lowerdir" else "\\,")
                words.append(f"{key}={text}")
        return Made(kind=kind, options=",".join(words), flags=MS(int(attributes & SAME)))

    def set_attributes(self, mount: Made, change: MOUNT_ATTR, *, recursive: bool) -> None:
        """Take note of them; of what is mounted already they are changed."""
        flags = MS(int(change & SAME))
        if mount.source is not None and recursive and flags and has_mounts(mount.options):
            text = "mount_setattr(2) is missing, so what is mounted below can't be changed"
            raise MountError(self.current, EOPNOTSUPP, text, mount.options)
        if mount.ref is None:
            mount.changes |= flags
            mount.flags |= MS.REMOUNT if flags else MS.NONE
        elif flags:
            call = self.program.call
            call(SYS.dup3, mount.ref, TARGET, O.CLOEXEC)
            held = mount.changes if mount.source is not None else mount.flags
            how = MS.REMOUNT | MS.BIND | held | flags
            call(SYS.mount, 0, self.text(LINK % TARGET), 0, how & ~MS.REC, 0)

    def put(self, mount: Made, target: Ref) -> None:
        """Mount it onto an fd."""
        call = self.program.call
        call(SYS.dup3, target, TARGET, O.CLOEXEC)
        self._mount(mount, LINK % TARGET)

    def _mount(self, mount: Made, path: str) -> None:
        call, place = self.program.call, self.text(path)
        if mount.source is not None:
            call(SYS.dup3, mount.source, SOURCE, O.CLOEXEC)
            call(SYS.mount, self.text(LINK % SOURCE), place, 0, mount.flags & ~MS.REMOUNT, 0)
        else:
            kind = self.text(mount.kind)
            call(SYS.mount, kind, place, kind, mount.flags, self.text(mount.options))

    def look_again(self, mount: Made, path: str, *, directory: bool) -> None:
        """Open it, as it is on top now, and change what a bind could not be made with."""
        mount.ref = self.place(path, directory=directory, make=False)
        self._change(mount)

    def _change(self, mount: Made) -> None:
        if MS.REMOUNT in mount.flags:
            how = MS.REMOUNT | MS.BIND | mount.changes
            self.program.call(SYS.dup3, mount.fd, TARGET, O.CLOEXEC)
            self.program.call(SYS.mount, 0, self.text(LINK % TARGET), 0, how, 0)

    def cover(self, mount: Made) -> None:
        """Mount the new root over the old one, which still is what paths begin at."""
        self._mount(mount, "/")
        # from the root upwards one comes to what is mounted over it
        flags = O.PATH | O.DIRECTORY | O.CLOEXEC
        mount.ref = self.program.call(SYS.openat, AT_FDCWD, self.text("/.."), flags, 0)
        self._change(mount)
        self.root, self.makes_targets = mount.ref, True


def escaped(text: str, special: str) -> str:
    """Return text with a backslash before what has a meaning."""
    return "".join("\\" + char if char in special else char for char in text)


def has_mounts(path: str) -> bool:
    """Return whether something is mounted below a directory of the host."""
    below = os.path.realpath(path).rstrip("/") + "/"
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.split()[4].startswith(below) for line in lines)
