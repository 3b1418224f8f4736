"""Names: made, linked, renamed, removed, relative to directories."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from errno import EEXIST, EINVAL, ENOTEMPTY, EPERM
from pathlib import Path

import pytest

from rsyscall_ns import (
    AT,
    BYTES,
    CLONE,
    RENAME,
    ArgumentRangeError,
    FileFD,
    O,
    PathError,
    Task,
)
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT

Use = Callable[[], Awaitable[object]]


@pytest.fixture
async def folder(task: Task, tmp_path: Path) -> FileFD:
    return await task.fs.open(tmp_path, O.DIRECTORY)


async def test_names_are_made_in_a_directory(task: Task, tmp_path: Path, folder: FileFD) -> None:
    with nothing_left(task):
        await task.fs.mkdir("inner", 0o700, dir_fd=folder)
        await task.fs.symlink("inner", "link", dir_fd=folder)
        await task.fs.mknod("file", stat.S_IFREG | 0o600, dir_fd=folder)
        await task.fs.mknod("socket", stat.S_IFSOCK | 0o600, dir_fd=folder)
        await task.fs.mkfifo("fifo", 0o600, dir_fd=folder)
        await task.fs.link("file", "hard", dir_fd=folder, new_dir_fd=folder)
        assert await task.fs.readlink("link", dir_fd=folder) == "inner"
        modes = {
            name: stat.S_IFMT((await task.fs.lstat(name, dir_fd=folder)).mode)
            for name in await task.fs.listdir(tmp_path)
        }
    assert modes == {
        "inner": stat.S_IFDIR,
        "link": stat.S_IFLNK,
        "file": stat.S_IFREG,
        "hard": stat.S_IFREG,
        "socket": stat.S_IFSOCK,
        "fifo": stat.S_IFIFO,
    }
    assert (await task.fs.stat("file", dir_fd=folder)).nlink == 2


async def test_names_are_given_in_the_callers_memory(task: Task, tmp_path: Path) -> None:
    one, two = [await task.ptr(bytes(tmp_path / name) + b"\0") for name in ("one", "two")]
    await task.fs.mkdir(one, 0o700)
    await task.fs.rename(one, two)
    await task.fs.symlink(two, one)
    read = await task.fs.readlink(one, into=await task.malloc(BYTES, 4096))
    assert await read.read() == bytes(tmp_path / "two")
    with pytest.raises(FileExistsError) as caught:
        await task.fs.link(two, one)
    assert (caught.value.filename, caught.value.filename2) == (str(two), str(one))
    await task.fs.unlink(one)
    await task.fs.rmdir(two)
    for pointer in (one, two, read):
        pointer.free()


async def test_a_rename_replaces_exchanges_or_fails(task: Task, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    with nothing_left(task):
        with pytest.raises(FileExistsError) as caught:
            await task.fs.rename(old, new, flags=RENAME.NOREPLACE)
        assert caught.value.errno == EEXIST
        assert (caught.value.filename, caught.value.filename2) == (str(old), str(new))
        await task.fs.rename(old, new, flags=RENAME.EXCHANGE)
        assert await task.fs.read_bytes(new) == b"old"
        await task.fs.rename(new, old)
        assert await task.fs.listdir(tmp_path) == ["old"]
        with pytest.raises(OSError, match="Invalid argument") as wrong:
            await task.fs.rename(old, new, flags=RENAME.NOREPLACE | RENAME.EXCHANGE)
        assert wrong.value.errno == EINVAL
        with pytest.raises(FileNotFoundError) as missing:
            await task.fs.rename(new, old)
        assert (missing.value.filename, missing.value.filename2) == (str(new), str(old))


async def test_a_rename_goes_from_directory_to_directory(
    task: Task, tmp_path: Path, folder: FileFD
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "file").write_bytes(b"content")
    async with await task.fs.open(tmp_path / "inner", O.PATH) as inner:
        with nothing_left(task):
            await task.fs.rename("file", "moved", dir_fd=folder, new_dir_fd=inner)
    assert (tmp_path / "inner" / "moved").read_bytes() == b"content"


async def test_links_follow_symbolic_ones_where_told(
    task: Task, tmp_path: Path, folder: FileFD
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    with nothing_left(task):
        await task.fs.link("link", "same", dir_fd=folder, new_dir_fd=folder)
        await task.fs.link(
            "link", "other", dir_fd=folder, new_dir_fd=folder, flags=AT.SYMLINK_FOLLOW
        )
    assert (tmp_path / "same").is_symlink()
    assert not (tmp_path / "other").is_symlink()
    with pytest.raises(PermissionError) as caught:
        await task.fs.link(tmp_path, tmp_path / "directory")
    assert caught.value.errno == EPERM


async def test_directories_and_files_are_removed_as_what_they_are(
    task: Task, tmp_path: Path, folder: FileFD
) -> None:
    (tmp_path / "full" / "inner").mkdir(parents=True)
    (tmp_path / "file").touch()
    with nothing_left(task):
        with pytest.raises(OSError, match="not empty") as caught:
            await task.fs.rmdir("full", dir_fd=folder)
        assert caught.value.errno == ENOTEMPTY
        with pytest.raises(IsADirectoryError):
            await task.fs.unlink("full", dir_fd=folder)
        with pytest.raises(NotADirectoryError):
            await task.fs.rmdir("file", dir_fd=folder)
        await task.fs.rmdir("full/inner", dir_fd=folder)
        await task.fs.rmdir("full", dir_fd=folder)
        await task.fs.unlink("file", dir_fd=folder)
        assert await task.fs.listdir(tmp_path) == []


async def test_access_is_told_for_the_effective_ids_too(
    task: Task, tmp_path: Path, folder: FileFD
) -> None:
    (tmp_path / "file").touch(0o600)
    (tmp_path / "broken").symlink_to("nowhere")
    with nothing_left(task):
        assert await task.fs.access("file", os.R_OK, dir_fd=folder, flags=AT.EACCESS)
        assert not await task.fs.access("file", os.X_OK, dir_fd=folder, flags=AT.EACCESS)
        assert not await task.fs.access("broken", dir_fd=folder)
        assert await task.fs.access("broken", dir_fd=folder, flags=AT.SYMLINK_NOFOLLOW)
        with pytest.raises(OSError, match="Invalid argument"):
            await task.fs.access("file", 0o70, dir_fd=folder)


async def test_devices_are_made_by_root_only(local: Task, tmp_path: Path) -> None:
    null = os.makedev(1, 3)
    if IS_ROOT:
        await local.fs.mknod(tmp_path / "null", stat.S_IFCHR | 0o600, null)
        assert (await local.fs.stat(tmp_path / "null")).rdev == null
    async with local.spawn(CLONE.NEWUSER) as child:
        with pytest.raises(PermissionError) as caught:
            await child.fs.mknod(tmp_path / "other", stat.S_IFCHR | 0o600, null)
        assert caught.value.filename == str(tmp_path / "other")


async def test_what_the_kernel_could_not_be_given_is_refused(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "file"
    paths: list[Use] = [
        lambda: task.fs.link(path, "\0"),
        lambda: task.fs.link("\0", path),
        lambda: task.fs.symlink("\0", path),
        lambda: task.fs.rename(path, b"a\0"),
        lambda: task.fs.mknod("\0"),
        lambda: task.fs.mkfifo("\0"),
        lambda: task.fs.rmdir("\0"),
    ]
    numbers: list[Use] = [
        lambda: task.fs.mknod(path, 0o200000),
        lambda: task.fs.mknod(path, device=2**32),
        lambda: task.fs.mkfifo(path, 0o10000),
        lambda: task.fs.rename(path, path, flags=RENAME(2**32)),
        lambda: task.fs.link(path, path, flags=AT(2**32)),
    ]
    with nothing_left(task):
        for use in paths:
            with pytest.raises(PathError):
                await use()
        for use in numbers:
            with pytest.raises(ArgumentRangeError):
                await use()
    assert not path.exists()
