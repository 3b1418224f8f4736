"""MountDescription: what every one of them can tell, and the parts that they share."""

from __future__ import annotations

import os
from typing import Final, Protocol

from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR
from rsyscall_ns.near.errors import PathError
from rsyscall_ns.near.strings import StrPath, c_path

from .places import Made, Places

__all__ = ["NOTHING_RUNS", "ROOT", "MountDescription", "attributes", "host_path", "target_path"]

ROOT: Final = "/"
NOTHING_RUNS: Final = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC


class MountDescription(Protocol):
    """A description of a mount. Values; making one does nothing."""

    @property
    def place(self) -> str:
        """Where it goes, as the container sees it; ``/`` is the root."""
        ...

    def check(self) -> bool:
        """Refuse what is not there, as the caller sees it; returns whether it is a directory."""
        ...

    def make(self, plan: Places) -> Made:
        """Append what makes it, mounted nowhere yet; while the host's files can be seen."""
        ...

    def finish(self, plan: Places, mount: Made) -> None:
        """Append what is to be done when it is mounted; the root: when all else is too."""
        ...


def target_path(value: StrPath) -> str:
    """Return a place in the container, without doubled slashes; refused: relative ones, ``..``."""
    path = os.fsdecode(c_path(value)[:-1])
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if not path.startswith("/") or ".." in parts:
        raise PathError(path, "is no place in a container: write the whole path, without '..'")
    return ROOT + "/".join(parts)


def host_path(value: StrPath) -> str:
    """Return a path of the caller's."""
    path = os.fsdecode(c_path(value)[:-1])
    if not path:
        raise PathError(path, "is empty: '.' is the working directory")
    return path


def attributes(*, readonly: bool, nosuid: bool, nodev: bool, noexec: bool) -> MOUNT_ATTR:
    """Return the attributes of a mount that are asked for."""
    found = MOUNT_ATTR(0)
    for asked, attribute in (
        (readonly, MOUNT_ATTR.RDONLY),
        (nosuid, MOUNT_ATTR.NOSUID),
        (nodev, MOUNT_ATTR.NODEV),
        (noexec, MOUNT_ATTR.NOEXEC),
    ):
        if asked:
            found |= attribute
    return found
