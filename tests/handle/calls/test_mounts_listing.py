"""What is mounted is listed and told by ids."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncGenerator
from errno import EOVERFLOW
from pathlib import Path

import pytest

from rsyscall_ns import (
    BYTES,
    CLONE,
    LSMT_ROOT,
    MOUNT_ATTR,
    MS,
    STATMOUNT,
    STATX,
    SYS,
    MissingCallError,
    MountFlagsError,
    NamespaceFD,
    O,
    SerializerError,
    StatMount,
    Task,
)
from rsyscall_ns.handle.calls.mountlist import listmount, statmount
from rsyscall_ns.near import ids
from rsyscall_ns.near.calls import mount as near_mount
from tests.support.census import nothing_left

ALL = STATMOUNT(0x7FFF)


@pytest.fixture(autouse=True)
async def _has_them(local: Task) -> None:
    try:
        await local.mount.listmount()
    except MissingCallError as error:
        pytest.skip(f"no listmount here: {error}")


@pytest.fixture
async def inside(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user and a mount namespace of its own."""
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS, uid_map=True, gid_map=True) as child:
        yield child


async def id_of(task: Task, path: Path | str) -> int:
    async with await task.fs.open(path) as file:
        return (await file.statx(STATX.MNT_ID_UNIQUE)).mnt_id


async def test_a_mount_is_told_about(inside: Task, tmp_path: Path) -> None:
    await inside.mount.mount("my source", tmp_path, "tmpfs", MS.NODEV, "size=64k")
    mnt_id = await id_of(inside, tmp_path)

    found = await inside.mount.statmount(mnt_id, ALL)

    assert found.mnt_id == mnt_id
    assert found.fs_type == "tmpfs"
    assert found.mnt_point == str(tmp_path)
    assert found.mnt_root == "/"
    assert found.sb_magic == 0x01021994
    assert found.mnt_attr & MOUNT_ATTR.NODEV
    assert found.mnt_propagation == MS.PRIVATE
    if STATMOUNT.MNT_OPTS in found.mask:
        assert found.mnt_opts is not None
        assert "size=64k" in found.mnt_opts
    if STATMOUNT.SB_SOURCE in found.mask:
        assert found.sb_source == "my source"
    if STATMOUNT.OPT_ARRAY in found.mask:
        assert "size=64k" in found.opt_array
    assert StatMount.unpack(found.pack()) == found
    assert found.mnt_parent_id in await inside.mount.listmount()


async def test_what_was_not_asked_for_is_not_told(task: Task) -> None:
    found = await task.mount.statmount(await id_of(task, "/"), STATMOUNT.FS_TYPE)

    assert found.mask == STATMOUNT.FS_TYPE
    assert found.fs_type
    assert found.mnt_point is None


async def test_the_answer_is_given_in_the_callers_memory(task: Task) -> None:
    memory = await task.malloc(BYTES, 2048)
    filled = await task.mount.statmount(await id_of(task, "/"), into=memory)
    assert not memory.valid
    assert filled.size() < 2048
    assert StatMount.unpack(await filled.read()).mnt_point == "/"
    filled.free()


async def test_too_little_memory_of_the_caller_is_an_error(task: Task) -> None:
    memory = await task.malloc(BYTES, 513)
    with pytest.raises(OSError, match=r"statmount\(2\)") as caught:
        await task.mount.statmount(await id_of(task, "/"), into=memory)
    assert caught.value.errno == EOVERFLOW
    assert memory.valid
    small, rest = memory.split(511)
    with pytest.raises(SerializerError, match="struct statmount"):
        await task.mount.statmount(await id_of(task, "/"), into=small)
    small.merge(rest).free()


async def test_more_room_is_given_until_it_is_enough(task: Task) -> None:
    mnt_id = await id_of(task, "/")
    whole = await task.mount.statmount(mnt_id)

    assert await statmount(near_mount.statmount, task, mnt_id, whole.mask, None, first=513) == whole


async def test_a_mount_that_there_is_not(task: Task) -> None:
    with nothing_left(task), pytest.raises(FileNotFoundError):
        await task.mount.statmount(2**62)


async def test_all_mounts_are_listed_however_many_fit_a_page(inside: Task, tmp_path: Path) -> None:
    for _ in range(7):
        await inside.mount.mount("", tmp_path, "tmpfs")
    every = await inside.mount.listmount()
    assert len(every) == len(set(every))
    text = (await inside.fs.read_bytes("/proc/self/mountinfo")).decode()
    assert len(every) in {text.count("\n"), text.count("\n") - 1}

    for page in (1, 3, len(every)):
        assert (
            await listmount(
                near_mount.listmount, inside, LSMT_ROOT, 0, None, reverse=False, page=page
            )
            == every
        )
    assert await inside.mount.listmount(reverse=True) == every[::-1]
    assert await inside.mount.listmount(after=every[2]) == every[3:]
    top = await id_of(inside, tmp_path)
    assert await inside.mount.listmount(top) == []
    root = (await inside.mount.statmount(top)).mnt_parent_id
    assert top in await inside.mount.listmount(root)


async def test_one_page_is_listed_in_the_callers_memory(task: Task) -> None:
    every = await task.mount.listmount()
    memory = await task.malloc(BYTES, 8 * 2 + 7)
    filled = await task.mount.listmount(into=memory)
    data = await filled.read()
    assert list(struct.unpack(f"<{len(data) // 8}Q", data)) == every[:2]
    filled.free()


async def test_the_mounts_of_another_namespace_are_told(local: Task, tmp_path: Path) -> None:
    async with (
        local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as parent,
        parent.spawn(CLONE.NEWNS) as other,
        await other.ns.open("mnt") as theirs,
        await theirs.pass_to(parent) as ns,
    ):
        await other.mount.mount("", tmp_path, "tmpfs")
        mnt_id = await id_of(other, tmp_path)
        number = await ns.mntns_id()
        assert mnt_id in await parent.mount.listmount(ns=number)
        assert mnt_id in await parent.mount.listmount(ns=ns)
        found = await parent.mount.statmount(mnt_id, STATMOUNT.MNT_NS_ID, ns=number)
        assert found.mnt_ns_id == number
        with pytest.raises(FileNotFoundError):
            await parent.mount.statmount(mnt_id)


async def test_a_namespace_that_would_look_like_none_is_refused(child: Task) -> None:
    async with await child.ns.open("mnt") as ns:
        assert await child.sysif.call(SYS.dup3, ns.near.number, 0, O.CLOEXEC) == 0
        zero = NamespaceFD(child, ids.FileDescriptor(0))
        with pytest.raises(MountFlagsError, match="fd 0"):
            await child.mount.listmount(ns=zero)
        await zero.close()


async def test_anothers_namespace_is_refused(child: Task) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may do what an ordinary user is refused")
    with pytest.raises(OSError, match=r"listmount\(2\)"):
        await child.mount.listmount(ns=1)
