"""DevMount: the few devices that programs need."""

from __future__ import annotations

import os
from errno import ENODEV
from stat import S_ISCHR
from typing import Final, final

from attrs import field, frozen

from rsyscall_ns.containers.errors import MountError
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Ref

from .description import NOTHING_RUNS, target_path
from .kernel import PTS_OPTIONS
from .places import DIRECTORY_MODE, FILE_MODE, Made, Places

__all__ = ["DevMount"]

NODES: Final = ("null", "zero", "full", "random", "urandom", "tty")
LINKS: Final = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
PLAIN: Final = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NOEXEC


@final
@frozen
class DevMount:
    """A minimal ``/dev``: a small tmpfs, with the host's null, zero, full, random, urandom and tty.

    It has terminals of its own (``pts``, ``ptmx``), an empty ``shm``, and ``fd``, ``stdin``,
    ``stdout`` and ``stderr`` as links into ``/proc``.
    """

    target: str = field(default="/dev", converter=target_path)

    @property
    def place(self) -> str:
        """Where it goes."""
        return self.target

    def check(self) -> bool:
        """Look at the host's devices: each must be one."""
        for name in NODES:
            path = f"/dev/{name}"
            try:
                device = S_ISCHR(os.lstat(path).st_mode)
            except OSError as error:
                number = error.errno or 0
                raise MountError(self, number, os.strerror(number), path) from error
            if not device:
                raise MountError(self, ENODEV, "no character device", path)
        return True

    def make(self, plan: Places) -> Made:
        """Append what makes the tmpfs, and the mounts that go into it."""
        with plan.blamed(self, self.target):
            return plan.filesystem("tmpfs", [("mode", "755"), ("size", "64k")], PLAIN)

    def finish(self, plan: Places, mount: Made) -> None:
        """Fill it: it is new, so nothing in it leads anywhere else."""
        call, text, here = plan.program.call, plan.text, mount.fd
        with plan.blamed(self, self.target):
            for name in NODES:
                call(SYS.mknodat, here, text(name), FILE_MODE, 0)
                self._put(plan, here, plan.tree(f"/dev/{name}", recursive=False), name)
            for name, to in LINKS.items():
                call(SYS.symlinkat, text(to), here, text(name))
            terminals = plan.filesystem("devpts", PTS_OPTIONS, PLAIN)
            shared = plan.filesystem("tmpfs", [("mode", "1777")], NOTHING_RUNS & ~MOUNT_ATTR.NOEXEC)
            for name, made in (("pts", terminals), ("shm", shared)):
                call(SYS.mkdirat, here, text(name), DIRECTORY_MODE)
                self._put(plan, here, made, name)

    @staticmethod
    def _put(plan: Places, directory: Ref, mount: Made, name: str) -> None:
        flags = O.PATH | O.NOFOLLOW | O.CLOEXEC
        target = plan.program.call(SYS.openat, directory, plan.text(name), flags, 0)
        plan.put(mount, target)
        plan.program.call(SYS.close, target)
