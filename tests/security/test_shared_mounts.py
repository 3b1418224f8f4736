"""Propagation where the caller's own mounts are shared, as those of most machines are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from rsyscall_ns import CLONE, MS, Container, Task, TmpfsMount
from tests.support.children import IS_ROOT

CALLABLE: Final = """
import sys
from pathlib import Path
import trio
from rsyscall_ns import Container, TmpfsMount

def shown():
    return Path("/proc/self/mountinfo").read_text()

method, place = sys.argv[1:]
before = shown()
assert "shared:" in before
c = Container(shown, mnt=True, mounts=[TmpfsMount(place)], start_method=method)
inside = trio.run(c.run)
assert place in inside
assert "shared:" not in inside
assert shown() == before
"""


@pytest.fixture
async def outer(local: Task, tmp_path: Path) -> AsyncIterator[Task]:
    """Make a child that has a shared mount, and a place below it."""
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS, uid_map=True, gid_map=True) as task:
        await task.mount.mount("tmpfs", str(tmp_path), "tmpfs")
        await task.mount.mount("none", str(tmp_path), flags=MS.SHARED)
        await task.fs.mkdir(tmp_path / "below")
        yield task


async def mounts_of(task: Task) -> bytes:
    return await task.fs.read_bytes("/proc/self/mountinfo")


async def test_what_a_child_mounts_stays_inside(outer: Task, tmp_path: Path) -> None:
    before = await mounts_of(outer)
    assert b"shared:" in before
    async with outer.spawn(CLONE.NEWNS) as inner:
        await inner.mount.mount("tmpfs", str(tmp_path / "below"), "tmpfs")

        assert await mounts_of(inner) != before
        assert await mounts_of(outer) == before


async def test_what_a_child_mounts_that_unshares_later_stays_inside(
    outer: Task, tmp_path: Path
) -> None:
    before = await mounts_of(outer)
    async with outer.spawn() as inner:
        await inner.ns.unshare(CLONE.NEWNS)
        await inner.mount.mount("tmpfs", str(tmp_path / "below"), "tmpfs")

        assert await mounts_of(inner) != before
        assert await mounts_of(outer) == before


async def test_what_a_container_mounts_stays_inside(outer: Task, tmp_path: Path) -> None:
    before = await mounts_of(outer)
    c = Container(["sleep", "1000"], task=outer, mnt=True, mounts=[TmpfsMount(tmp_path / "below")])
    async with c:
        assert await mounts_of(outer) == before
    assert await mounts_of(outer) == before


@pytest.mark.parametrize("method", ["zygote", "spawn", "fork"])
def test_what_a_callable_s_container_mounts_stays_inside(tmp_path: Path, method: str) -> None:
    own = [] if IS_ROOT else ["--user", "--map-root-user"]
    command = ["unshare", *own, "--mount", "--propagation", "shared"]
    done = subprocess.run(
        [*command, sys.executable, "-c", CALLABLE, method, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert done.returncode == 0, done.stderr
