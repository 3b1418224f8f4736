"""BindMount: a file or directory of the host, somewhere in the container."""

from __future__ import annotations

import os
from stat import S_ISDIR
from typing import final

from attrs import Factory, field, frozen

from rsyscall_ns.containers.errors import MountError
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR
from rsyscall_ns.tasks.idmap import IdMap

from .description import ROOT, attributes, host_path, target_path
from .places import Made, Places

__all__ = ["BindMount"]


def same_path(bind: BindMount) -> str:
    """Return the source, which is the target if none is given."""
    return bind.source


@final
@frozen
class BindMount:
    """What is at ``source`` on the host. ``mount(2)``, MS_BIND.

    ``target``: the same path, unless it is given. ``recursive``: with all that is mounted below
    it, which the attributes then hold for as well. ``id_map``: the ids of the files' owners are
    seen through it; that takes root on the host, and a file system that can do it.
    """

    source: str = field(converter=host_path)
    target: str = field(default=Factory(same_path, takes_self=True), converter=target_path)
    readonly: bool = field(default=False, kw_only=True)
    nosuid: bool = field(default=False, kw_only=True)
    nodev: bool = field(default=False, kw_only=True)
    noexec: bool = field(default=False, kw_only=True)
    recursive: bool = field(default=True, kw_only=True)
    id_map: IdMap | None = field(default=None, kw_only=True)

    @property
    def place(self) -> str:
        """Where it goes."""
        return self.target

    def check(self) -> bool:
        """Look for the source, and at what it is."""
        try:
            return S_ISDIR(os.stat(self.source).st_mode)  # noqa: PTH116 - it may be bytes at heart
        except OSError as error:
            number = error.errno or 0
            raise MountError(self, number, os.strerror(number), self.source) from error

    @property
    def change(self) -> MOUNT_ATTR:
        """The attributes that are asked for."""
        return attributes(
            readonly=self.readonly, nosuid=self.nosuid, nodev=self.nodev, noexec=self.noexec
        )

    def make(self, plan: Places) -> Made:
        """Append what makes it."""
        with plan.blamed(self, self.source):
            given = plan.given.get(self)
            if given is None:
                mount = plan.tree(self.source, recursive=self.recursive)
            else:
                mount = Made(given)
            # a root is closed for writing when all that it was to hold has been made in it
            late = MOUNT_ATTR.RDONLY if self.target == ROOT else MOUNT_ATTR.RELATIME
            plan.set_attributes(mount, self.change & ~late, recursive=self.recursive)
            return mount

    def finish(self, plan: Places, mount: Made) -> None:
        """Close a root for writing, but not what was mounted onto it since."""
        if self.readonly and self.target == ROOT:
            with plan.blamed(self, self.target):
                plan.set_attributes(mount, MOUNT_ATTR.RDONLY, recursive=False)
