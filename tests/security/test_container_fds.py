"""2024-21626: what a container's command inherits, and where it is, for every way to start one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsyscall_ns import (
    PIPE,
    BindMount,
    ChildTask,
    Chroot,
    Container,
    DevMount,
    Task,
    WorkdirError,
)
from rsyscall_ns.containers.options import Arguments
from tests.support.roots import ROOT, SYSTEM, write_root

LISTS = ["sh", "-c", "pwd; exec ls /proc/self/fd"]  # of which one is the directory itself


class Hooked(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.fs.open("/")


def ways(root: Path) -> dict[str, Container]:
    spaces: Arguments = {"user": True, "pid": True, "mnt": True, "stdout": PIPE}
    supervised: Arguments = {**spaces, "init": True}
    rooted: Arguments = {**spaces, "mounts": [*ROOT, DevMount()]}
    within: Arguments = {**spaces, "mounts": SYSTEM}
    ids: Arguments = {**spaces, "uid_map": "0 7 1", "gid_map": "0 7 1", "workdir": "/"}
    found = {
        "plain": Container(LISTS, stdout=PIPE),
        "user": Container(LISTS, user=True, stdout=PIPE),
        "all": Container(LISTS, all=True, stdout=PIPE),
        "root": Container(LISTS, **rooted),
        "hooks": Hooked(LISTS, **spaces),
        "init": Container(LISTS, **supervised),
        "chroot": Chroot(root, LISTS, **within),
    }
    return found | ({"ids": Container(LISTS, **ids)} if os.getuid() == 0 else {})


@pytest.mark.parametrize("way", ["plain", "user", "all", "root", "hooks", "init", "chroot", "ids"])
async def test_the_command_has_the_standard_streams_and_nothing_else(
    tmp_path: Path, local: Task, way: str
) -> None:
    container = ways(write_root(tmp_path / "root")).get(way)
    if container is None:
        return  # an ordinary user can be nobody else
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)  # another library's fault must not be ours
    async with await local.fs.open("/"):
        done = await container.run()
    os.close(reading)
    os.close(writing)
    assert done.stdout is not None
    where, *fds = done.stdout.decode().split()
    assert fds == ["0", "1", "2", "3"]
    assert where.startswith("/")
    assert "unreachable" not in where


async def test_what_is_passed_is_there_under_its_number(local: Task) -> None:
    async with await local.fs.open("/etc/passwd") as fd:
        number = fd.near.number
        for kind in (Container, Hooked):
            c = kind(
                ["sh", "-c", f"cat /proc/self/fd/{number} > /dev/null && echo yes"],
                user=True,
                stdout=PIPE,
                pass_fds=[fd],
            )
            assert (await c.run()).stdout == b"yes\n"


async def test_a_caller_whose_own_directory_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    here = os.open(".", os.O_PATH)
    os.chdir(gone)
    try:
        gone.rmdir()
        with pytest.raises(WorkdirError, match="removed"):
            await Container(["true"], user=True).run()
        done = await Container(["pwd"], user=True, workdir="/", stdout=PIPE).run()
        assert done.stdout == b"/\n"
    finally:
        os.fchdir(here)
        os.close(here)


async def test_a_relative_working_directory_is_the_caller_s(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    here = os.open(".", os.O_PATH)
    os.chdir(tmp_path)
    try:
        done = await Container(["pwd"], user=True, workdir="inner", stdout=PIPE).run()
    finally:
        os.fchdir(here)
        os.close(here)
    assert done.stdout == f"{tmp_path}/inner\n".encode()


async def test_a_working_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkdirError) as caught:
        await Container(["true"], user=True, workdir=tmp_path / "missing").run()
    assert caught.value.filename == str(tmp_path / "missing")
    bound = [*ROOT, BindMount(tmp_path, "/data")]
    with pytest.raises(WorkdirError):
        await Container(["true"], user=True, mnt=True, mounts=bound, workdir=tmp_path).run()
