"""What an fd does with the content of its file: length, blocks, cache, copies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from errno import EINVAL, ENODEV, EOPNOTSUPP, ESPIPE, EXDEV
from pathlib import Path
from typing import cast

import pytest

from rsyscall_ns import (
    FALLOC_FL,
    POSIX_FADV,
    RWH,
    SEEK,
    SYNC_FILE_RANGE,
    UINT64,
    ArgumentRangeError,
    Cachestat,
    FileFD,
    O,
    Task,
    struct_of,
)
from tests.support.census import nothing_left

Use = Callable[[], Awaitable[object]]
PAGE = 4096


async def made(task: Task, path: Path, content: bytes = b"") -> FileFD:
    file = await task.fs.open(path, O.RDWR | O.CREAT, 0o600)
    await file.write_all(content)
    return file


async def test_a_file_is_made_longer_and_shorter(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path / "file", b"12345")
    with nothing_left(task):
        await file.ftruncate(3)
        await file.ftruncate(6)
        assert await file.pread(9, 0) == b"123\0\0\0"
        await task.fs.truncate(tmp_path / "file", 1)
        assert (await file.fstat()).size == 1
        with pytest.raises(OSError, match="Invalid argument") as caught:
            await file.ftruncate(-1)
        assert caught.value.errno == EINVAL
        with pytest.raises(ArgumentRangeError):
            await file.ftruncate(2**63)
        with pytest.raises(IsADirectoryError):
            await task.fs.truncate(tmp_path, 0)


async def test_room_is_allocated_and_holes_are_punched(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path / "file", b"x" * 3 * PAGE)
    with nothing_left(task):
        await file.fallocate(0, 4 * PAGE, FALLOC_FL.KEEP_SIZE)
        assert (await file.fstat()).size == 3 * PAGE
        await file.fallocate(PAGE, PAGE, FALLOC_FL.PUNCH_HOLE | FALLOC_FL.KEEP_SIZE)
        assert await file.pread(2, PAGE - 1) == b"x\0"
        assert await file.lseek(0, SEEK.HOLE) == PAGE
        assert await file.lseek(PAGE, SEEK.DATA) == 2 * PAGE
        await file.fallocate(0, 5 * PAGE)
        assert (await file.fstat()).size == 5 * PAGE
        refused = (
            (0, 0, FALLOC_FL.ALLOCATE_RANGE, EINVAL),
            (-1, 1, FALLOC_FL.ALLOCATE_RANGE, EINVAL),
            (0, PAGE, FALLOC_FL.PUNCH_HOLE, EOPNOTSUPP),
        )
        for offset, length, mode, errno in refused:
            with pytest.raises(OSError, match="fallocate") as caught:
                await file.fallocate(offset, length, mode)
            assert caught.value.errno == errno
    device = await task.fs.open("/dev/null", O.RDWR)
    with pytest.raises(OSError, match="fallocate") as caught:
        await device.fallocate(0, 1)
    assert caught.value.errno == ENODEV


async def test_what_was_written_is_brought_to_the_device(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path / "file", b"x" * PAGE)
    pipe, _ = await task.fs.pipe2()
    fifo = FileFD(task, pipe.near)  # a second handle of the same entry
    with nothing_left(task):
        await file.fdatasync()
        await file.fsync()
        await file.sync_file_range(0, PAGE, SYNC_FILE_RANGE.WRITE | SYNC_FILE_RANGE.WAIT_AFTER)
        await file.sync_file_range()
        with pytest.raises(OSError, match="sync_file_range") as caught:
            await file.sync_file_range(-1)
        assert caught.value.errno == EINVAL
        for use in (fifo.fsync, fifo.fdatasync):
            with pytest.raises(OSError, match="Invalid argument"):
                await use()
    await fifo.close()


async def test_the_cache_is_told_what_comes_and_tells_what_is_there(
    task: Task, tmp_path: Path
) -> None:
    file = await made(task, tmp_path / "file", b"x" * 3 * PAGE)
    with nothing_left(task):
        assert (await file.cachestat()).cache == 3
        assert (await file.cachestat(0, PAGE)).cache == 1
        await file.readahead(0, PAGE)
        await file.posix_fadvise(POSIX_FADV.SEQUENTIAL)
        await file.posix_fadvise(POSIX_FADV.WILLNEED, PAGE, PAGE)
        with pytest.raises(ArgumentRangeError):
            await file.posix_fadvise(POSIX_FADV.NORMAL, 0, -1)
        with pytest.raises(ArgumentRangeError):
            await file.cachestat(-1)
    memory = await file.cachestat(into=await task.malloc(struct_of(Cachestat)))
    assert (await memory.read()).cache == 3
    memory.free()
    pipe, _ = await task.fs.pipe2()
    fifo = FileFD(task, pipe.near)
    with pytest.raises(OSError, match="fadvise64") as caught:
        await fifo.posix_fadvise(POSIX_FADV.NORMAL)
    assert caught.value.errno == ESPIPE
    await fifo.close()


async def test_part_of_a_file_is_copied_within_the_kernel(task: Task, tmp_path: Path) -> None:
    source = await made(task, tmp_path / "from", b"0123456789")
    sink = await made(task, tmp_path / "to")
    with nothing_left(task):
        assert await source.copy_file_range(sink, 4, offset=2) == 4
        assert await sink.pread(9, 0) == b"2345"
        await source.lseek(8)
        assert await source.copy_file_range(sink, 9, sink_offset=0) == 2
        assert await sink.pread(9, 0) == b"8945"
        assert await source.copy_file_range(sink, 1) == 0
        with pytest.raises(OSError, match="copy_file_range") as caught:
            await source.copy_file_range(source, 5, offset=0, sink_offset=1)
        assert caught.value.errno == EINVAL
    start, to = [await task.ptr(n.to_bytes(8, "little")) for n in (1, 0)]
    assert await source.copy_file_range(sink, 3, offset=start, sink_offset=to) == 3
    assert [int.from_bytes(await place.read(), "little") for place in (start, to)] == [4, 3]
    start.free()
    to.free()
    reading = await task.fs.open(tmp_path / "to")
    with pytest.raises(OSError, match="Bad file descriptor"):
        await source.copy_file_range(reading, 1)


async def test_blocks_are_shared_where_the_file_system_can(task: Task, tmp_path: Path) -> None:
    source = await made(task, tmp_path / "from", b"x" * PAGE)
    sink = await made(task, tmp_path / "to")
    uses: list[Use] = [
        lambda: sink.ficlone(source),
        lambda: sink.ficlonerange(source, 0, PAGE, 0),
    ]
    with nothing_left(task):
        for use in uses:
            try:
                await use()
            except OSError as error:
                assert error.errno == EOPNOTSUPP  # noqa: PT017 - one of both must be
            else:
                assert await sink.pread(PAGE, 0) == b"x" * PAGE
    elsewhere = await task.fs.open("/dev/null")
    with pytest.raises(OSError, match="ioctl") as caught:
        await sink.ficlone(elsewhere)
    assert caught.value.errno in {EXDEV, EINVAL}
    with pytest.raises(ArgumentRangeError, match="src_length"):
        await sink.ficlonerange(source, 0, -1)


async def test_a_whole_file_system_is_brought_to_its_device(task: Task) -> None:
    folder = await task.fs.open("/proc", O.DIRECTORY)  # which has nothing to write
    await folder.syncfs()
    pathless = await task.fs.open("/proc", O.PATH)
    with pytest.raises(OSError, match="Bad file descriptor"):
        await pathless.syncfs()


async def test_a_file_is_told_how_long_its_data_will_live(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path / "file")
    with nothing_left(task):
        assert await file.get_rw_hint() == RWH.NOT_SET
        await file.set_rw_hint(RWH.SHORT)
        assert await file.get_rw_hint() == RWH.SHORT
        there = await task.ptr(int(RWH.LONG), UINT64)
        await file.set_rw_hint(there)
        there.poke(0)
        assert (await file.get_rw_hint(into=there)).peek() == RWH.LONG
        there.free()
        with pytest.raises(OSError, match="Invalid argument"):
            await file.set_rw_hint(cast("RWH", 77))  # no such hint
        with pytest.raises(ArgumentRangeError, match="hint"):
            await file.set_rw_hint(cast("RWH", -1))


async def test_who_made_a_file_knows(task: Task, tmp_path: Path) -> None:
    new = await made(task, tmp_path / "file")
    old = await made(task, tmp_path / "file")
    try:
        assert await new.created_query()
    except OSError as error:
        pytest.skip(f"F_CREATED_QUERY came with Linux 6.12: {error}")
    assert not await old.created_query()
