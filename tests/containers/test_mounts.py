"""What is mounted in a container, as a program in there sees it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsyscall_ns import (
    BindMount,
    Container,
    ContainerArgumentError,
    DevMount,
    DevptsMount,
    IdMap,
    MountDescription,
    MountError,
    MqueueMount,
    OverlayMount,
    PathError,
    ProcMount,
    SysfsMount,
    TmpfsMount,
)
from rsyscall_ns.containers.options import Arguments
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.roots import ROOT, SYSTEM, output_of, write_root

MOUNTS = "cat /proc/self/mountinfo"


def points(text: str) -> dict[str, list[str]]:
    """Return the fields of every mount point."""
    return {line.split()[4]: line.split() for line in text.splitlines()}


async def test_a_root_on_tmpfs_holds_what_is_mounted_and_nothing_else() -> None:
    found = points(await output_of(MOUNTS, ROOT))

    assert set(found) == {mount.place for mount in ROOT} | {"/proc"}
    names = (await output_of("ls /", ROOT)).split()
    assert sorted(names) == sorted(mount.place[1:] for mount in (*SYSTEM, ProcMount()))


async def test_the_working_directory_is_the_new_root() -> None:
    assert await output_of("pwd; ls -d ../..", ROOT) == "/\n../..\n"


async def test_read_only_binds_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    binds = [BindMount(tmp_path, "/data", readonly=True), BindMount(tmp_path, "/rw")]
    script = "touch /data/x 2>&1 | grep -o Read-only; touch /rw/written; ls /data"

    assert await output_of(script, [*ROOT, *binds]) == "Read-only\nfile\nwritten\n"
    assert (tmp_path / "written").exists()


async def test_attributes_are_those_asked_for(tmp_path: Path) -> None:
    bind = BindMount(tmp_path, "/data", nosuid=True, nodev=True, noexec=True)
    found = points(await output_of(MOUNTS, [*ROOT, bind]))

    assert {"nosuid", "nodev", "noexec", "rw"} <= set(found["/data"][5].split(","))
    assert {"nosuid", "nodev", "noexec"} <= set(found["/proc"][5].split(","))


async def test_a_recursive_bind_has_what_is_mounted_below_read_only_too() -> None:
    found = points(await output_of(MOUNTS, [*ROOT, BindMount("/dev", "/host", readonly=True)]))
    there = [fields for place, fields in found.items() if place.startswith("/host")]

    assert len(there) > 1
    assert all("ro" in fields[5].split(",") for fields in there)


async def test_a_file_is_bound_onto_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content\n")
    mounts = [*ROOT, BindMount(tmp_path / "file", "/etc/deep/file", readonly=True)]

    assert await output_of("cat /etc/deep/file", mounts) == "content\n"


async def test_mounts_come_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("below\n")
    covered = [*ROOT, BindMount(tmp_path, "/a"), TmpfsMount("/a"), BindMount(tmp_path, "/a/b/c")]

    assert await output_of("ls /a; cat /a/b/c/file", covered) == "b\nbelow\n"


async def test_tmpfs_has_size_and_mode() -> None:
    mounts = [*ROOT, TmpfsMount("/t", size="1m", mode=0o1777), TmpfsMount("/u", size=4096)]
    found = points(await output_of(f"{MOUNTS}; stat -c '%a x x x /mode' /t", mounts))

    assert "size=1024k" in found["/t"][-1]
    assert "size=4k" in found["/u"][-1]
    assert found["/mode"][0] == "1777"


async def test_a_read_only_root_holds_its_mounts_all_the_same() -> None:
    mounts = [TmpfsMount("/", readonly=True), *SYSTEM, TmpfsMount("/tmp")]  # noqa: S108 - in there
    script = "touch /x 2>&1 | grep -o Read-only; touch /tmp/x && ls /tmp"

    assert await output_of(script, mounts) == "Read-only\nx\n"


async def test_dev_has_the_devices_and_no_others() -> None:
    script = (
        "ls /dev; echo x > /dev/null; head -c2 /dev/zero | wc -c; head -c1 /dev/random | wc -c;"
        "echo full > /dev/full; echo $?; readlink /dev/fd; test -d /dev/shm && test -e /dev/ptmx"
    )
    out = (await output_of(script, [*ROOT, DevMount()])).split()

    names = [
        "fd",
        "full",
        "null",
        "ptmx",
        "pts",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
    ]
    assert out[: len(names)] == names
    assert out[len(names) : len(names) + 2] == ["2", "1"]
    assert out[-1] == "/proc/self/fd"


async def test_terminals_are_of_the_container_alone() -> None:
    script = "ls /dev/pts; script -qc 'tty' /dev/null </dev/null"
    out = await output_of(script, [*ROOT, DevMount(), TmpfsMount("/tmp")])  # noqa: S108 - in there

    assert out.split() == ["ptmx", "/dev/pts/0"]


async def test_the_smaller_ones_can_be_had_alone() -> None:
    mounts = [
        *ROOT,
        DevptsMount("/terminals"),
        MqueueMount("/queues"),
        SysfsMount(),
        ProcMount("/other"),
    ]
    found = points(await output_of(MOUNTS, mounts, ipc=True, net=True))

    kinds = {place: fields[fields.index("-") + 1] for place, fields in found.items()}
    assert kinds["/terminals"] == "devpts"
    assert kinds["/queues"] == "mqueue"
    assert kinds["/sys"] == "sysfs"
    assert kinds["/other"] == kinds["/proc"] == "proc"


async def test_sysfs_shows_the_container_s_network() -> None:
    mounts = [*ROOT, SysfsMount()]

    assert await output_of("ls /sys/class/net", mounts, net=True) == "lo\n"


async def test_an_overlay_has_all_layers_and_writes_to_the_upper(tmp_path: Path) -> None:
    for name in ("one", "two", "three", "upper", "work"):
        (tmp_path / name).mkdir()
    for name in ("one", "two", "three"):
        (tmp_path / name / name).write_text(name)
        (tmp_path / name / "same").write_text(name)
    lower = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    overlay = OverlayMount("/all", lower, tmp_path / "upper", tmp_path / "work")
    out = await output_of("cd /all; ls; cat same; echo new > same", [*ROOT, overlay])

    assert out.split() == ["one", "same", "three", "two", "one"]
    assert (tmp_path / "one" / "same").read_text() == "one"
    assert (tmp_path / "upper" / "same").read_text() == "new\n"


async def test_an_overlay_without_an_upper_layer_can_not_be_written(tmp_path: Path) -> None:
    overlay = OverlayMount("/all", [tmp_path, "/usr"])

    assert "Read-only" in await output_of("touch /all/x", [*ROOT, overlay], status=1)


async def test_an_overlay_can_be_the_root(tmp_path: Path) -> None:
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    write_root(tmp_path / "lower")
    layers = [tmp_path / "lower", tmp_path / "upper"]
    root = OverlayMount("/", layers[:1], tmp_path / "upper", tmp_path / "work")
    await output_of("echo hello > /file", [root, *SYSTEM])

    assert (tmp_path / "upper" / "file").read_text() == "hello\n"


@pytest.mark.skipif(not IS_ROOT, reason="id-mapped mounts of the host's files need its root")
@pytest.mark.parametrize("user", [False, True])
async def test_an_id_mapped_bind_shows_other_owners(tmp_path: Path, *, user: bool) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file"):
        os.chown(place, 4000, 5000)
    bind = BindMount(tmp_path, "/data", id_map=IdMap.parse("4000 7000 1,5000 8000 1", 0))
    given: Arguments = {"user": user, "map_zero": False}
    if user:
        given |= {"uid_map": "0 0 10000", "gid_map": "0 0 10000"}
    with nothing_left():
        out = await output_of("stat -c '%u %g' /data/file", [*ROOT, bind], **given)

    assert out == "7000 8000\n"


async def test_without_a_root_the_host_s_files_are_seen_and_nothing_is_made(
    tmp_path: Path,
) -> None:
    (tmp_path / "place").mkdir()
    mounts = [TmpfsMount(tmp_path / "place")]
    out = await output_of(f"touch {tmp_path}/place/x; ls {tmp_path}/place", mounts)

    assert out == "x\n"
    assert list((tmp_path / "place").iterdir()) == []
    with nothing_left(), pytest.raises(MountError) as caught:
        await output_of("true", [TmpfsMount(tmp_path / "missing")])
    assert caught.value.filename == str(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


async def test_what_covers_the_working_directory_is_seen_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    here = os.open(".", os.O_PATH)
    os.chdir(tmp_path)
    try:
        assert await output_of("pwd; ls", [TmpfsMount(tmp_path)]) == f"{tmp_path}\n"
    finally:
        os.fchdir(here)
        os.close(here)


async def test_proc_is_mounted_with_pid_and_mnt_unless_it_is_not_wanted() -> None:
    show = "exec readlink /proc/self"
    assert await output_of(show) == "1\n"
    assert await output_of("exec readlink -f /proc/self; true", proc=False) != "/proc/1\n"


@pytest.mark.parametrize(
    ("mount", "path"),
    [
        (BindMount("/no/such/source", "/data"), "/no/such/source"),
        (OverlayMount("/data", ["/usr", "/no/such/layer"]), "/no/such/layer"),
    ],
    ids=["bind", "overlay"],
)
async def test_a_missing_source_is_named_before_anything_is_made(
    mount: MountDescription, path: str
) -> None:
    with nothing_left(), pytest.raises(MountError) as caught:
        await output_of("true", [*ROOT, mount])
    assert caught.value.filename == path


async def test_an_error_names_what_was_to_be_mounted_and_where() -> None:
    mounts = [*ROOT, BindMount("/dev/null", "/usr/no/such/place")]
    with nothing_left(), pytest.raises(MountError, match="BindMount") as caught:
        await output_of("true", mounts)
    assert caught.value.filename == "/usr/no/such/place"
    assert "below first" in str(caught.value) or "make the place" in str(caught.value)


@pytest.mark.parametrize("target", ["relative", "/a/../b", "", "/nul\0"])
def test_a_target_that_is_no_place_inside_is_refused(target: str) -> None:
    with pytest.raises(PathError):
        TmpfsMount(target)


def test_descriptions_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ContainerArgumentError, match="upper and work"):
        OverlayMount("/a", ["/usr"], upper="/tmp")  # noqa: S108 - never used
    with pytest.raises(ContainerArgumentError, match="BindMount"):
        OverlayMount("/a", ["/usr"])
    with pytest.raises(ContainerArgumentError, match="list"):
        OverlayMount("/a", "/usr")
    with pytest.raises(ContainerArgumentError, match="size"):
        TmpfsMount("/a", size="much")
    with pytest.raises(ContainerArgumentError, match="bytes"):
        OverlayMount("/a", ["/usr", "/" + "x" * 300])


async def test_the_root_comes_first() -> None:
    with pytest.raises(ContainerArgumentError, match="first"):
        await Container(["true"], user=True, mnt=True, mounts=[*SYSTEM, TmpfsMount("/")]).run()
    with pytest.raises(ContainerArgumentError, match="directory"):
        await output_of("true", [BindMount("/dev/null", "/")])


def test_mounts_need_a_mount_namespace() -> None:
    with pytest.raises(ContainerArgumentError, match="mnt=True"):
        Container(["true"], user=True, mounts=ROOT)


def test_targets_are_written_in_one_way() -> None:
    assert TmpfsMount("//a/./b/").target == "/a/b"
    assert BindMount(b"/usr").target == "/usr"
