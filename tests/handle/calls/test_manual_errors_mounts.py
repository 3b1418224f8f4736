"""Errors that the manual pages of mounts and namespaces name: each keeps its errno."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from attrs import frozen

from rsyscall_ns import (
    AT,
    CLONE,
    FSPICK,
    MOUNT_ATTR,
    MOVE_MOUNT,
    MS,
    OPEN_TREE,
    UMOUNT,
    FsContextFD,
    MountAttr,
    MountFD,
    NamespaceFD,
    O,
    PidFD,
    Task,
)
from tests.support.children import TRUE
from tests.support.mounting import put, tmpfs
from tests.support.provoked import Case, cases, provoke

LONG = "x" * 256
NO_ID = 2**62  # no mount has an id as high


@frozen
class Place:
    """A folder with a file and two folders, one of them a mount, in a child that is root there."""

    task: Task
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "file"

    @property
    def plain(self) -> Path:
        return self.folder / "plain"

    @property
    def mounted(self) -> Path:
        return self.folder / "mounted"

    async def on_context(
        self, use: Callable[[FsContextFD], Awaitable[object]], fstype: str = "tmpfs"
    ) -> None:
        """Use the context of a file system that is not made yet."""
        async with await self.task.mount.fsopen(fstype) as context:
            await use(context)

    async def on_mount(self, use: Callable[[MountFD], Awaitable[object]]) -> None:
        """Use a mount that is mounted nowhere."""
        async with await tmpfs(self.task) as mount:
            await use(mount)

    async def in_namespace(
        self, kind: str, use: Callable[[NamespaceFD], Awaitable[object]]
    ) -> None:
        """Use the child's own namespace of a kind."""
        async with await self.task.ns.open(kind) as fd:
            await use(fd)

    def bind(self, source: Path, target: Path, flags: MS = MS.BIND) -> Awaitable[None]:
        """Mount a part of the tree once more."""
        return self.task.mount.mount(source, target, flags=flags)


Use = Callable[[Place], Awaitable[object]]


async def busy(place: Place) -> None:
    """Unmount what a file is open on."""
    async with await place.task.fs.open(place.mounted / "open", O.CREAT | O.RDWR):
        await place.task.mount.umount2(place.mounted)


async def read_only_busy(place: Place) -> None:
    """Forbid to write where a file is open for that."""
    async with await place.task.fs.open(place.mounted / "open", O.CREAT | O.RDWR):
        await place.task.mount.mount_setattr(place.mounted, MountAttr(attr_set=MOUNT_ATTR.RDONLY))


async def expired(place: Place) -> None:
    """Mark what is not in use, so that it can be unmounted next time."""
    await place.task.mount.umount2(place.mounted, UMOUNT.EXPIRE)


async def made_twice(context: FsContextFD) -> None:
    """Make a file system of a context that has made one."""
    await context.create()
    await context.create()


async def mounted_twice(context: FsContextFD) -> None:
    """Mount what has been mounted."""
    await context.create()
    async with await context.fsmount():
        await context.fsmount()


async def joined_the_dead(place: Place, flags: CLONE) -> None:
    """Join the namespaces of a process that has been waited for."""
    async with place.task.launch(TRUE) as process, await process.pidfd_open() as fd:
        await process.wait()
        await joined(place, fd, flags)


async def joined(place: Place, fd: PidFD | NamespaceFD, flags: CLONE) -> None:
    await place.task.ns.setns(fd, flags)


def attr(p: Place, value: MountAttr, flags: AT = AT.NONE, path: str = "mounted") -> Awaitable[None]:
    """Change a mount of the place."""
    return p.task.mount.mount_setattr(p.folder / path, value, flags)


PROVOKED: dict[str, list[tuple[str, Use]]] = {
    "mount": [
        ("ENODEV", lambda p: p.task.mount.mount("none", p.plain, "nothing")),
        ("ENOENT", lambda p: p.task.mount.mount("none", p.folder / "none", "tmpfs")),
        ("ENOENT", lambda p: p.bind(p.folder / "none", p.plain)),
        ("ENOTDIR", lambda p: p.bind(p.plain, p.file)),
        ("ENOTDIR", lambda p: p.task.mount.mount("none", p.file, "tmpfs")),
        ("EINVAL", lambda p: p.bind(p.plain, p.mounted, MS.MOVE)),
        ("EINVAL", lambda p: p.bind(p.plain, p.plain, MS.REMOUNT)),
        ("EINVAL", lambda p: p.bind(p.plain, p.mounted, MS.PRIVATE | MS.SHARED)),
        ("EINVAL", lambda p: p.task.mount.mount("none", p.plain, "tmpfs", data="size=none")),
        ("ELOOP", lambda p: p.bind(p.mounted, p.mounted / "below", MS.MOVE)),
        ("ENAMETOOLONG", lambda p: p.task.mount.mount("none", LONG, "tmpfs")),
        ("EPERM", lambda p: p.task.mount.mount("/dev/null", p.plain, "ext4")),
    ],
    "umount2": [
        ("EAGAIN", expired),
        ("EBUSY", busy),
        ("EINVAL", lambda p: p.task.mount.umount2(p.plain)),
        ("EINVAL", lambda p: p.task.mount.umount2(p.mounted, UMOUNT.EXPIRE | UMOUNT.DETACH)),
        ("EINVAL", lambda p: p.task.mount.umount2(p.mounted, 1 << 20)),
        ("ENAMETOOLONG", lambda p: p.task.mount.umount2(LONG)),
        ("ENOENT", lambda p: p.task.mount.umount2(p.folder / "none")),
    ],
    "pivot_root": [
        ("EINVAL", lambda p: p.task.mount.pivot_root(p.plain, p.plain)),
        ("EINVAL", lambda p: p.task.mount.pivot_root(p.mounted, p.plain)),
        ("ENOTDIR", lambda p: p.task.mount.pivot_root(p.file, p.plain)),
        ("ENOTDIR", lambda p: p.task.mount.pivot_root(p.mounted, p.file)),
    ],
    "chroot": [
        ("ENOENT", lambda p: p.task.fs.chroot(p.folder / "none")),
        ("ENOTDIR", lambda p: p.task.fs.chroot(p.file)),
        ("ENAMETOOLONG", lambda p: p.task.fs.chroot(LONG)),
    ],
    "open_tree": [
        ("ENOENT", lambda p: p.task.mount.open_tree(p.folder / "none", OPEN_TREE.CLONE)),
    ],
    "move_mount": [
        ("EINVAL", lambda p: p.task.mount.move_mount(p.plain, p.mounted)),
        ("EINVAL", lambda p: p.task.mount.move_mount(p.mounted, p.plain, MOVE_MOUNT(1 << 20))),
        ("ELOOP", lambda p: p.task.mount.move_mount(p.mounted, p.mounted / "below")),
        ("ENOENT", lambda p: p.task.mount.move_mount(p.mounted, p.folder / "none")),
        ("EINVAL", lambda p: p.on_mount(lambda m: m.move_to(p.file))),
    ],
    "fsopen": [
        ("ENODEV", lambda p: p.task.mount.fsopen("nothing")),
        ("EPERM", lambda p: p.on_context(lambda c: c.create(), "ext4")),
    ],
    "fsconfig": [
        ("EINVAL", lambda p: p.on_context(lambda c: c.set_flag("nothing"))),
        ("EINVAL", lambda p: p.on_context(lambda c: c.set_string("size", "none"))),
        ("EBUSY", lambda p: p.on_context(made_twice)),
        ("EBUSY", lambda p: p.on_context(lambda c: c.reconfigure())),
    ],
    "fsmount": [
        ("EINVAL", lambda p: p.on_context(lambda c: c.fsmount())),
        ("EBUSY", lambda p: p.on_context(mounted_twice)),
        ("EINVAL", lambda p: p.on_context(lambda c: c.fsmount(MOUNT_ATTR(1 << 30)))),
    ],
    "fspick": [
        ("EINVAL", lambda p: p.task.mount.fspick(p.plain)),
        ("EINVAL", lambda p: p.task.mount.fspick(p.mounted, FSPICK(1 << 20))),
        ("ENOENT", lambda p: p.task.mount.fspick(p.folder / "none")),
    ],
    "mount_setattr": [
        ("EBUSY", read_only_busy),
        ("EINVAL", lambda p: attr(p, MountAttr(attr_set=MOUNT_ATTR.RDONLY), path="plain")),
        ("EINVAL", lambda p: attr(p, MountAttr(attr_set=MOUNT_ATTR(1 << 30)))),
        ("EINVAL", lambda p: attr(p, MountAttr(attr_set=MOUNT_ATTR.RDONLY), AT(1 << 20))),
        ("ENOENT", lambda p: attr(p, MountAttr(attr_set=MOUNT_ATTR.RDONLY), path="none")),
    ],
    "statmount": [("ENOENT", lambda p: p.task.mount.statmount(NO_ID))],
    "listmount": [("ENOENT", lambda p: p.task.mount.listmount(NO_ID))],
    "setns": [
        ("EINVAL", lambda p: p.in_namespace("uts", lambda fd: joined(p, fd, CLONE.NEWNET))),
        ("EINVAL", lambda p: p.in_namespace("user", lambda fd: joined(p, fd, CLONE.NEWUSER))),
        ("ESRCH", lambda p: joined_the_dead(p, CLONE.NEWUTS)),
    ],
    "ioctl_ns": [
        ("EPERM", lambda p: p.in_namespace("user", lambda fd: fd.parent())),
        ("EINVAL", lambda p: p.in_namespace("uts", lambda fd: fd.parent())),
        ("EINVAL", lambda p: p.in_namespace("uts", lambda fd: fd.owner_uid())),
        ("ENOTTY", lambda p: p.in_namespace("uts", lambda fd: fd.ioctl(0x5413))),
        ("EINVAL", lambda p: p.in_namespace("uts", lambda fd: fd.mntns_id())),
        ("EINVAL", lambda p: p.in_namespace("uts", lambda fd: fd.pid_in_pidns(1))),
        ("ESRCH", lambda p: p.in_namespace("pid", lambda fd: fd.pid_in_pidns(2**22 + 1))),
    ],
}


@pytest.fixture(params=["our memory", "own memory"])
async def place(
    request: pytest.FixtureRequest, local: Task, tmp_path: Path
) -> AsyncGenerator[Place, None]:
    made = tmp_path / "tree"
    made.mkdir()
    own = request.param == "own memory"
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True, own_memory=own) as child:
        await put(child, made)
        place = Place(child, made)
        for folder in (place.plain, place.mounted):
            await child.fs.mkdir(folder)
        async with await child.fs.open(place.file, O.CREAT | O.RDWR):
            pass
        await put(child, place.mounted)
        await child.fs.mkdir(place.mounted / "below")
        yield place


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(place: Place, case: Case[Place]) -> None:
    await provoke(place.task, case, place)
