"""What takes several calls: trees, temporary directories, whole files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import trio

from rsyscall_ns import CLONE, MS, ArgumentRangeError, O, PathError, Task
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT


def grow(root: Path, depth: int) -> Path:
    """Make a tree with files, links and empty directories at each level."""
    folder = root
    for level in range(depth):
        (folder / f"level-{level}" / "empty").mkdir(parents=True)
        folder /= f"level-{level}"
        (folder / "file").write_bytes(b"content")
        (folder / "link").symlink_to(root.parent / "kept")
        (folder / os.fsdecode(b"\xff")).touch()
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a tree, and what its links lead to, outside the loop."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "tree").mkdir()
    return grow(tmp_path / "tree", 5)


async def test_a_tree_is_removed_and_no_link_is_followed(
    task: Task, tmp_path: Path, tree: Path
) -> None:
    with nothing_left(task):
        await task.fs.rmtree(tree)
        assert await task.fs.listdir(tmp_path) == ["kept"]
        assert await task.fs.listdir(tmp_path / "kept") == ["file"]
        with pytest.raises(FileNotFoundError) as caught:
            await task.fs.rmtree(tree)
        assert caught.value.filename == str(tree)


async def test_a_link_to_a_tree_and_a_file_are_removed_themselves(
    task: Task, tmp_path: Path, tree: Path
) -> None:
    (tmp_path / "link").symlink_to(tree)
    directory = await task.fs.open(tmp_path, O.DIRECTORY)
    with nothing_left(task):
        await task.fs.rmtree("link", dir_fd=directory)
        await task.fs.rmtree("kept/file", dir_fd=directory)
        assert sorted(await task.fs.listdir(tmp_path)) == ["kept", "tree"]
        await task.fs.rmtree("tree", dir_fd=directory)
    assert sorted(await task.fs.listdir(tmp_path)) == ["kept"]


async def test_other_mounts_are_not_entered(local: Task, tmp_path: Path) -> None:
    (tmp_path / "tree" / "mount").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        await child.mount.mount(tmp_path / "outside", tmp_path / "tree" / "mount", "", MS.BIND)
        with pytest.raises(OSError, match="openat2") as caught:
            await child.fs.rmtree(tmp_path / "tree")
        assert caught.value.filename == "mount"
    assert (tmp_path / "outside" / "file").exists()


async def test_a_removal_that_is_cancelled_leaves_no_fd(task: Task, tree: Path) -> None:
    with nothing_left(task):
        with trio.CancelScope() as scope:
            scope.cancel()
            await task.fs.rmtree(tree)
        assert scope.cancelled_caught
    assert await task.fs.is_dir(tree)


async def test_a_temporary_directory_is_removed_with_all_in_it(
    task: Task, tmp_path: Path, tree: Path
) -> None:
    with nothing_left(task):
        async with task.fs.mkdtemp("made-", tmp_path) as made:
            assert made.path.startswith(f"{tmp_path}/made-")
            assert stat.S_IMODE((await made.fd.fstat()).mode) == 0o700
            await task.fs.rename(tree, "tree", new_dir_fd=made.fd)
            await task.fs.write_text("file", "text", dir_fd=made.fd)
            assert [entry async for entry in made.fd.entries()]
        assert sorted(await task.fs.listdir(tmp_path)) == ["kept"]


async def test_a_temporary_directory_is_removed_also_when_cancelled(
    task: Task, tmp_path: Path
) -> None:
    with nothing_left(task):
        with trio.CancelScope() as scope:
            async with task.fs.mkdtemp(directory=tmp_path) as made:
                await task.fs.mkdir("a/b/c", parents=True, dir_fd=made.fd)
                scope.cancel()
                await trio.lowlevel.checkpoint()
        assert scope.cancelled_caught
        assert await task.fs.listdir(tmp_path) == []
        with trio.CancelScope() as scope:
            scope.cancel()
            async with task.fs.mkdtemp(directory=tmp_path):
                raise AssertionError
        assert await task.fs.listdir(tmp_path) == []


async def test_a_temporary_directory_that_is_gone_is_no_error(task: Task, tmp_path: Path) -> None:
    with nothing_left(task):
        async with task.fs.mkdtemp(directory=tmp_path) as made:
            await task.fs.rmtree(made.path)
        async with task.fs.mkdtemp(directory=tmp_path) as made:
            await task.fs.write_bytes("file", b"", dir_fd=made.fd)
            await task.fs.rename(made.path, tmp_path / "elsewhere")
        assert await task.fs.listdir(tmp_path / "elsewhere") == []
        with pytest.raises(FileNotFoundError):
            async with task.fs.mkdtemp(directory=tmp_path / "missing"):
                raise AssertionError


async def test_directories_are_made_with_those_above_them(task: Task, tmp_path: Path) -> None:
    directory = await task.fs.open(tmp_path, O.DIRECTORY)
    with nothing_left(task):
        await task.fs.mkdir(tmp_path / "a" / "b" / "c", 0o700, parents=True)
        await task.fs.mkdir(bytes(tmp_path / "a" / "d") + b"/", parents=True)
        await task.fs.mkdir("e/f", parents=True, dir_fd=directory)
        assert stat.S_IMODE((await task.fs.stat(tmp_path / "a/b/c")).mode) == 0o700
        assert await task.fs.is_dir("e/f", dir_fd=directory)
        with pytest.raises(FileExistsError):
            await task.fs.mkdir(tmp_path / "a", parents=True)
        with pytest.raises(FileNotFoundError):
            await task.fs.mkdir(tmp_path / "x" / "y")
        with pytest.raises(FileNotFoundError):
            await task.fs.mkdir("", parents=True)
        await task.fs.write_bytes(tmp_path / "file", b"")
        with pytest.raises(NotADirectoryError):
            await task.fs.mkdir(tmp_path / "file" / "a" / "b", parents=True)
        path = await task.ptr(bytes(tmp_path / "x/y") + b"\0")
        with pytest.raises(FileNotFoundError):
            await task.fs.mkdir(path, parents=True)
        path.free()


async def test_what_a_path_leads_to_is_told(task: Task, tmp_path: Path, tree: Path) -> None:
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("kept/file")
    with nothing_left(task):
        for path, there, file, folder in (
            (tree, True, False, True),
            (tmp_path / "link", True, True, False),
            (tmp_path / "broken", False, False, False),
            (tmp_path / "kept/file/below", False, False, False),
            ("/dev/null", True, False, False),
        ):
            assert await task.fs.exists(path) == there
            assert await task.fs.is_file(path) == file
            assert await task.fs.is_dir(path) == folder
    with pytest.raises(PathError):
        await task.fs.exists("\0")


async def test_what_may_not_be_looked_at_is_not_there(task: Task, tmp_path: Path) -> None:
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    with nothing_left(task):
        assert await task.fs.exists(tmp_path / "closed" / "inner") == IS_ROOT
    (tmp_path / "closed").chmod(0o700)


async def test_whole_files_are_written_and_read(task: Task, tmp_path: Path) -> None:
    data = os.urandom(200_000)
    path = tmp_path / "file"
    with nothing_left(task):
        await task.fs.write_bytes(path, data, 0o600)
        assert await task.fs.read_bytes(path) == data
        assert stat.S_IMODE((await task.fs.stat(path)).mode) == 0o600
        await task.fs.write_text(path, "größer")
        assert await task.fs.read_text(path) == "größer"
        await task.fs.write_text(path, "größer", encoding="latin-1")
        assert await task.fs.read_text(path, "latin-1") == "größer"
        with pytest.raises(UnicodeDecodeError):
            await task.fs.read_text(path)
        with pytest.raises(IsADirectoryError):
            await task.fs.write_bytes(tmp_path, b"")
        with pytest.raises(ArgumentRangeError, match="mode"):
            await task.fs.write_bytes(path, b"", 0o10000)


async def test_a_temporary_directory_goes_also_if_its_fd_was_closed(task: Task) -> None:
    with nothing_left(task):
        async with task.fs.mkdtemp() as folder:
            await task.fs.write_bytes("file", b"in it", dir_fd=folder.fd)
            await folder.fd.close()
        assert not await task.fs.exists(folder.path)
