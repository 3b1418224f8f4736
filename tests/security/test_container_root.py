"""2021-30465, 2018-15664, 2025-31133, 2025-52565, 2019-19921: roots that others prepared."""

from __future__ import annotations

import sys
from errno import ELOOP, ENOTDIR, EXDEV
from functools import partial
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    PIPE,
    BindMount,
    Container,
    DevMount,
    MountDescription,
    MountError,
    ProcMount,
    TmpfsMount,
    WorkdirError,
)
from tests.support.census import nothing_left
from tests.support.procfs import mountinfo, names_in
from tests.support.roots import SYSTEM, output_of, write_root

LAUNCHES = 100
REFUSALS = {ELOOP, ENOTDIR, EXDEV}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_root(tmp_path / "root")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    place = tmp_path / "outside"
    place.mkdir()
    (place / "null").touch()
    return place


def replace(place: Path, by: Path) -> None:
    """Put a symbolic link where a place was."""
    if place.is_dir():
        place.rmdir()
    place.symlink_to(by)


async def refused(root: Path, *mounts: MountDescription) -> MountError:
    given = [BindMount(root, "/"), *SYSTEM, *mounts]
    before = mountinfo()
    with nothing_left(), pytest.raises(MountError) as caught:
        await output_of("true", given)
    assert mountinfo() == before
    assert caught.value.errno in REFUSALS
    return caught.value


@pytest.mark.parametrize(
    ("name", "mount"),
    [("dev", DevMount()), ("proc", ProcMount()), ("dev", TmpfsMount("/dev/shm"))],  # noqa: S108 - in there
    ids=["dev", "proc", "shm"],
)
@pytest.mark.parametrize("to", ["outside", "/mnt"])
async def test_a_root_with_a_link_in_place_of_what_programs_trust_is_refused(
    root: Path, outside: Path, name: str, mount: MountDescription, to: str
) -> None:
    replace(root / name, outside if to == "outside" else Path(to))
    error = await refused(root, mount)

    assert error.filename in {"/" + name, mount.place}
    assert "symbolic link" in str(error) or "directory" in str(error)
    assert names_in(outside) == ["null"]


@pytest.mark.parametrize("device", ["null", "pts/0"])
async def test_a_link_in_place_of_a_device_is_refused(
    root: Path, outside: Path, device: str
) -> None:
    (root / "dev" / "pts").mkdir()
    (root / "dev" / device).symlink_to(outside / "null")
    error = await refused(root, BindMount("/dev/null", f"/dev/{device}"))

    assert error.filename == f"/dev/{device}"
    assert (outside / "null").read_bytes() == b""


async def test_a_dev_of_our_own_covers_whatever_devices_the_root_has(
    root: Path, outside: Path
) -> None:
    (root / "dev" / "null").symlink_to(outside / "null")
    given = [BindMount(root, "/"), *SYSTEM, DevMount()]

    assert (
        await output_of("test -c /dev/null && echo secret > /dev/null && echo ok", given) == "ok\n"
    )
    assert (outside / "null").read_bytes() == b""


async def test_other_links_lead_to_places_inside_the_root_only(root: Path, outside: Path) -> None:
    (root / "data").symlink_to(outside)
    above = root.joinpath("..", outside.name)
    (root / "up").symlink_to("../" * 20 + str(above))
    for name in ("data", "up"):
        given = [BindMount(root, "/"), *SYSTEM, TmpfsMount(f"/{name}/made")]
        try:
            await output_of(f"touch /{name}/made/x", given)
        except MountError as error:
            assert error.filename == f"/{name}/made"  # noqa: PT017 - both are right
        assert names_in(outside) == ["null"]


async def test_a_target_that_is_swapped_for_a_link_never_leads_outside(
    root: Path, outside: Path
) -> None:
    (root / "target").mkdir()
    (root / "link").symlink_to(outside)
    racer = [sys.executable, "-m", "tests.support.racer", str(root / "target"), str(root / "link")]
    before = mountinfo()
    mounted = 0
    given = [BindMount(root, "/"), *SYSTEM, TmpfsMount("/target"), TmpfsMount("/target/deep/er")]
    async with trio.open_nursery() as nursery:
        swapping = await nursery.start(partial(trio.run_process, racer, stdout=PIPE, check=False))
        assert await swapping.stdout.receive_some() == b"ready\n"
        for _ in range(LAUNCHES):
            c = Container(["sh", "-c", "echo x > /target/file"], user=True, mnt=True, mounts=given)
            try:
                await c.run()
                mounted += 1
            except MountError:
                pass  # it was a link at that moment, or a directory that it was made in is gone
        swapping.kill()
    assert mounted
    assert mountinfo() == before
    assert names_in(outside) == ["null"]
    assert (outside / "null").read_bytes() == b""


async def test_nothing_of_the_host_can_be_reached_after_the_root_was_left(root: Path) -> None:
    given = [BindMount(root, "/"), *SYSTEM]
    script = "cat /proc/self/mountinfo; cd /; ls -d .. ../../etc 2>&1; ls -l /proc/1/fd"
    out = await output_of(script, given)

    assert "No such file" in out
    mounts = [line for line in out.splitlines() if " - " in line and line.split()[0].isdigit()]
    assert {line.split()[4] for line in mounts} == {
        "/",
        "/proc",
        *(mount.place for mount in SYSTEM),
    }


async def test_a_mounted_proc_is_the_kernel_s(root: Path) -> None:
    (root / "proc" / "self").mkdir()
    (root / "proc" / "self" / "mountinfo").write_text("made up\n")
    out = await output_of(
        "stat -fc %T /proc; cat /proc/self/mountinfo", [BindMount(root, "/"), *SYSTEM]
    )

    assert out.startswith("proc\n")
    assert "made up" not in out


@pytest.mark.parametrize("number", [0, 3, 7])
async def test_an_fd_as_working_directory_is_refused(number: int) -> None:
    for way in (f"/proc/self/fd/{number}", f"/proc/self/fd/{number}/../..", "/proc/self/root"):
        with nothing_left(), pytest.raises(WorkdirError) as caught:
            await output_of("true", workdir=way)
        assert caught.value.filename == way


async def test_a_link_in_the_root_to_an_fd_as_working_directory_is_refused(root: Path) -> None:
    (root / "work").symlink_to("/proc/self/fd/7/../..")
    with nothing_left(), pytest.raises(WorkdirError):
        await output_of("true", [BindMount(root, "/"), *SYSTEM], workdir="/work")
