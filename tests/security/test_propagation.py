"""Mount propagation: the host's mountinfo is byte-identical before, during and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsyscall_ns import CLONE, MS, Task
from tests.support.children import shell
from tests.support.procfs import mountinfo, names_in

FLAGS = [CLONE.NEWUSER | CLONE.NEWNS, CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWPID]


async def mount_things(child: Task, place: Path) -> None:
    await child.mount.mount("tmpfs", str(place), "tmpfs")
    await child.fs.mkdir(place / "below")
    await child.mount.mount("/usr", str(place / "below"), flags=MS.BIND | MS.REC)
    await child.mount.mount("tmpfs", "/mnt", "tmpfs", MS.NOSUID)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_mounts_made_by_calls_stay_inside(local: Task, tmp_path: Path, flags: CLONE) -> None:
    before = mountinfo()
    async with local.spawn(flags) as child:
        await mount_things(child, tmp_path)
        assert mountinfo() == before
        assert names_in(tmp_path) == []
    assert mountinfo() == before


async def test_a_namespace_that_is_unshared_later_is_private_too(
    local: Task, tmp_path: Path
) -> None:
    before = mountinfo()
    async with local.spawn(CLONE.NEWUSER) as child:
        await child.ns.unshare(CLONE.NEWNS)
        await mount_things(child, tmp_path)
        assert mountinfo() == before
    assert mountinfo() == before


async def test_mounts_made_by_a_program_stay_inside(local: Task, tmp_path: Path) -> None:
    before = mountinfo()
    script = 'mount -t tmpfs tmpfs "$1" && touch "$1/inside" && test -e "$1/inside"'
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        process = await child.exec(shell(script, str(tmp_path)))
        assert (await process.wait()).clean()
        assert mountinfo() == before
    assert names_in(tmp_path) == []


async def test_no_mount_inside_propagates_at_all(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        lines = (await child.fs.read_bytes("/proc/self/mountinfo")).decode().splitlines()
    # optional fields stand between the sixth and the lone dash
    tags = {field for line in lines for field in line.split(" - ")[0].split()[6:]}

    assert not any(tag.startswith(("shared:", "propagate_from:", "master:")) for tag in tags)


async def test_mounts_of_a_nested_namespace_reach_neither_its_parent_nor_us(
    local: Task, tmp_path: Path
) -> None:
    before = mountinfo()
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags) as outer, outer.spawn(CLONE.NEWNS) as inner:
        inside = await outer.fs.read_bytes("/proc/self/mountinfo")
        await mount_things(inner, tmp_path)
        assert await outer.fs.read_bytes("/proc/self/mountinfo") == inside
        assert mountinfo() == before
    assert names_in(tmp_path) == []
