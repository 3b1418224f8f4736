"""Propagation, groups and id maps of containers: the host's mountinfo is byte-identical."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsyscall_ns import (
    CLONE,
    MS,
    PIPE,
    BindMount,
    Container,
    DevMount,
    IdMap,
    IdRange,
    Task,
    TmpfsMount,
)
from tests.support.children import IS_ROOT
from tests.support.procfs import mountinfo
from tests.support.roots import ROOT, output_of


async def test_the_host_s_mounts_are_the_same_before_during_and_after(tmp_path: Path) -> None:
    before = mountinfo()
    mounts = [*ROOT, DevMount(), BindMount(tmp_path, "/data"), TmpfsMount("/data/below")]
    (tmp_path / "below").mkdir()
    command = ["sh", "-c", "mount -t tmpfs none /data && echo mounted; read x"]
    async with Container(
        command, user=True, mnt=True, map_zero=True, mounts=mounts, stdin=PIPE, stdout=PIPE
    ) as c:
        assert c.stdout is not None
        assert await c.stdout.receive_some() == b"mounted\n"
        assert mountinfo() == before
    assert mountinfo() == before
    assert [entry.name for entry in os.scandir(tmp_path)] == ["below"]


async def test_no_mount_inside_is_shared_with_anybody(tmp_path: Path) -> None:
    for mounts in ([*ROOT, BindMount(tmp_path, "/data")], [TmpfsMount(tmp_path)]):
        text = await output_of("cat /proc/self/mountinfo", mounts)
        fields = {word for line in text.splitlines() for word in line.split(" - ")[0].split()[6:]}
        assert not {word for word in fields if word.startswith(("shared:", "master:"))}


async def test_setgroups_is_denied_where_one_group_is_mapped() -> None:
    out = await output_of("cat /proc/self/setgroups; setpriv --clear-groups true 2>&1 || echo no")

    assert out.splitlines()[0] == "deny"
    assert out.splitlines()[-1] == "no"


async def test_a_nested_namespace_has_the_map_that_was_asked_for() -> None:
    inner = "unshare --user --map-root-user cat /proc/self/uid_map"
    assert (await output_of(inner)).split() == ["0", "0", "1"]
    own = IdMap([IdRange(0, os.geteuid())])
    assert own.outside(0) == os.geteuid()


@pytest.mark.skipif(not IS_ROOT, reason="id-mapped mounts of the host's files need its root")
async def test_an_id_mapped_bind_of_a_shared_mount_is_shared_with_nobody(
    local: Task, tmp_path: Path
) -> None:
    place, out = tmp_path / "place", tmp_path / "out"
    place.mkdir()
    out.mkdir()
    id_map = IdMap([IdRange(0, 0, 10)])
    mounts = [*ROOT, BindMount(place, "/data", id_map=id_map), BindMount(out, "/out")]
    command = ["sh", "-c", "cat /proc/self/mountinfo > /out/info"]
    async with local.spawn(CLONE.NEWNS) as child:
        await child.mount.mount("tmpfs", str(place), "tmpfs")
        await child.mount.mount("none", str(place), flags=MS.SHARED)
        c = Container(command, task=child, pid=True, mnt=True, mounts=mounts)
        assert (await c.run()).exitcode == 0
    lines = (out / "info").read_text().splitlines()
    assert any(line.split()[4] == "/data" for line in lines)
    assert not [line for line in lines if "shared:" in line or "master:" in line]
