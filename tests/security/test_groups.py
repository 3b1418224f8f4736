"""Groups (2014-8989): with one group mapped, setgroups is denied, for whoever asks."""

from __future__ import annotations

import os
from errno import EPERM

import pytest

from rsyscall_ns import CLONE, SYS, Task
from rsyscall_ns.tasks.idmap import IdMapLike
from tests.support.children import IS_ROOT, shell
from tests.support.procfs import content


@pytest.mark.parametrize("gid_map", [None, True, os.getgid(), f"7 {os.getgid()} 1"])
async def test_setgroups_is_denied_with_a_map_of_one(
    local: Task, gid_map: IdMapLike | None
) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=gid_map) as child:
        assert content(child.process.near.id, "setgroups") == "deny\n"
        assert await child.sysif.call(SYS.setgroups, 0, 0) == -EPERM


async def test_the_group_list_cannot_be_shortened_inside(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        before = await child.sysif.call(SYS.getgroups, 0, 0)
        assert await child.sysif.call(SYS.setgroups, 0, 0) == -EPERM
        assert await child.sysif.call(SYS.getgroups, 0, 0) == before == len(os.getgroups())


async def test_denied_stays_denied_in_namespaces_below(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child,
        child.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as below,
    ):
        assert await below.sysif.call(SYS.setgroups, 0, 0) == -EPERM


async def test_a_program_inside_cannot_allow_it_again(local: Task) -> None:
    script = "echo allow > /proc/self/setgroups 2>/dev/null && exit 1; exit 0"
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        process = await child.exec(shell(script))
        assert (await process.wait()).clean()


async def test_with_many_groups_mapped_by_root_setgroups_is_allowed(local: Task) -> None:
    if not IS_ROOT:
        return  # an ordinary user can't map them: tests/tasks/test_spawn_namespaces.py
    async with local.spawn(CLONE.NEWUSER, uid_map="0 0 10", gid_map="0 0 10") as child:
        assert await child.sysif.call(SYS.setgroups, 0, 0) == 0
