"""File systems that can be mounted by this user, and control groups."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from errno import EACCES, EPERM, EROFS
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rsyscall_ns.near.abi.fcntl_h import AT, O
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR, OPEN_TREE, MountAttr
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.tasks.task import ChildTask, Task

from .finding import MissingError, Probe
from .sysctl import user_namespace_cure

__all__ = ["PROBES"]

CGROUP2: Final = "cgroup2"


@asynccontextmanager
async def scratch(task: Task) -> AsyncGenerator[tuple[ChildTask, str]]:
    """Give a child that is root in a mount namespace, and an empty tmpfs there."""
    with TemporaryDirectory(prefix="rsyscall-ns-doctor.") as place:
        flags = CLONE.NEWUSER | CLONE.NEWNS
        async with task.spawn(flags, uid_map=True, gid_map=True) as child:
            await child.mount.mount("tmpfs", place, "tmpfs")
            yield child, place


async def tmpfs(task: Task) -> str:
    """Mount memory as files."""
    async with scratch(task) as (child, place):
        await child.fs.mkdir(f"{place}/made")
    return "mounted, and written to"


async def overlay(task: Task) -> str:
    """Mount a directory above another one."""
    async with scratch(task) as (child, place):
        for name in ("lower", "upper", "work", "merged"):
            await child.fs.mkdir(f"{place}/{name}")
        await child.fs.mkdir(f"{place}/lower/seen")
        data = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work,userxattr"
        await child.mount.mount("overlay", f"{place}/merged", "overlay", data=data)
        if not await child.fs.is_dir(f"{place}/merged/seen"):
            raise MissingError("it was mounted, but the lower directory is not seen")
    return "mounted in a new user namespace"


async def id_mapped(task: Task) -> str:
    """Have a mount show other ids than its files have."""
    async with scratch(task) as (child, place), child.spawn(CLONE.NEWUSER, uid_map=True) as other:
        theirs = await (await other.ns.open("user")).pass_to(child)
        async with await child.mount.open_tree(place, OPEN_TREE.CLONE) as tree:
            wanted = MountAttr(attr_set=MOUNT_ATTR.IDMAP)
            await tree.mount_setattr(wanted, AT.RECURSIVE, userns=theirs)
    return "a tmpfs was mounted with ids mapped"


async def fuse(task: Task) -> str:
    """Open what serves a file system of one's own."""
    await (await task.dev.open_fuse()).close()
    return "/dev/fuse opens"


async def cgroups(task: Task) -> str:
    """Make a control group below our own, and start a child in it."""
    ours = own_cgroup()
    place = f"{ours}/rsyscall-ns-doctor.{os.getpid()}"
    await task.fs.mkdir(place)
    try:
        group = await task.fs.open(place, O.RDONLY | O.DIRECTORY)
        async with group, task.spawn(cgroup=group):
            pass
        controllers = (await task.fs.read_text(f"{place}/cgroup.controllers")).split()
    finally:
        await task.fs.rmdir(place)
    return f"{ours}: {', '.join(controllers) or 'no controllers, but kill and freeze'}"


def own_cgroup() -> str:
    """Return where our own control group is, on cgroup2."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith(f"{CGROUP2} "):
            *_, root, place = before.split()[:5]
            break
    else:
        raise MissingError("cgroup2 is not mounted", f"mount -t {CGROUP2} none /sys/fs/cgroup")
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            path = line.removeprefix("0::").removeprefix(root.rstrip("/"))
            return f"{place}{path}".rstrip("/")
    raise MissingError("this process is in no group of cgroup2")


def cgroup_cure(error: int) -> str:
    """Return how a user gets a control group of its own."""
    if error in {EACCES, EPERM, EROFS}:
        return "systemd-run --user --scope -p Delegate=yes COMMAND, or chown the group to the user"
    return ""


PROBES: Final = (
    Probe("files", "tmpfs", tmpfs, user_namespace_cure),
    Probe("files", "overlay", overlay, lambda _: "modprobe overlay; Linux 5.11 or newer for users"),
    Probe("files", "id-mapped mounts", id_mapped, lambda _: "Linux 6.3 or newer for a tmpfs"),
    Probe("files", "FUSE", fuse, lambda _: "modprobe fuse; chmod 666 /dev/fuse"),
    Probe("cgroup", "groups of one's own", cgroups, cgroup_cure),
)
