"""Id maps (2018-18955): many extents and nesting give what was asked for; ambiguity is refused."""

from __future__ import annotations

import os

import pytest

from rsyscall_ns import CLONE, IdMapError, IdMapNotAllowedError, Task
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.procfs import content
from tests.support.steps import Counting

EXTENTS = [1, 5, 6, 7, 50, 340]


def id_map(pid: int, kind: str) -> list[tuple[int, ...]]:
    lines = content(pid, kind).splitlines()
    return [tuple(int(word) for word in line.split()) for line in lines]


@pytest.mark.parametrize("count", EXTENTS)
async def test_any_number_of_extents_gives_the_map_asked_for(local: Task, count: int) -> None:
    wanted = [(2 * n, 2 * n, 1) for n in range(count)]  # 340 of them still fit into a page
    text = ",".join(" ".join(map(str, one)) for one in wanted)
    if not IS_ROOT:
        with nothing_left(local), pytest.raises(IdMapNotAllowedError):
            async with local.spawn(CLONE.NEWUSER, uid_map=text, gid_map=text):
                pass
        return
    async with local.spawn(CLONE.NEWUSER, uid_map=text, gid_map=text) as child:
        assert id_map(child.process.near.id, "uid_map") == wanted
        assert id_map(child.process.near.id, "gid_map") == wanted


async def test_nested_maps_of_many_extents_are_translated_one_by_one(local: Task) -> None:
    if not IS_ROOT:
        async with (
            local.spawn(CLONE.NEWUSER, uid_map="5 " + str(os.getuid())) as outer,
            outer.spawn(CLONE.NEWUSER, uid_map="9 5", gid_map=f"3 {os.getgid()}") as inner,
        ):
            assert id_map(inner.process.near.id, "uid_map") == [(9, os.getuid(), 1)]
        return
    # our own id must be in it, else the outer child could make no user namespace
    outer_map = "100 0 1," + ",".join(f"{n} {100_000 + 2 * n} 1" for n in range(20))
    inner_map = ",".join(f"{n} {19 - n} 1" for n in range(10))
    async with (
        local.spawn(CLONE.NEWUSER, uid_map=outer_map, gid_map=outer_map) as outer,
        outer.spawn(CLONE.NEWUSER, uid_map=inner_map, gid_map=inner_map) as inner,
    ):
        seen = id_map(inner.process.near.id, "uid_map")
        assert seen == [(n, 100_000 + 2 * (19 - n), 1) for n in range(10)]


@pytest.mark.parametrize(
    "text", ["0 1000 2,1 2000 1", "0 1000 2,5 1001 1", "0 0 4294967295", "0 5 1,0 5 1"]
)
async def test_what_is_ambiguous_or_too_large_is_refused_before_anything(
    local: Task, text: str
) -> None:
    counting = local.sysif = Counting(local.sysif)
    with nothing_left(local), pytest.raises(IdMapError):
        local.spawn(CLONE.NEWUSER, uid_map=text)
    with nothing_left(local), pytest.raises(IdMapError):
        local.spawn(CLONE.NEWUSER, gid_map=text)
    assert counting.calls == 0


async def test_a_map_that_is_longer_than_a_page_is_refused_before_anything(local: Task) -> None:
    text = ",".join(f"{4_000_000_000 + n} {4_000_000_000 + n} 1" for n in range(300))
    with nothing_left(local), pytest.raises(IdMapError):
        async with local.spawn(CLONE.NEWUSER, uid_map=text):
            pass


async def test_ids_that_are_not_mapped_are_nobody_inside(local: Task) -> None:
    overflow = int(content("sys", "kernel/overflowuid"))
    async with local.spawn(CLONE.NEWUSER, uid_map=f"5 {os.getuid()} 1") as child:
        assert await child.cred.getuid() == 5
        async with await child.fs.open("/proc/self/uid_map") as file:
            assert await file.read() != b""
    if not IS_ROOT:
        return
    async with local.spawn(CLONE.NEWUSER, uid_map="1 1000 1", gid_map="1 1000 1") as child:
        assert await child.cred.getuid() == overflow
