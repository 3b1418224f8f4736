"""What an fd tells and changes of its file: owner, mode, times, flags, extended attributes."""

from __future__ import annotations

import os
from errno import EEXIST, EINVAL, ENODATA, ENOTTY, EOPNOTSUPP, ERANGE
from pathlib import Path

import attrs
import pytest

from rsyscall_ns import (
    BYTES,
    FS_FL,
    INT32,
    QIF,
    STATX,
    UTIME,
    XATTR,
    ArgumentRangeError,
    Dqblk,
    Dqinfo,
    FDKindError,
    FileAttr,
    FileFD,
    MissingCallError,
    O,
    PathError,
    Q,
    QuotaType,
    Stat,
    Statfs,
    Statx,
    Task,
    struct_of,
)
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT


async def made(task: Task, tmp_path: Path) -> FileFD:
    return await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT, 0o600)


async def test_stat_tells_the_same_as_the_interpreter(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path)
    await file.write(b"12345")
    with nothing_left(task):
        there = os.stat(tmp_path / "file")  # noqa: PTH116 - all of it
        told = await file.fstat()
        assert (told.ino, told.dev, told.mode) == (there.st_ino, there.st_dev, there.st_mode)
        assert (told.nlink, told.uid, told.gid) == (1, there.st_uid, there.st_gid)
        assert (told.size, told.blksize, told.blocks) == (
            5,
            there.st_blksize,
            there.st_blocks,
        )
        assert told.mtime * 10**9 + told.mtime_nsec == there.st_mtime_ns
        more = await file.statx(STATX.SIZE | STATX.INO)
        assert (more.size, more.ino) == (5, there.st_ino)
    memory = await task.malloc(struct_of(Stat))
    filled = await file.fstat(into=memory)
    assert filled is memory
    assert await filled.read() == await file.fstat()
    memory.free()
    fields = await file.statx(into=await task.malloc(struct_of(Statx)))
    assert (await fields.read()).size == 5
    fields.free()


async def test_the_file_system_is_told(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path)
    there = os.statvfs(tmp_path)
    told = await file.fstatfs()
    assert (told.frsize, told.blocks, told.namelen) == (
        there.f_frsize,
        there.f_blocks,
        there.f_namemax,
    )
    by_path = await task.fs.statfs(tmp_path)
    # what is free is another number as soon as anybody else writes
    bfree, bavail, ffree = told.bfree, told.bavail, told.ffree
    assert attrs.evolve(by_path, bfree=bfree, bavail=bavail, ffree=ffree) == told
    assert by_path.bavail <= by_path.bfree <= by_path.blocks
    memory = await file.fstatfs(into=await task.malloc(struct_of(Statfs)))
    assert (await memory.read()).type == told.type
    same = await task.fs.statfs(tmp_path, into=memory)
    assert (await same.read()).fsid == told.fsid
    memory.free()


async def test_mode_and_owner_are_changed(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path)
    with nothing_left(task):
        await file.fchmod(0o640)
        assert (await file.fstat()).mode & 0o7777 == 0o640
        await file.fchown(os.geteuid(), os.getegid())
        await file.fchown()
        assert (await file.fstat()).uid == os.geteuid()
        with pytest.raises(ArgumentRangeError):
            await file.fchmod(0o10000)
        with pytest.raises(ArgumentRangeError):
            await file.fchown(2**32)
    if not IS_ROOT:
        foreign = await task.fs.open("/etc/passwd")
        with pytest.raises(PermissionError):
            await foreign.fchmod(0o777)
        with pytest.raises(PermissionError):
            await foreign.fchown(os.geteuid())


async def test_times_are_set_to_the_nanosecond_to_now_or_left(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path)
    with nothing_left(task):
        await file.futimens((1_000_000_001, 2_000_000_002))
        told = await file.fstat()
        assert (told.atime, told.atime_nsec, told.mtime, told.mtime_nsec) == (1, 1, 2, 2)
        await file.futimens((UTIME.OMIT, -1))
        told = await file.fstat()
        assert (told.atime, told.mtime, told.mtime_nsec) == (1, -1, 999_999_999)
        await file.futimens((UTIME.NOW, UTIME.OMIT))
        assert (await file.fstat()).atime > 1_000_000
        await file.futimens()
        assert (await file.fstat()).mtime > 1_000_000
        with pytest.raises(ArgumentRangeError, match="time"):
            await file.futimens((2**100, 0))
    pair = await task.ptr(b"".join(n.to_bytes(8, "little") for n in (3, 4, 5, 6)))
    await file.futimens(pair)
    assert (await file.fstat()).mtime == 5
    pair.free()


async def test_flags_that_chattr_sets_are_read_and_set(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path)
    try:
        before = await file.getflags()
    except OSError as error:
        assert error.errno in {ENOTTY, EOPNOTSUPP}  # noqa: PT017 - most file systems have them
        pytest.skip("the file system of the temporary directory has no flags")
    with nothing_left(task):
        await file.setflags(before | FS_FL.NODUMP)
        assert FS_FL.NODUMP in await file.getflags()
    memory = await file.getflags(into=await task.malloc(INT32))
    assert FS_FL.NODUMP in FS_FL(await memory.read() & 0xFFFFFFFF)
    await file.setflags(before)
    assert FS_FL.NODUMP not in await file.getflags()
    await file.setflags(memory)
    assert FS_FL.NODUMP in await file.getflags()
    memory.free()
    with pytest.raises(ArgumentRangeError, match="flags"):
        await file.setflags(FS_FL(1 << 33))


async def test_devices_have_no_flags(task: Task) -> None:
    file = await task.fs.open("/dev/null")
    with pytest.raises(OSError, match="ioctl") as caught:
        await file.getflags()
    assert caught.value.errno == ENOTTY


async def test_attributes_of_the_file_system_are_read_and_set(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path)
    try:
        before = await file.file_getattr()
    except MissingCallError as error:
        pytest.skip(f"no file_getattr here: {error}")
    except OSError as error:
        if error.errno != EOPNOTSUPP:
            raise
        pytest.skip(f"the file system of tmp_path has no file_getattr: {error}")
    assert isinstance(before, FileAttr)
    await file.setflags(FS_FL.NODUMP)
    now = await task.fs.file_getattr(tmp_path / "file")
    assert now.xflags == before.xflags | 0x80
    await file.file_setattr(before)
    assert await file.file_getattr() == before
    await task.fs.file_setattr(tmp_path / "file", now)
    memory = await file.file_getattr(into=await task.malloc(struct_of(FileAttr)))
    assert await memory.read() == now
    same = await task.fs.file_getattr(tmp_path / "file", into=memory)
    await file.file_setattr(same)
    same.free()
    with pytest.raises(FileNotFoundError) as caught:
        await task.fs.file_setattr(tmp_path / "missing", now)
    assert caught.value.filename == str(tmp_path / "missing")


async def test_extended_attributes_are_set_listed_read_and_removed(
    task: Task, tmp_path: Path
) -> None:
    file = await made(task, tmp_path)
    with nothing_left(task):
        await file.fsetxattr("user.one", b"1")
        await file.fsetxattr(b"user.two", b"two\0three")
        await file.fsetxattr("user.empty", b"")
        assert sorted(await file.flistxattr()) == ["user.empty", "user.one", "user.two"]
        assert await file.fgetxattr("user.two") == b"two\0three"
        assert await file.fgetxattr("user.empty") == b""
        with pytest.raises(FileExistsError) as caught:
            await file.fsetxattr("user.one", b"2", XATTR.CREATE)
        assert caught.value.errno == EEXIST
        await file.fsetxattr("user.one", b"2", XATTR.REPLACE)
        await file.fremovexattr("user.one")
        for use in (
            lambda: file.fgetxattr("user.one"),
            lambda: file.fremovexattr("user.one"),
            lambda: file.fsetxattr("user.one", b"", XATTR.REPLACE),
        ):
            with pytest.raises(OSError, match="No data") as missing:
                await use()
            assert missing.value.errno == ENODATA
        with pytest.raises(OSError, match="not supported"):
            await file.fsetxattr("other.one", b"")
        with pytest.raises(PathError, match="NUL"):
            await file.fgetxattr("user.\0")


async def test_extended_attributes_are_kept_in_the_callers_memory(
    task: Task, tmp_path: Path
) -> None:
    file = await made(task, tmp_path)
    name, value = await task.ptr(b"user.name\0"), await task.ptr(b"value")
    await file.fsetxattr(name, value)
    got = await file.fgetxattr(name, into=await task.malloc(BYTES, 100))
    assert await got.read() == b"value"
    names = await file.flistxattr(into=await task.malloc(BYTES, 100))
    assert await names.read() == b"user.name\0"
    small = await task.malloc(BYTES, 2)
    with pytest.raises(OSError, match="range") as caught:
        await file.fgetxattr(name, into=small)
    assert caught.value.errno == ERANGE
    assert small.valid
    await file.fremovexattr(name)
    assert await file.flistxattr() == []
    for pointer in (name, value, got, names, small):
        pointer.free()


async def test_quotas_that_there_are_none_of_are_an_error(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path)
    with nothing_left(task), pytest.raises(OSError, match="quotactl_fd"):
        await file.quotactl_fd(Q.GETQUOTA, QuotaType.USRQUOTA, 54321)
    memory = await task.malloc(struct_of(Dqinfo))
    for op, value in (
        (Q.QUOTAON, b"/missing\0"),
        (Q.GETINFO, memory),
        (Q.SETINFO, memory),
        (Q.SETQUOTA, Dqblk(valid=QIF.LIMITS)),
        (Q.GETFMT, None),
    ):
        with nothing_left(task), pytest.raises(OSError, match="quotactl_fd"):
            await file.quotactl_fd(op, QuotaType.USRQUOTA, 1, value)
    memory.free()


async def test_a_socket_is_no_file(task: Task) -> None:
    one, _ = await task.net.socketpair()
    with pytest.raises(FDKindError, match="FileFD"):
        await one.as_kind(FileFD)
    file = await task.fs.open("/dev/null")
    with pytest.raises(OSError, match="Invalid argument") as caught:
        await file.ftruncate(1)
    assert caught.value.errno == EINVAL
