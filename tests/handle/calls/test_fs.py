"""``task.fs``: files, directories and pipes, in the interpreter and in a child."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rsyscall_ns import AT, CLONE, ArgumentRangeError, O, PathError, Task
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.procview import is_there
from tests.support.steps import Counting

Use = Callable[[], Awaitable[object]]


def here() -> str:
    return str(Path.cwd())


def uses_of_a_path(task: Task, path: str | bytes) -> list[Use]:
    return [
        lambda: task.fs.open(path),
        lambda: task.fs.mkdir(path),
        lambda: task.fs.unlink(path),
        lambda: task.fs.readlink(path),
        lambda: task.fs.chdir(path),
        lambda: task.fs.chroot(path),
        lambda: task.fs.listdir(path),
        lambda: task.fs.read_bytes(path),
        lambda: task.mount.umount2(path),
        lambda: task.mount.mount("none", path, "tmpfs"),
    ]


@pytest.mark.parametrize("path", ["/tmp/\0/x", b"\0", "x" * 4096])  # noqa: S108 - no such file
async def test_a_path_that_the_kernel_could_not_be_given_is_refused_before_any_call(
    task: Task, path: str | bytes
) -> None:
    task.sysif = counting = Counting(task.sysif)
    uses: list[Use] = [
        *uses_of_a_path(task, path),
        lambda: task.fs.access(path),
        lambda: task.fs.is_dir(path),
    ]
    with nothing_left(task):
        for use in uses:
            with pytest.raises(PathError):
                await use()
    assert counting.calls == 0
    task.sysif = counting.inner


async def test_a_missing_path_is_an_error_that_names_it(task: Task, tmp_path: Path) -> None:
    path = str(tmp_path / "missing" / "deeper")
    unprivileged = uses_of_a_path(task, path)
    with nothing_left(task):
        for use in unprivileged:
            with pytest.raises((FileNotFoundError, PermissionError)) as caught:
                await use()
            assert caught.value.filename == path
            assert caught.value.errno
    assert not await task.fs.access(path)
    assert not await task.fs.is_dir(path)


async def test_open_makes_a_file_with_the_mode_asked_for(task: Task, tmp_path: Path) -> None:
    with nothing_left(task):
        async with await task.fs.open(tmp_path / "new", O.WRONLY | O.CREAT | O.EXCL, 0o640) as file:
            await file.write(b"content")
        with pytest.raises(FileExistsError):
            await task.fs.open(tmp_path / "new", O.WRONLY | O.CREAT | O.EXCL)
    mode = (tmp_path / "new").stat().st_mode
    assert stat.S_IMODE(mode) & ~0o640 == 0
    assert await task.fs.read_bytes(tmp_path / "new") == b"content"


async def test_a_whole_file_is_read_however_long(task: Task, tmp_path: Path) -> None:
    data = os.urandom(200_000)
    (tmp_path / "long").write_bytes(data)
    (tmp_path / "empty").touch()
    with nothing_left(task):
        assert await task.fs.read_bytes(tmp_path / "long") == data
        assert await task.fs.read_bytes(bytes(tmp_path / "empty")) == b""


async def test_directories_are_made_listed_and_removed(task: Task, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with nothing_left(task):
        await task.fs.mkdir(folder, 0o755)
        assert await task.fs.listdir(folder) == []
        for name in ("one", "two"):
            (folder / name).touch()
        assert sorted(await task.fs.listdir(folder)) == ["one", "two"]
        assert await task.fs.is_dir(folder)
        assert not await task.fs.is_dir(folder / "one")
        with pytest.raises(OSError, match="not empty") as caught:
            await task.fs.unlink(folder, AT.REMOVEDIR)
        assert caught.value.filename == str(folder) or caught.value.filename == folder
        for name in ("one", "two"):
            await task.fs.unlink(folder / name)
        await task.fs.unlink(folder, AT.REMOVEDIR)
        with pytest.raises(NotADirectoryError):
            await task.fs.listdir("/dev/null")
    assert not folder.exists()


async def test_access_is_asked_for_as_the_manual_says(task: Task, tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o600)
    assert await task.fs.access(tmp_path / "file")
    assert await task.fs.access(tmp_path / "file", os.R_OK | os.W_OK)
    assert not await task.fs.access(tmp_path / "file", os.X_OK)
    if not IS_ROOT:
        assert not await task.fs.access("/proc/1/environ", os.R_OK)


async def test_links_are_read(task: Task, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("far/away")
    assert await task.fs.readlink(tmp_path / "link") == "far/away"
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Invalid argument"):
        await task.fs.readlink(tmp_path / "file")


async def test_the_working_directory_is_the_tasks_own(child: Task, tmp_path: Path) -> None:
    before = here()
    await child.fs.chdir(tmp_path)
    assert await child.fs.getcwd() == str(tmp_path)
    (tmp_path / "inner").mkdir()
    await child.fs.chdir("inner")
    assert await child.fs.getcwd() == str(tmp_path / "inner")
    async with await child.fs.open("..", O.PATH | O.DIRECTORY) as above:
        await child.fs.chdir(above)
    assert await child.fs.getcwd() == str(tmp_path)
    assert here() == before


async def test_the_interpreters_working_directory_is_told(local: Task) -> None:
    assert await local.fs.getcwd() == here()


async def test_chroot_is_the_childs_own(local: Task, tmp_path: Path) -> None:
    (tmp_path / "seen-inside").touch()
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        await child.fs.chroot(tmp_path)
        assert await child.fs.access("/seen-inside")
    assert not is_there("/seen-inside")


@pytest.mark.skipif(IS_ROOT, reason="root may do what an ordinary user is refused")
async def test_an_ordinary_user_may_not_chroot(child: Task, tmp_path: Path) -> None:
    with pytest.raises(PermissionError) as caught:
        await child.fs.chroot(tmp_path)
    assert caught.value.filename == str(tmp_path) or caught.value.filename == tmp_path


async def test_a_pipe_has_the_flags_asked_for(task: Task) -> None:
    with nothing_left(task):
        reader, writer = await task.fs.pipe2(O.NONBLOCK)
        assert await reader.fcntl(3) & O.NONBLOCK
        await writer.close()
        assert await reader.read(1) == b""
        await reader.close()
    with nothing_left(task), pytest.raises(OSError, match="Invalid argument"):
        await task.fs.pipe2(O.CREAT)


@pytest.mark.parametrize("number", [2**32, 2**33 + 1, 2**64])
async def test_an_int_that_does_not_fit_is_refused(task: Task, tmp_path: Path, number: int) -> None:
    path = tmp_path / "file"
    uses: list[Use] = [
        lambda: task.fs.open(path, number),
        lambda: task.fs.open(path, O.CREAT, number),
        lambda: task.fs.mkdir(path, number),
        lambda: task.fs.unlink(path, number),
        lambda: task.fs.access(path, number),
        lambda: task.fs.pipe2(number),
        lambda: task.mount.umount2(path, number),
    ]
    with nothing_left(task):
        for use in uses:
            with pytest.raises(ArgumentRangeError):
                await use()
    assert not path.exists()


async def test_directories_are_made_however_many_are_missing(task: Task) -> None:
    deep = "/".join("d" * 1200)
    half = "/".join("d" * 600)
    async with task.fs.mkdtemp() as folder:
        await task.fs.mkdir(deep, 0o700, parents=True, dir_fd=folder.fd)
        assert (await task.fs.stat(deep, dir_fd=folder.fd)).mode & 0o777 == 0o700
        with pytest.raises(FileExistsError):
            await task.fs.mkdir(deep, parents=True, dir_fd=folder.fd)
        # removing takes an fd for each level
        await task.fs.rename(half, "lower", dir_fd=folder.fd, new_dir_fd=folder.fd)
