"""Chroot: a container below another root."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsyscall_ns import PIPE, Chroot, RootMissingError
from rsyscall_ns.containers.options import Arguments
from tests.support.census import nothing_left
from tests.support.procfs import mountinfo
from tests.support.roots import SYSTEM, write_root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = write_root(tmp_path / "root")
    (made / "marker").touch()
    return made


async def test_the_example_of_the_page_works(root: Path) -> None:
    before = mountinfo()
    async with Chroot(root, ["ls", "/"], user=True, mnt=True, mounts=SYSTEM, stdout=PIPE) as c:
        out, _ = await c.communicate()
        assert mountinfo() == before
    assert out is not None
    assert b"marker" in out.split()
    assert b"etc" not in out.split()
    assert c.exitcode == 0


async def test_without_a_mount_namespace_it_is_chroot(root: Path) -> None:
    with nothing_left():
        # nothing is bound into it: a program that needs nothing
        c = Chroot("/", ["sh", "-c", "pwd; ls -d /etc"], user=True, map_zero=True, stdout=PIPE)
        assert (await c.run()).stdout == b"/\n/etc\n"
    with nothing_left(), pytest.raises(FileNotFoundError):
        await Chroot(root, ["no-such-command"], user=True, map_zero=True).run()


async def test_the_working_directory_is_below_the_root(root: Path) -> None:
    given: Arguments = {"user": True, "mnt": True, "mounts": SYSTEM, "stdout": PIPE}
    assert (await Chroot(root, ["pwd"], **given).run()).stdout == b"/\n"
    given["workdir"] = "/mnt"
    assert (await Chroot(root, ["pwd"], **given).run()).stdout == b"/mnt\n"


@pytest.mark.parametrize("mnt", [False, True])
async def test_a_missing_root_is_named_in_the_caller(tmp_path: Path, *, mnt: bool) -> None:
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        path = str(tmp_path / name)
        with nothing_left(), pytest.raises(RootMissingError) as caught:
            await Chroot(path, ["true"], user=True, mnt=mnt).run()
        assert caught.value.filename == path


async def test_nothing_is_left_in_the_root_but_the_places_of_mounts(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    done = await Chroot(
        tmp_path / "root", ["true"], user=True, pid=True, mnt=True, mounts=SYSTEM
    ).run()

    assert done.exitcode == 0
    names = {entry.name for entry in (tmp_path / "root").iterdir()}
    assert names == {"proc", *(mount.place[1:] for mount in SYSTEM)}
