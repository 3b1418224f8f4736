"""Reading and writing several buffers, the caller's memory among them."""

from __future__ import annotations

import fcntl
import os
from errno import EINVAL, EOPNOTSUPP, ESPIPE
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    BYTES,
    RWF,
    SIG,
    AddressSpaceMismatchError,
    ArgumentRangeError,
    O,
    Task,
    UseAfterFreeError,
)
from tests.support.census import nothing_left


async def test_buffers_are_written_and_read_in_their_order(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    with nothing_left(task):
        assert await writer.writev([b"one", b"", b"three"]) == 8
        assert await reader.readv([2, 0, 3, 10]) == [b"on", b"", b"eth", b"ree"]
    await writer.close()
    assert await reader.readv([4, 4]) == [b"", b""]


async def test_the_callers_memory_is_written_from_and_read_into(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    word = await task.ptr(b"word")
    assert await writer.writev([b"a ", word]) == 6
    assert word.valid
    first, second = await task.malloc(BYTES, 4), await task.malloc(BYTES, 100)

    one, two = await reader.readv([first, second])

    assert (await one.read(), await two.read()) == (b"a wo", b"rd")
    assert two.size() == 2
    assert not first.valid
    with pytest.raises(UseAfterFreeError):
        await reader.readv([second])
    for pointer in (word, one, two):
        pointer.free()


async def test_memory_of_another_address_space_is_refused(local: Task, task: Task) -> None:
    file = await task.fs.open("/dev/zero")
    with pytest.raises(ArgumentRangeError, match="buffers"):
        await file.readv([1] * 1025)
    with pytest.raises(ArgumentRangeError):
        await file.readv([1, 2**40])
    memory = await local.ptr(b"a")
    if memory.space is not task.address_space:
        with pytest.raises(AddressSpaceMismatchError):
            await file.writev([memory])
    memory.free()


async def test_offsets_leave_the_files_own_where_it_is(task: Task, tmp_path: Path) -> None:
    file = await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT)
    with nothing_left(task):
        assert await file.pwritev([b"ab", b"cd"], 2) == 4
        assert await file.preadv([3, 9], 1) == [b"\0ab", b"cd"]
        assert await file.pwritev2([b"XY"], 0, RWF.DSYNC) == 2
        assert await file.preadv2([6], 0) == [b"XYabcd"]
        assert await file.lseek(0, os.SEEK_CUR) == 0
        assert await file.preadv2([2, 2]) == [b"XY", b"ab"]
        assert await file.lseek(0, os.SEEK_CUR) == 4
        assert await file.pwritev2([b"!"]) == 1
        assert await file.pwritev2([b"+"], 0, RWF.APPEND) == 1
    assert (tmp_path / "file").read_bytes() == b"XYab!d+"
    memory = await task.malloc(BYTES, 3)
    got = await file.pread(memory, 1)
    assert await got.read() == b"Yab"
    assert await file.pwrite(got, 4) == 3
    assert await file.pread(9, 3) == b"bYab"
    got.free()
    filled = await file.preadv([await task.malloc(BYTES, 2)], 0)
    assert [await one.read() for one in filled] == [b"XY"]
    again = await file.preadv2(filled, 4)
    assert [await one.read() for one in again] == [b"Ya"]
    again[0].free()


async def test_what_would_wait_fails_where_it_is_told_not_to(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    with nothing_left(task), pytest.raises(BlockingIOError):
        await reader.preadv2([1], flags=RWF.NOWAIT)
    await writer.write(b"x")
    assert await reader.preadv2([1], flags=RWF.NOWAIT) == [b"x"]
    assert await writer.pwritev2([b"y"], flags=RWF.NOWAIT) == 1


async def test_errors_are_those_of_the_manual(task: Task, tmp_path: Path) -> None:
    reader, writer = await task.fs.pipe2()
    file = await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT)
    with nothing_left(task):
        with pytest.raises(OSError, match="seek") as caught:
            await reader.preadv([1], 0)
        assert caught.value.errno == ESPIPE
        with pytest.raises(OSError, match="seek"):
            await writer.pwritev([b"a"], 0)
        with pytest.raises(OSError, match="Bad file descriptor"):
            await reader.writev([b"a"])
        with pytest.raises(OSError, match="Invalid argument") as caught:
            await file.preadv([1], -1)
        assert caught.value.errno == EINVAL
        with pytest.raises(OSError, match="not supported") as caught:
            await file.preadv2([1], 0, RWF(1 << 30))
        assert caught.value.errno == EOPNOTSUPP


async def test_reading_an_empty_pipe_waits_and_others_go_on(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    got: list[bytes] = []

    async def read(flags: RWF) -> None:
        got.extend(await reader.preadv2([3], flags=flags))

    async def readv() -> None:
        got.extend(await reader.readv([3]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, RWF.NONE)
        await wait_all_tasks_blocked()
        assert got == []
        await writer.writev([b"now"])
        await wait_all_tasks_blocked()
        nursery.start_soon(readv)
        await wait_all_tasks_blocked()
        await writer.write(b"two")
    assert got == [b"now", b"two"]


async def test_writing_into_a_full_pipe_waits_and_others_go_on(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    size = fcntl.fcntl(writer.near.number, fcntl.F_GETPIPE_SZ)
    await writer.write_all(bytes(size))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.writev, [b"more"])
        await wait_all_tasks_blocked()
        assert len(await reader.read(size)) == size
    assert await reader.readv([9]) == [b"more"]


async def test_status_flags_are_read_and_set(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    assert not await reader.getfl() & O.NONBLOCK
    await reader.setfl(O.NONBLOCK)
    assert await reader.getfl() & O.NONBLOCK
    if not task.sysif.same_thread:
        with pytest.raises(BlockingIOError):
            await reader.read(1)
    await reader.setfl(0)
    assert not await reader.getfl() & O.NONBLOCK
    with pytest.raises(ArgumentRangeError):
        await reader.setfl(2**64)


async def test_two_fds_are_known_as_one_open_file(task: Task) -> None:
    one, other = [await task.fs.open("/dev/null") for _ in range(2)]
    same = await one.dup()
    try:
        assert await one.dupfd_query(same)
    except OSError as error:
        pytest.skip(f"F_DUPFD_QUERY came with Linux 6.10: {error}")
    assert not await one.dupfd_query(other)


async def test_the_signal_that_tells_of_events_is_chosen(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    assert await reader.getsig() == 0
    await reader.setsig(SIG.USR1)
    assert await reader.getsig() == SIG.USR1
    await reader.setsig(0)
    assert await reader.getsig() == 0
    with pytest.raises(ArgumentRangeError, match="signal"):
        await reader.setsig(65)
