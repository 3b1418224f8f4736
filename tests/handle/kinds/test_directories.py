"""Directories: their entries, in parts and one by one; handles of files."""

from __future__ import annotations

from errno import EINVAL, ENOTDIR, EOVERFLOW
from pathlib import Path

import pytest

from rsyscall_ns import (
    AT,
    BYTES,
    CLONE,
    DT,
    DirectoryEntry,
    FileHandle,
    O,
    SerializerError,
    Task,
    directory_entries,
)
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT


@pytest.fixture
def names(tmp_path: Path) -> dict[str, DT]:
    """Make one of each type in ``tmp_path``, outside the loop."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for number in range(50):
        (tmp_path / f"file-{number}").touch()
    files = {f"file-{number}": DT.REG for number in range(50)}
    return {"folder": DT.DIR, "link": DT.LNK, **files}


async def test_entries_tell_type_and_number(
    task: Task, tmp_path: Path, names: dict[str, DT]
) -> None:
    directory = await task.fs.open(tmp_path, O.DIRECTORY)
    with nothing_left(task):
        found = [entry async for entry in directory.entries()]
        assert {entry.name: entry.type for entry in found} == names
        there = await task.fs.lstat("link", dir_fd=directory)
        assert next(entry.ino for entry in found if entry.name == "link") == there.ino
        assert await directory.getdents() == []
    await directory.lseek(0)
    first = (await directory.getdents(64))[0]
    await directory.lseek(first.offset)
    rest = [entry.name for entry in await directory.getdents()]
    assert first.name not in rest
    assert len(rest) == len(names) + 1


async def test_entries_are_read_into_the_callers_memory(
    task: Task, tmp_path: Path, names: dict[str, DT]
) -> None:
    directory = await task.fs.open(tmp_path, O.DIRECTORY)
    memory = await task.malloc(BYTES, 65536)
    filled = await directory.getdents(memory)
    assert not memory.valid
    found = {entry.name for entry in directory_entries(await filled.read())}
    assert found == {*names, ".", ".."}
    filled.free()


async def test_what_is_no_directory_and_too_little_room_are_errors(
    task: Task, tmp_path: Path
) -> None:
    file = await task.fs.open("/dev/null")
    with nothing_left(task):
        with pytest.raises(NotADirectoryError) as caught:
            await file.getdents()
        assert caught.value.errno == ENOTDIR
        with pytest.raises(NotADirectoryError):
            await anext(file.entries())
        directory = await task.fs.open(tmp_path, O.DIRECTORY)
        with pytest.raises(OSError, match="Invalid argument") as wrong:
            await directory.getdents(1)
        assert wrong.value.errno == EINVAL
        await directory.close()
    with pytest.raises(SerializerError):
        list(directory_entries(DirectoryEntry(1, 2, DT.REG, "name").pack()[:-1]))


async def test_a_file_is_found_again_by_its_handle(task: Task, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    handle, mount = await task.fs.name_to_handle_at(tmp_path / "file")
    directory = await task.fs.open(tmp_path, O.DIRECTORY)
    assert await task.fs.name_to_handle_at("file", dir_fd=directory) == (handle, mount)
    file = await task.fs.open(tmp_path / "file")
    same = await task.fs.name_to_handle_at("", dir_fd=file, flags=AT.EMPTY_PATH)
    assert same == (handle, mount)
    with pytest.raises(FileNotFoundError) as missing:
        await task.fs.name_to_handle_at(tmp_path / "missing")
    assert missing.value.filename == str(tmp_path / "missing")
    memory = await task.ptr(FileHandle(0, bytes(128)).pack())
    filled, again = await task.fs.name_to_handle_at(tmp_path / "file", into=memory)
    assert (FileHandle.unpack(await filled.read(), exact=False), again) == (handle, mount)
    memory.free()
    short = await task.ptr(FileHandle(0, b"").pack())
    with pytest.raises(OSError, match="too large") as caught:
        await task.fs.name_to_handle_at(tmp_path / "file", into=short)
    assert caught.value.errno == EOVERFLOW
    short.free()
    (tmp_path / "file").rename(tmp_path / "renamed")
    if not IS_ROOT:
        with pytest.raises(PermissionError):
            await directory.open_by_handle_at(handle)
        return
    with nothing_left(task):
        async with await directory.open_by_handle_at(handle) as found:
            assert await found.is_cloexec()
            assert await found.read() == b"content"
        packed = await task.ptr(handle.pack())
        async with await directory.open_by_handle_at(packed) as found:
            assert (await found.fstat()).ino == (await file.fstat()).ino
        packed.free()
        with pytest.raises(OSError, match="open_by_handle_at"):
            await directory.open_by_handle_at(FileHandle(handle.type, b"\xff" * 8))


async def test_who_is_root_in_a_user_namespace_only_opens_no_handles(
    local: Task, tmp_path: Path
) -> None:
    handle, _ = await local.fs.name_to_handle_at(tmp_path)
    async with (
        local.spawn(CLONE.NEWUSER) as child,
        await child.fs.open(tmp_path, O.DIRECTORY) as directory,
    ):
        with pytest.raises(PermissionError):
            await directory.open_by_handle_at(FileHandle(handle.type, bytes(8)))
