"""OverlayMount: several directories of the host as one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from stat import S_ISDIR
from typing import Final, final

from attrs import field, frozen

from rsyscall_ns.containers.errors import ContainerArgumentError, MountError
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR
from rsyscall_ns.near.strings import StrPath

from .description import ROOT, attributes, host_path, target_path
from .places import Made, Places

__all__ = ["OverlayMount"]

LONGEST_OPTION: Final = 255  # bytes that fsconfig takes


def layers(values: Sequence[StrPath]) -> tuple[str, ...]:
    """Return the paths of the lower layers."""
    if isinstance(values, str | bytes):
        raise ContainerArgumentError(f"lower={values!r}", "give a list of directories")
    return tuple(map(host_path, values))


def optional(value: StrPath | None) -> str | None:
    """Return a path of the caller's, if there is one."""
    return None if value is None else host_path(value)


@final
@frozen
class OverlayMount:
    """The directories ``lower``, the first on top, and ``upper``, which takes what is written.

    ``work``: an empty directory on the file system of ``upper``. Without both nothing can be
    written. ``overlay(5)`` in the kernel's documentation.
    """

    target: str = field(converter=target_path)
    lower: tuple[str, ...] = field(converter=layers)
    upper: str | None = field(default=None, converter=optional)
    work: str | None = field(default=None, converter=optional)
    readonly: bool = field(default=False, kw_only=True)
    nosuid: bool = field(default=False, kw_only=True)
    nodev: bool = field(default=False, kw_only=True)
    noexec: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if (self.upper is None) != (self.work is None):
            raise ContainerArgumentError(repr(self), "upper and work go together")
        if len(self.lower) + (self.upper is not None) < 2:  # noqa: PLR2004 - one alone is no overlay
            raise ContainerArgumentError(repr(self), "one directory alone is a BindMount")
        for path in self.directories:
            if len(os.fsencode(path)) > LONGEST_OPTION:
                raise ContainerArgumentError(path, f"longer than {LONGEST_OPTION} bytes")

    @property
    def directories(self) -> tuple[str, ...]:
        """All that it is made of."""
        return (*self.lower, *(path for path in (self.upper, self.work) if path is not None))

    @property
    def place(self) -> str:
        """Where it goes."""
        return self.target

    def check(self) -> bool:
        """Look for every layer."""
        for path in self.directories:
            try:
                found = S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - it may be bytes at heart
            except OSError as error:
                number = error.errno or 0
                raise MountError(self, number, os.strerror(number), path) from error
            if not found:
                raise ContainerArgumentError(path, "a layer of an overlay must be a directory")
        return True

    def make(self, plan: Places) -> Made:
        """Append what makes it."""
        joined = ":".join(path.replace("\\", "\\\\").replace(":", "\\:") for path in self.lower)
        options: list[tuple[str, str | None]] = [("lowerdir", joined)]
        if len(os.fsencode(joined)) > LONGEST_OPTION:  # since Linux 6.5
            options = [("lowerdir+", path) for path in self.lower]
        if self.upper is not None:
            options += [("upperdir", self.upper), ("workdir", self.work)]
        if plan.in_user_namespace:
            options.append(("userxattr", None))  # the others are for root of the host alone
        how = attributes(
            readonly=self.readonly and self.target != ROOT,
            nosuid=self.nosuid,
            nodev=self.nodev,
            noexec=self.noexec,
        )
        with plan.blamed(self, self.directories[0]):
            return plan.filesystem("overlay", options, how)

    def finish(self, plan: Places, mount: Made) -> None:
        """Close a root for writing: only now has all that it was to hold been made in it."""
        if self.readonly and self.target == ROOT:
            with plan.blamed(self, self.target):
                plan.set_attributes(mount, MOUNT_ATTR.RDONLY, recursive=False)
