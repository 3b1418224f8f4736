"""What files are, told and changed by their paths; extended attributes among it."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from errno import ENODATA, ENOTBLK, ERANGE
from pathlib import Path

import pytest

from rsyscall_ns import (
    AT,
    BYTES,
    CLONE,
    STATX,
    UTIME,
    XATTR,
    ArgumentRangeError,
    FileFD,
    MissingCallError,
    O,
    Q,
    QuotaType,
    Stat,
    Statx,
    Task,
    struct_of,
)
from tests.support.census import nothing_left

Use = Callable[[], Awaitable[object]]


@pytest.fixture
async def folder(task: Task, tmp_path: Path) -> FileFD:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    return await task.fs.open(tmp_path, O.DIRECTORY)


async def test_files_and_links_are_told_apart(task: Task, folder: FileFD) -> None:
    with nothing_left(task):
        for path in ("file", "link"):
            assert (await task.fs.stat(path, dir_fd=folder)).size == 5
        assert stat.S_ISLNK((await task.fs.lstat("link", dir_fd=folder)).mode)
        told = await task.fs.statx("file", STATX.SIZE | STATX.MNT_ID, dir_fd=folder)
        assert told.size == 5
        assert told.mnt_id
        link = await task.fs.statx("link", dir_fd=folder, flags=AT.SYMLINK_NOFOLLOW)
        assert stat.S_ISLNK(link.mode)
        here = await task.fs.stat("", dir_fd=folder, flags=AT.EMPTY_PATH)
        assert here == await folder.fstat()
        uses: list[Use] = [
            lambda: task.fs.stat("missing", dir_fd=folder),
            lambda: task.fs.statx("missing", dir_fd=folder),
            lambda: task.fs.statfs("missing"),
            lambda: task.fs.chmod("missing", 0),
            lambda: task.fs.chown("missing"),
            lambda: task.fs.utimensat("missing"),
            lambda: task.fs.truncate("missing", 0),
        ]
        for use in uses:
            with pytest.raises(FileNotFoundError) as caught:
                await use()
            assert caught.value.filename == "missing"
    memory = await task.fs.stat("file", dir_fd=folder, into=await task.malloc(struct_of(Stat)))
    assert (await memory.read()).size == 5
    fields = await task.fs.statx("file", dir_fd=folder, into=await task.malloc(struct_of(Statx)))
    assert (await fields.read()).size == 5
    same = await task.fs.lstat("link", dir_fd=folder, into=memory)
    assert stat.S_ISLNK((await same.read()).mode)
    memory.free()
    fields.free()


async def test_modes_owners_and_times_are_changed(task: Task, folder: FileFD) -> None:
    with nothing_left(task):
        await task.fs.chmod("file", 0o640, dir_fd=folder)
        assert (await task.fs.stat("file", dir_fd=folder)).mode & 0o7777 == 0o640
        try:
            await task.fs.chmod("file", 0o600, dir_fd=folder, flags=AT.SYMLINK_NOFOLLOW)
        except MissingCallError:
            await task.fs.chmod("file", 0o600, dir_fd=folder)
        assert (await task.fs.stat("file", dir_fd=folder)).mode & 0o7777 == 0o600
        await task.fs.chown("file", os.geteuid(), dir_fd=folder)
        await task.fs.lchown("link", group=os.getegid(), dir_fd=folder)
        await task.fs.utimensat("link", (1, UTIME.OMIT), dir_fd=folder)
        await task.fs.utimensat("link", (2, 2), dir_fd=folder, flags=AT.SYMLINK_NOFOLLOW)
        told = await task.fs.stat("file", dir_fd=folder)
        assert (told.atime, told.atime_nsec) == (0, 1)
        assert told.mtime > 1
        link = await task.fs.lstat("link", dir_fd=folder)
        assert (link.atime_nsec, link.mtime_nsec) == (2, 2)
        await task.fs.utimensat("file", dir_fd=folder)
        assert (await task.fs.stat("file", dir_fd=folder)).atime > 1
        uses: list[Use] = [
            lambda: task.fs.chmod("file", 0o10000),
            lambda: task.fs.chown("file", 2**32),
            lambda: task.fs.truncate("file", 2**63),
            lambda: task.fs.utimensat("file", (0, 2**100)),
        ]
        for use in uses:
            with pytest.raises(ArgumentRangeError):
                await use()


async def test_a_file_is_given_away_where_one_is_root(local: Task, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with local.spawn(CLONE.NEWUSER) as child:
        with pytest.raises((PermissionError, OSError)) as caught:
            await child.fs.chown(tmp_path / "file", os.getuid() + 1)
        assert caught.value.filename == str(tmp_path / "file")


async def test_extended_attributes_are_set_listed_read_and_removed(
    task: Task, tmp_path: Path, folder: FileFD
) -> None:
    path = tmp_path / "link"
    assert folder.valid
    with nothing_left(task):
        await task.fs.setxattr(path, "user.one", b"1", XATTR.CREATE)
        assert await task.fs.getxattr(tmp_path / "file", "user.one") == b"1"
        assert await task.fs.listxattr(path) == ["user.one"]
        assert await task.fs.llistxattr(path) == []
        uses: list[Use] = [
            lambda: task.fs.lgetxattr(path, "user.one"),
            lambda: task.fs.lremovexattr(path, "user.one"),
            lambda: task.fs.getxattr(path, "user.two"),
            lambda: task.fs.removexattr(path, "user.two"),
        ]
        for use in uses:
            with pytest.raises(OSError, match="xattr") as caught:
                await use()
            assert caught.value.filename == str(path)
        with pytest.raises(PermissionError):
            await task.fs.lsetxattr(path, "user.one", b"")  # not on symbolic links
        await task.fs.lsetxattr(tmp_path / "file", "user.two", b"2")
        assert await task.fs.lgetxattr(tmp_path / "file", "user.two") == b"2"
        await task.fs.lremovexattr(tmp_path / "file", "user.two")
        await task.fs.removexattr(path, "user.one")
        assert await task.fs.listxattr(path) == []
    await task.fs.setxattr(path, "user.a", b"value")
    got = await task.fs.getxattr(path, "user.a", into=await task.malloc(BYTES, 9))
    names = await task.fs.listxattr(path, into=await task.malloc(BYTES, 9))
    assert (await got.read(), await names.read()) == (b"value", b"user.a\0")
    small = await task.malloc(BYTES, 1)
    with pytest.raises(OSError, match="range") as full:
        await task.fs.lgetxattr(tmp_path / "file", "user.a", into=small)
    assert full.value.errno == ERANGE
    with pytest.raises(OSError, match="range"):
        await task.fs.llistxattr(tmp_path / "file", into=small)
    for pointer in (got, names, small):
        pointer.free()


async def test_extended_attributes_are_reached_from_a_directory(task: Task, folder: FileFD) -> None:
    try:
        await task.fs.setxattrat("file", "user.a", b"value", XATTR.CREATE, dir_fd=folder)
    except MissingCallError:
        pytest.skip("setxattrat came with Linux 6.13")
    with nothing_left(task):
        assert await task.fs.getxattrat("link", "user.a", dir_fd=folder) == b"value"
        assert await task.fs.listxattrat("file", dir_fd=folder) == ["user.a"]
        link = AT.SYMLINK_NOFOLLOW
        assert await task.fs.listxattrat("link", dir_fd=folder, flags=link) == []
        with pytest.raises(FileExistsError):
            await task.fs.setxattrat("file", "user.a", b"", XATTR.CREATE, dir_fd=folder)
    got = await task.fs.getxattrat(
        "file", "user.a", dir_fd=folder, into=await task.malloc(BYTES, 9)
    )
    assert await got.read() == b"value"
    names = await task.fs.listxattrat("file", dir_fd=folder, into=await task.malloc(BYTES, 9))
    assert await names.read() == b"user.a\0"
    await task.fs.setxattrat("file", "user.a", got, XATTR.REPLACE, dir_fd=folder)
    async with await task.fs.open("file", dir_fd=folder) as file:
        await task.fs.removexattrat("", "user.a", dir_fd=file, flags=AT.EMPTY_PATH)
    with pytest.raises(OSError, match="No data") as caught:
        await task.fs.removexattrat("file", "user.a", dir_fd=folder)
    assert (caught.value.errno, caught.value.filename) == (ENODATA, "file")
    got.free()
    names.free()


async def test_quotas_are_of_block_devices(task: Task) -> None:
    with nothing_left(task):
        await task.fs.quotactl(Q.SYNC, QuotaType.USRQUOTA)  # of all file systems: none has any
        with pytest.raises(OSError, match="quotactl") as caught:
            await task.fs.quotactl(Q.GETFMT, QuotaType.GRPQUOTA, "/dev/null")
        assert (caught.value.errno, caught.value.filename) == (ENOTBLK, "/dev/null")
        with pytest.raises(FileNotFoundError):
            await task.fs.quotactl(Q.GETQUOTA, QuotaType.PRJQUOTA, "/missing", 1)
        with pytest.raises(ArgumentRangeError):
            await task.fs.quotactl(Q.GETQUOTA, QuotaType.PRJQUOTA, "/missing", 2**32)
