"""TmpfsMount: files in memory, gone with the container."""

from __future__ import annotations

import re
from typing import Final, final

from attrs import field, frozen

from rsyscall_ns.containers.errors import ContainerArgumentError
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR
from rsyscall_ns.near.ids import fit

from .description import ROOT, attributes, target_path
from .places import Made, Places

__all__ = ["TmpfsMount"]

SIZE: Final = re.compile(r"[0-9]+[kmgKMG%]?")
MODE_LIMIT: Final = 0o7777


def size_option(value: int | str | None) -> str | None:
    """Return a size as the kernel takes it."""
    text = None if value is None else str(value)
    if text is not None and SIZE.fullmatch(text) is None:
        raise ContainerArgumentError(f"size={value!r}", "write bytes, or such as '64m' or '10%'")
    return text


@final
@frozen
class TmpfsMount:
    """A new tmpfs. ``size``: bytes, or ``"64m"``, ``"10%"`` (of memory). ``tmpfs(5)``."""

    target: str = field(converter=target_path)
    size: str | None = field(default=None, converter=size_option, kw_only=True)
    mode: int = field(default=0o755, kw_only=True)
    readonly: bool = field(default=False, kw_only=True)
    nosuid: bool = field(default=True, kw_only=True)
    nodev: bool = field(default=True, kw_only=True)
    noexec: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        fit("mode", self.mode, 0, MODE_LIMIT)

    @property
    def place(self) -> str:
        """Where it goes."""
        return self.target

    def check(self) -> bool:
        """Return that it is a directory: it needs nothing of the host."""
        return True

    def make(self, plan: Places) -> Made:
        """Append what makes it."""
        options = [("mode", f"{self.mode:o}")]
        if self.size is not None:
            options.append(("size", self.size))
        how = attributes(
            readonly=self.readonly and self.target != ROOT,
            nosuid=self.nosuid,
            nodev=self.nodev,
            noexec=self.noexec,
        )
        with plan.blamed(self, self.target):
            return plan.filesystem("tmpfs", options, how)

    def finish(self, plan: Places, mount: Made) -> None:
        """Close a root for writing: only now has all that it was to hold been made in it."""
        if self.readonly and self.target == ROOT:
            with plan.blamed(self, self.target):
                plan.set_attributes(mount, MOUNT_ATTR.RDONLY, recursive=False)
