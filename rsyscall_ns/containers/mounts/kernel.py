"""Mounts of file systems that the kernel itself fills: proc, sysfs, devpts and mqueue."""

from __future__ import annotations

from typing import Final, final

from attrs import field, frozen

from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR

from .description import NOTHING_RUNS, target_path
from .places import Made, Places

__all__ = ["PTS_OPTIONS", "DevptsMount", "MqueueMount", "ProcMount", "SysfsMount"]

PTS_OPTIONS: Final = (("newinstance", None), ("ptmxmode", "0666"), ("mode", "620"))


def nothing_runs(*, readonly: bool) -> MOUNT_ATTR:
    """Return the attributes of a mount where nothing can be run."""
    return NOTHING_RUNS | (MOUNT_ATTR.RDONLY if readonly else MOUNT_ATTR.RELATIME)


@frozen
class KernelMount:
    """What they share: each is a directory, and is done when it is mounted."""

    target: str

    @property
    def place(self) -> str:
        """Where it goes."""
        return self.target

    def check(self) -> bool:
        """Return that it is a directory: it needs nothing of the host."""
        return True

    def finish(self, plan: Places, mount: Made) -> None:
        """Nothing is to be done."""


@final
@frozen
class ProcMount(KernelMount):
    """A procfs, where nothing can be run. ``proc(5)``."""

    target: str = field(default="/proc", converter=target_path)
    readonly: bool = field(default=False, kw_only=True)

    def make(self, plan: Places) -> Made:
        """Append what makes it."""
        with plan.blamed(self, self.target):
            return plan.filesystem("proc", attributes=nothing_runs(readonly=self.readonly))


@final
@frozen
class SysfsMount(KernelMount):
    """A sysfs; in a user namespace only with a network of its own. ``sysfs(5)``."""

    target: str = field(default="/sys", converter=target_path)
    readonly: bool = field(default=True, kw_only=True)

    def make(self, plan: Places) -> Made:
        """Append what makes it."""
        with plan.blamed(self, self.target):
            return plan.filesystem("sysfs", attributes=nothing_runs(readonly=self.readonly))


@final
@frozen
class DevptsMount(KernelMount):
    """A new instance of devpts, with a ``ptmx`` that all may open. ``pts(4)``."""

    target: str = field(default="/dev/pts", converter=target_path)

    def make(self, plan: Places) -> Made:
        """Append what makes it."""
        with plan.blamed(self, self.target):
            return plan.filesystem("devpts", PTS_OPTIONS, MOUNT_ATTR.NOSUID | MOUNT_ATTR.NOEXEC)


@final
@frozen
class MqueueMount(KernelMount):
    """An mqueue file system; in a user namespace only with ipc of its own. ``mq_overview(7)``."""

    target: str = field(default="/dev/mqueue", converter=target_path)

    def make(self, plan: Places) -> Made:
        """Append what makes it."""
        with plan.blamed(self, self.target):
            return plan.filesystem("mqueue", attributes=NOTHING_RUNS)
