"""Opening files: relative to directories, and with rules for where paths may lead."""

from __future__ import annotations

import stat
from errno import EINVAL, ELOOP, EXDEV
from pathlib import Path

import pytest

from rsyscall_ns import (
    AT,
    BYTES,
    RESOLVE,
    ArgumentRangeError,
    FDTableMismatchError,
    O,
    OpenHow,
    PathError,
    Task,
)
from tests.support.census import nothing_left

READ = OpenHow(O.RDONLY)


def below(resolve: RESOLVE) -> OpenHow:
    return OpenHow(O.RDONLY, 0, resolve)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a directory with links that lead inside and out of it, outside the loop."""
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file").write_bytes(b"inside")
    (root / "file").write_bytes(b"top")
    (tmp_path / "file").write_bytes(b"outside")
    (root / "up").symlink_to("../file")
    (root / "absolute").symlink_to("/file")
    (root / "down").symlink_to("folder/file")
    (root / "loop").symlink_to("loop")
    return root


async def test_a_path_begins_at_a_directory(task: Task, tree: Path) -> None:
    directory = await task.fs.open(tree, O.PATH | O.DIRECTORY)
    path = await task.ptr(b"folder/file\0")
    with nothing_left(task):
        for name in ("folder/file", b"folder/file", Path("folder/file"), path):
            async with await task.fs.open(name, dir_fd=directory) as file:
                assert await file.read() == b"inside"
                assert await file.is_cloexec()
        with pytest.raises(FileNotFoundError) as caught:
            await task.fs.open("missing", dir_fd=directory)
        assert caught.value.filename == "missing"
    path.free()
    missing = await task.ptr(b"missing\0")
    with pytest.raises(FileNotFoundError) as where:
        await task.fs.open(missing, dir_fd=directory)
    assert where.value.filename == str(missing)
    missing.free()
    file = await task.fs.open(tree / "file")
    with pytest.raises(NotADirectoryError):
        await task.fs.open("file", dir_fd=file)


async def test_a_directory_of_another_fd_table_is_refused(local: Task, child: Task) -> None:
    directory = await local.fs.open("/", O.PATH)
    with nothing_left(child), pytest.raises(FDTableMismatchError):
        await child.fs.open("etc", dir_fd=directory)
    with nothing_left(child), pytest.raises(FDTableMismatchError):
        await child.fs.rename("a", "b", new_dir_fd=directory)


async def test_paths_stay_below_where_the_rules_say_so(task: Task, tree: Path) -> None:
    directory = await task.fs.open(tree, O.PATH | O.DIRECTORY)
    with nothing_left(task):
        for name, resolve, content in (
            ("down", RESOLVE.BENEATH, b"inside"),
            ("up", RESOLVE.NONE, b"outside"),
            ("up", RESOLVE.IN_ROOT, b"top"),
            ("absolute", RESOLVE.IN_ROOT, b"top"),
            ("../../file", RESOLVE.IN_ROOT, b"top"),
            ("folder/file", RESOLVE.NO_SYMLINKS | RESOLVE.NO_XDEV, b"inside"),
        ):
            async with await task.fs.openat2(name, below(resolve), dir_fd=directory) as file:
                assert await file.read() == content
                assert await file.is_cloexec()
        for name, resolve, errno in (
            ("up", RESOLVE.BENEATH, EXDEV),
            ("absolute", RESOLVE.BENEATH, EXDEV),
            ("down", RESOLVE.NO_SYMLINKS, ELOOP),
            ("loop", RESOLVE.NONE, ELOOP),
            ("/proc/self/exe", RESOLVE.NO_MAGICLINKS, ELOOP),
            ("/proc/self/status", RESOLVE.NO_XDEV, EXDEV),
            ("file", RESOLVE.BENEATH | RESOLVE.IN_ROOT, EINVAL),
            ("file", RESOLVE(1 << 20), EINVAL),
        ):
            with pytest.raises(OSError, match="openat2") as caught:
                await task.fs.openat2(name, below(resolve), dir_fd=directory)
            assert (caught.value.errno, caught.value.filename) == (errno, name)


async def test_openat2_takes_the_callers_memory_and_makes_files(task: Task, tree: Path) -> None:
    how = await task.ptr(OpenHow(O.WRONLY | O.CREAT, 0o600))
    async with await task.fs.openat2(tree / "new", how) as file:
        assert await file.is_cloexec()
    assert (await how.read()).flags == O.WRONLY | O.CREAT
    how.free()
    assert stat.S_IMODE((await task.fs.stat(tree / "new")).mode) == 0o600
    with nothing_left(task):
        with pytest.raises(OSError, match="Invalid argument"):
            await task.fs.openat2(tree / "new", OpenHow(O.RDONLY, 0o600))  # it makes nothing
        with pytest.raises(ArgumentRangeError, match="mode"):
            await task.fs.openat2(tree / "new", OpenHow(O.CREAT, -1))
        with pytest.raises(PathError):
            await task.fs.openat2("\0", READ)


async def test_an_unnamed_file_is_made_and_given_a_name(task: Task, tree: Path) -> None:
    async with await task.fs.open(tree, O.TMPFILE | O.WRONLY, 0o600) as file:
        await file.write(b"content")
        link = f"/proc/self/fd/{file.near.number}"
        await task.fs.link(link, tree / "named", flags=AT.SYMLINK_FOLLOW)
    assert await task.fs.read_bytes(tree / "named") == b"content"


async def test_all_file_systems_are_brought_to_their_devices(child: Task) -> None:
    await child.fs.sync()  # in a child: it waits for devices
    assert await child.fs.getcwd() == str(Path.cwd())


async def test_new_files_lack_what_the_mask_takes(child: Task, tmp_path: Path) -> None:
    before = await child.fs.umask(0o077)
    await child.fs.mkdir(tmp_path / "folder", 0o777)
    assert stat.S_IMODE((await child.fs.stat(tmp_path / "folder")).mode) == 0o700
    assert await child.fs.umask(before) == 0o077
    with pytest.raises(ArgumentRangeError, match="mask"):
        await child.fs.umask(0o1000)


async def test_the_working_directory_is_changed_by_an_fd(child: Task, tree: Path) -> None:
    directory = await child.fs.open(tree, O.PATH)
    await child.fs.chdir(directory)
    assert await child.fs.getcwd() == str(tree)
    file = await child.fs.open("file")
    with pytest.raises(NotADirectoryError):
        await child.fs.chdir(file)
    where = await child.fs.getcwd(into=await child.malloc(BYTES, 4096))
    assert await where.read() == bytes(tree) + b"\0"
    where.free()
    path = await child.ptr(b"folder\0")
    await child.fs.chdir(path)
    assert await child.fs.getcwd() == str(tree / "folder")
    path.free()
