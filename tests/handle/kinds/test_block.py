"""Block devices, made of files by loop devices.

Making and removing them takes the kernel long, so it is done in a child: it would hold the loop.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from errno import EBUSY, ENXIO
from pathlib import Path

import pytest
from attrs import evolve

from rsyscall_ns import (
    LO_FLAGS,
    ArgumentRangeError,
    BlockFD,
    FDKindError,
    FileDescriptor,
    LoopConfig,
    LoopControlFD,
    LoopFD,
    LoopInfo64,
    O,
    Task,
    struct_of,
)
from tests.support.census import nothing_left

SIZE = 1 << 20
AUTOCLEAR = LoopInfo64(flags=LO_FLAGS.AUTOCLEAR)  # gone with its last fd, whatever happens


@pytest.fixture
async def control(child: Task) -> AsyncGenerator[LoopControlFD, None]:
    try:
        made = await child.dev.open_loop_control()
    except OSError as error:
        pytest.skip(f"there are no loop devices for this user: {error}")
    async with made:
        assert await made.is_cloexec()
        yield made


@pytest.fixture
async def loop(child: Task, control: LoopControlFD, tmp_path: Path) -> AsyncGenerator[LoopFD, None]:
    path = tmp_path / "file"
    path.write_bytes(b"A" * SIZE)
    while True:
        device = await child.dev.open_loop(f"/dev/loop{await control.get_free()}")
        async with device, await child.fs.open(path, O.RDWR) as file:
            try:
                await device.configure(file, AUTOCLEAR)
            except OSError as error:
                if error.errno != EBUSY:
                    raise
                continue  # somebody else was faster
            yield device
            return


async def test_a_file_becomes_a_block_device(child: Task, loop: LoopFD, tmp_path: Path) -> None:
    assert await loop.size() == SIZE
    assert await loop.sector_size() == 512
    assert await loop.physical_sector_size() >= 512
    assert await loop.block_size() >= 512
    assert await loop.io_min() >= 512
    assert await loop.io_opt() >= 0
    assert await loop.alignment_offset() == 0
    assert await loop.is_rotational() in {True, False}
    assert await loop.disk_seq() > 0
    assert await loop.pread(4, 0) == b"AAAA"
    await loop.pwrite(b"BBBB", 512)
    await loop.flush_buffers()
    async with await child.fs.open(tmp_path / "file") as file:
        assert await file.pread(4, 512) == b"BBBB"


async def test_bytes_are_zeroed_and_discarded(loop: LoopFD) -> None:
    await loop.zero_out(512, 512)
    assert await loop.pread(4, 512) == bytes(4)
    assert await loop.pread(4, 1024) == b"AAAA"
    await loop.discard(0, 4096)
    await loop.flush_buffers()
    assert await loop.pread(4, 1024) == bytes(4)
    with pytest.raises(OSError, match=r"ioctl\(2\)"):
        await loop.secure_discard(0, 4096)
    with pytest.raises(OSError, match=r"ioctl\(2\)"):
        await loop.zero_out(1, 1)
    with pytest.raises(ArgumentRangeError, match="length"):
        await loop.discard(0, -1)


async def test_it_is_made_read_only_and_back(loop: LoopFD) -> None:
    assert not await loop.is_read_only()
    await loop.set_read_only()
    assert await loop.is_read_only()
    await loop.set_read_only(on=False)
    await loop.set_readahead(64)
    assert await loop.get_readahead() == 64


async def test_its_status_is_told_and_changed(child: Task, loop: LoopFD, tmp_path: Path) -> None:
    found = await loop.get_status64()
    assert found.flags & LO_FLAGS.AUTOCLEAR
    async with await child.fs.open(tmp_path / "file") as file:
        assert found.inode == (await file.statx()).ino
    await loop.set_status64(evolve(found, offset=4096, sizelimit=8192, file_name="a name"))
    assert await loop.size() == 8192
    there = await loop.get_status64(into=await child.malloc(struct_of(LoopInfo64)))
    value = await there.read()
    assert (value.offset, value.sizelimit, value.file_name) == (4096, 8192, "a name")
    await loop.set_status64(await there.write(evolve(value, sizelimit=0)))
    await loop.set_capacity()
    assert await loop.size() == SIZE - 4096
    await loop.set_block_size(1024)
    assert await loop.sector_size() == 1024
    await loop.set_direct_io(on=False)
    with pytest.raises(ArgumentRangeError, match="block size"):
        await loop.set_block_size(1)
    with pytest.raises(OSError, match=r"ioctl\(2\)"):
        await loop.reread_partitions()


async def test_a_device_that_has_a_file_takes_no_other(
    child: Task, loop: LoopFD, tmp_path: Path
) -> None:
    async with await child.fs.open(tmp_path / "file", O.RDWR) as file:
        with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
            await loop.configure(file)
        assert caught.value.errno == EBUSY
        how = await child.ptr(LoopConfig(file.near.number, 0, AUTOCLEAR))
        with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
            await loop.configure(how)
        assert caught.value.errno == EBUSY
        how.free()
        with pytest.raises(OSError, match=r"ioctl\(2\)"):
            await loop.change_fd(file)  # only of one that is read only


async def test_a_device_loses_its_file(child: Task, loop: LoopFD) -> None:
    await loop.clr_fd()
    with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
        await loop.get_status64()
    assert caught.value.errno == ENXIO
    plain = await (await loop.dup()).as_kind(FileDescriptor)
    async with await plain.as_kind(LoopFD) as again:  # it is one all the same
        assert again.task is child


async def test_numbers_that_no_device_has_are_refused(control: LoopControlFD) -> None:
    with pytest.raises(ArgumentRangeError, match="number"):
        await control.add(-1)
    with pytest.raises(ArgumentRangeError, match="number"):
        await control.remove(2**31)
    with pytest.raises(OSError, match=r"ioctl\(2\)"):
        await control.remove(2**20)


async def test_a_device_is_added_and_removed(control: LoopControlFD) -> None:
    number = 7777
    assert await control.add(number) == number
    with pytest.raises(FileExistsError):
        await control.add(number)
    await control.remove(number)


async def test_the_kinds_are_checked(loop: LoopFD) -> None:
    as_block = await (await loop.dup()).as_kind(BlockFD)
    async with await as_block.as_kind(LoopFD) as again:
        assert await again.size() == SIZE


async def test_the_control_of_loops_is_known_for_what_it_is(control: LoopControlFD) -> None:
    copy = await control.dup()
    plain = FileDescriptor(control.task, copy.near)
    async with await plain.as_kind(LoopControlFD) as again:
        assert await again.get_free() >= 0
    await copy.close()


@pytest.mark.parametrize("kind", [BlockFD, LoopFD, LoopControlFD])
@pytest.mark.parametrize("path", ["/dev/null", "/"])
async def test_what_is_none_is_refused(
    task: Task, kind: type[BlockFD | LoopControlFD], path: str
) -> None:
    file = await task.fs.open(path)
    with pytest.raises(FDKindError):
        await file.as_kind(kind)
    await file.close()
    with nothing_left(task), pytest.raises(FDKindError):
        await task.dev.open_block(path)
