"""Mounts where a filter, or an old kernel, has nothing but ``mount(2)``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from errno import EOPNOTSUPP
from pathlib import Path

import pytest

from rsyscall_ns import (
    CLONE,
    SYS,
    BindMount,
    ChildTask,
    Container,
    DevMount,
    MountDescription,
    MountError,
    OverlayMount,
    Task,
    TmpfsMount,
)
from tests.support.procfs import mountinfo
from tests.support.roots import ROOT, SYSTEM, write_root
from tests.support.seccomp import answer_with_enosys

MISSING = (SYS.fsopen, SYS.open_tree, SYS.move_mount, SYS.mount_setattr)


@pytest.fixture
async def old(local: Task) -> AsyncIterator[ChildTask]:
    """Make a task for which the newer calls are missing."""
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        for number in MISSING:
            await answer_with_enosys(child, number)
        yield child


async def output(
    old: ChildTask, script: str, mounts: Sequence[MountDescription], kind: type[Container]
) -> str:
    """Run a script, which writes its output into a directory that is bound at /out."""
    folder = Path(
        next(one.source for one in mounts if isinstance(one, BindMount) and one.target == "/out")
    )
    command = ["sh", "-c", f"exec > /out/output; {script}"]
    done = await kind(
        command, task=old, user=True, pid=True, mnt=True, map_zero=True, mounts=mounts
    ).run()
    text = (folder / "output").read_text()
    assert done.exitcode == 0, text
    return text


class Hooked(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.cred.getuid()


@pytest.mark.parametrize("kind", [Container, Hooked])
async def test_a_root_on_tmpfs_is_the_same(
    old: ChildTask, tmp_path: Path, kind: type[Container]
) -> None:
    before = mountinfo()
    mounts = [
        *ROOT,
        BindMount(tmp_path, "/out"),
        BindMount(tmp_path, "/fixed", readonly=True, noexec=True),
        DevMount(),
        TmpfsMount("/t", size="1m"),
    ]
    script = "touch /fixed/x 2>&1 | grep -o Read-only; echo x > /dev/null; ls /; ls -d ..; pwd; "
    script += "test -c /dev/tty && cat /proc/self/mountinfo"
    lines = (await output(old, script, mounts, kind)).splitlines()

    assert lines[0] == "Read-only"
    places = {line.split()[4]: line.split() for line in lines if " - " in line}
    assert {"/", "/proc", "/out", "/fixed", "/dev", "/dev/pts", "/t"} <= set(places)
    assert {"ro", "noexec"} <= set(places["/fixed"][5].split(","))
    assert "size=1024k" in places["/t"][-1]
    assert "etc" not in lines
    assert mountinfo() == before


async def test_a_bound_root_and_an_overlay_are_the_same(old: ChildTask, tmp_path: Path) -> None:
    root = write_root(tmp_path / "root")
    for name in ("a,b", "upper", "work", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "a,b" / "file").write_text("lower\n")
    mounts = [
        BindMount(root, "/", readonly=True),
        *SYSTEM,
        BindMount(tmp_path / "out", "/out"),
    ]
    (root / "out").mkdir()
    (root / "over").mkdir()
    layers = [tmp_path / "a,b", Path("/usr")]
    mounts.append(OverlayMount("/over", layers, tmp_path / "upper", tmp_path / "work"))
    script = "touch /x 2>&1 | grep -o Read-only; cat /over/file; touch /over/made; ls -d /over/bin"

    assert await output(old, script, mounts, Container) == "Read-only\nlower\n/over/bin\n"
    assert (tmp_path / "upper" / "made").exists()


async def test_what_it_can_not_do_is_an_error(old: ChildTask) -> None:
    mounts = [*ROOT, BindMount("/dev", "/host", readonly=True)]
    with pytest.raises(MountError, match="mount_setattr") as caught:
        await Container(["true"], task=old, user=True, mnt=True, mounts=mounts).run()
    assert caught.value.errno == EOPNOTSUPP


@pytest.mark.parametrize("name", ["dev", "data"])
async def test_links_lead_nowhere_else(old: ChildTask, tmp_path: Path, name: str) -> None:
    root = write_root(tmp_path / "root")
    (tmp_path / "outside").mkdir()
    if name == "dev":
        (root / "dev").rmdir()
    (root / name).symlink_to(tmp_path / "outside")
    mounts = [BindMount(root, "/"), *SYSTEM, TmpfsMount(f"/{name}/x")]
    with pytest.raises(MountError):
        await Container(["true"], task=old, user=True, mnt=True, mounts=mounts).run()
    assert list((tmp_path / "outside").iterdir()) == []
