"""Attributes of mounts are changed, in a mount namespace of the test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rsyscall_ns import (
    AT,
    CLONE,
    MOUNT_ATTR,
    MS,
    OPEN_TREE,
    MountAttr,
    MountFlagsError,
    Task,
)
from tests.support.census import nothing_left
from tests.support.mounting import mounted, put, tmpfs
from tests.support.procview import mountinfo


@pytest.fixture
async def inside(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user and a mount namespace of its own."""
    before = mountinfo()
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS, uid_map=True, gid_map=True) as child:
        yield child
    assert mountinfo() == before


async def test_attributes_are_changed_by_path_and_by_fd(inside: Task, tmp_path: Path) -> None:
    await put(inside, tmp_path)
    await inside.mount.mount_setattr(tmp_path, MountAttr(attr_set=MOUNT_ATTR.RDONLY))
    with pytest.raises(OSError, match="mkdirat"):
        await inside.fs.mkdir(tmp_path / "new")
    async with await inside.mount.open_tree(tmp_path) as mount:
        change = MountAttr(
            attr_set=MOUNT_ATTR.NOSUID | MOUNT_ATTR.NOATIME,
            attr_clr=MOUNT_ATTR.RDONLY | MOUNT_ATTR.ATIME,
            propagation=MS.SHARED,
        )
        await mount.mount_setattr(change, AT.RECURSIVE)
    await inside.fs.mkdir(tmp_path / "new")
    options = (await mounted(inside))[str(tmp_path)]
    assert options.startswith("rw,nosuid,noatime shared:")


async def test_attributes_are_given_as_a_pointer_too(inside: Task, tmp_path: Path) -> None:
    await put(inside, tmp_path)
    change = await inside.ptr(MountAttr(attr_set=MOUNT_ATTR.NODEV))
    await inside.mount.mount_setattr(tmp_path, change)
    assert "nodev" in (await mounted(inside))[str(tmp_path)]
    async with await inside.ns.open("user") as user:
        with pytest.raises(MountFlagsError, match="pointer"):
            await inside.mount.mount_setattr(tmp_path, change, userns=user)


async def test_a_tree_is_opened_with_other_attributes(inside: Task, tmp_path: Path) -> None:
    await put(inside, tmp_path)
    change = MountAttr(attr_set=MOUNT_ATTR.RDONLY)
    async with await inside.mount.open_tree_attr(tmp_path, change, OPEN_TREE.CLONE) as copy:
        assert await copy.is_cloexec()
        await copy.move_to(tmp_path)
    with pytest.raises(OSError, match="mkdirat"):
        await inside.fs.mkdir(tmp_path / "new")


async def test_a_mount_gets_the_id_maps_of_a_user_namespace(local: Task, tmp_path: Path) -> None:
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWNS, uid_map=True, gid_map=True) as inside,
        inside.spawn(CLONE.NEWUSER, uid_map="5 0 1", gid_map="6 0 1") as other,
        await other.ns.open("user") as theirs,
        await theirs.pass_to(inside) as user,
        await tmpfs(inside) as mount,
    ):
        await mount.mount_setattr(MountAttr(attr_set=MOUNT_ATTR.IDMAP), userns=user)
        await mount.move_to(tmp_path)
        # the files are root's, 0, in the file system; the mount says what 0 of theirs is
        async with await inside.fs.open(tmp_path) as directory:
            found = await directory.statx()
    assert found.uid != 0


@pytest.mark.parametrize(
    "attr",
    [
        MountAttr(propagation=MS.SHARED | MS.PRIVATE),
        MountAttr(propagation=MS.BIND),
        MountAttr(attr_set=MOUNT_ATTR.IDMAP),
        MountAttr(attr_set=MOUNT_ATTR.NOATIME),
        MountAttr(userns_fd=3),
    ],
)
async def test_attributes_that_contradict_each_other_are_refused(
    task: Task, attr: MountAttr
) -> None:
    with nothing_left(task), pytest.raises(MountFlagsError):
        await task.mount.mount_setattr("/", attr)
    with nothing_left(task), pytest.raises(MountFlagsError):
        await task.mount.open_tree_attr("/", attr, OPEN_TREE.CLONE)


async def test_a_user_namespace_without_the_flag_is_refused(task: Task) -> None:
    async with await task.ns.open("user") as user:
        with pytest.raises(MountFlagsError, match="together"):
            await task.mount.mount_setattr("/", MountAttr(), userns=user)
