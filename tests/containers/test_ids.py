"""Ids in a container: the whole vocabulary of maps, and who one is in there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from rsyscall_ns import (
    PIPE,
    Container,
    ContainerArgumentError,
    IdMap,
    IdMapError,
    IdMapNotAllowedError,
    IdRange,
)
from rsyscall_ns.containers.idranges import subordinate
from rsyscall_ns.tasks.idmap import IdMapLike
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.rangeuser import FIRST, MAPS, REFUSED, USER

needs_root = pytest.mark.skipif(not IS_ROOT, reason="needs CAP_SETUID in the first namespace")
has_tools = shutil.which("newuidmap") is not None and shutil.which("newgidmap") is not None
SHOW = ["sh", "-c", "cat /proc/self/uid_map; id -u; cat /proc/self/gid_map; id -g"]


async def shown(uid_map: IdMapLike | None, gid_map: IdMapLike | None = None) -> list[int]:
    """Return the ids that a command has, and the maps around them, as numbers."""
    c = Container(SHOW, user=True, uid_map=uid_map, gid_map=gid_map, stdout=PIPE, workdir="/")
    with nothing_left():
        done = await c.run()
    assert done.stdout is not None
    return [int(word) for word in done.stdout.split()]


async def test_without_a_map_one_is_who_one_was() -> None:
    uid, gid = os.geteuid(), os.getegid()

    assert await shown(None) == [uid, uid, 1, uid, gid, gid, 1, gid]


@pytest.mark.parametrize("how", [True, "own", "text", "list", "value"])
async def test_each_way_to_map_oneself_to_root(how: str | bool) -> None:  # noqa: FBT001 - a value
    uid, gid = os.geteuid(), os.getegid()
    ways: dict[str | bool, tuple[IdMapLike, IdMapLike]] = {
        True: (True, True),
        "own": (uid, gid),
        "text": (f"0 {uid} 1", f"0 {gid} 1"),
        "list": ([uid], [str(gid)]),
        "value": (IdMap([IdRange(0, uid)]), IdMap.parse(True, gid)),
    }

    assert await shown(*ways[how]) == [0, uid, 1, 0, 0, gid, 1, 0]


@needs_root
@pytest.mark.parametrize(
    ("given", "lines", "inside"),
    [
        (1000, [[0, 1000, 1]], 0),
        ("0 1000 1", [[0, 1000, 1]], 0),
        ("0 1000 1,1 1001 1", [[0, 1000, 1], [1, 1001, 1]], 0),
        ("1000,1001", [[0, 1000, 1], [1, 1001, 1]], 0),
        ([1000, "1001"], [[0, 1000, 1], [1, 1001, 1]], 0),
        ("5 2000 10", [[5, 2000, 10]], 5),
        ("7 0 1,0 1000 3", [[7, 0, 1], [0, 1000, 3]], 7),
    ],
    ids=str,
)
async def test_any_map_is_taken_and_one_is_in_it(
    given: IdMapLike, lines: list[list[int]], inside: int
) -> None:
    flat = [*(number for line in lines for number in line), inside]

    assert await shown(given, given) == flat * 2


@needs_root
@pytest.mark.parametrize("count", [6, 340])
async def test_many_extents(count: int) -> None:
    id_map = IdMap([IdRange(at, 1000 + 2 * at) for at in range(count)])
    async with Container(["cat"], user=True, uid_map=id_map, gid_map=id_map, stdin=PIPE) as c:
        assert await c.id_maps() == (id_map, id_map)
    assert id_map.inside(1002) == 1
    assert id_map.outside(2) == 1004
    assert id_map.inside(1001) is id_map.outside(count) is None


async def test_maps_can_be_read_back() -> None:
    async with Container(["cat"], user=True, map_zero=True, stdin=PIPE) as c:
        uid, gid = await c.id_maps()
    assert uid.outside(0) == os.geteuid()
    assert gid == IdMap([IdRange(0, os.getegid())])
    assert str(gid) == f"0 {os.getegid()} 1"
    assert IdMap.read("") == IdMap([])


@pytest.mark.parametrize("bad", ["0 0 1,0 1 1", "0 5 1,1 5 1", "x", "", [], "1 2 3 4", [0] * 341])
def test_a_map_that_can_not_be_is_refused_before_anything(bad: IdMapLike) -> None:
    with pytest.raises(IdMapError):
        Container(["true"], user=True, uid_map=bad)


def test_an_ambiguous_value_is_refused() -> None:
    with pytest.raises(IdMapError, match="twice"):
        IdMap([IdRange(0, 5), IdRange(0, 6)])


def test_maps_contradict_map_zero_and_need_a_user_namespace() -> None:
    with pytest.raises(ContainerArgumentError, match="map_zero"):
        Container(["true"], user=True, map_zero=True, uid_map=5)
    with pytest.raises(ContainerArgumentError, match="user=True"):
        Container(["true"], uid_map=True)


@needs_root
async def test_root_s_groups_are_not_kept_by_another_user() -> None:
    c = Container(
        ["id", "-G"], user=True, uid_map="0 1000 9", gid_map="0 1000 9", stdout=PIPE, workdir="/"
    )
    assert (await c.run()).stdout == b"0\n"


@needs_root
async def test_who_becomes_another_user_dies_with_us_all_the_same() -> None:
    ask = "ctypes.CDLL(None).prctl(2, ctypes.byref(n))"
    script = f"import ctypes; n = ctypes.c_int(); {ask}; print(n.value)"
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        pytest.skip("there is no python3 in /usr/bin")
    c = Container(
        [python, "-c", script], user=True, uid_map=1000, gid_map=1000, stdout=PIPE, workdir="/"
    )
    assert (await c.run()).stdout == b"9\n"


@pytest.mark.skipif(IS_ROOT, reason="root may write any map")
async def test_ranges_that_a_user_was_not_given_are_refused() -> None:
    with nothing_left(), pytest.raises(PermissionError, match="map"):
        await shown("0 1 1")


def test_ranges_are_found_by_name_and_by_number() -> None:
    text = "root:5:10\n0:100:1\nother:1:1\n\nroot:bad:1\nroot:7\n"
    ranges = subordinate(text, 0)

    assert [(one.first, one.count) for one in ranges] == [(5, 10), (100, 1)]
    assert ranges[0].holds(IdRange(0, 5, 10))
    assert not ranges[0].holds(IdRange(0, 5, 11))
    assert not ranges[0].holds(IdRange(0, 4, 2))


@needs_root
@pytest.mark.skipif(not has_tools, reason="newuidmap(1) and newgidmap(1) are not installed")
def test_an_ordinary_user_gets_ranges_by_newuidmap(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-m", "tests.support.rangeuser", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode == REFUSED:
        pytest.skip(f"this user namespace has no user {USER}")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    own, others = seen["own"].split(), seen["others"].split()
    assert own == ["0", str(USER), "1", "1", str(FIRST), "1000", "0", "0", "cleared"]
    assert others == ["0", str(FIRST), "1000", "0", "0", "cleared"]
    assert seen["stranger"].startswith("SubordinateIdError")
    assert set(seen) >= set(MAPS)
    for name in seen.keys() - MAPS.keys():  # the same on a network, where there is pyroute2
        assert seen[name] == seen[name.removeprefix("plugged ")]
    assert find_spec("pyroute2") is None or len(seen) == 2 * len(MAPS)


def test_the_usual_refusal_says_what_to_do() -> None:
    error = IdMapNotAllowedError("uid", (IdRange(0, 1),), 1000)

    assert "newuidmap" in str(error)
