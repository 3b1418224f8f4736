"""Reading, writing and the like: values in, values out, and the event loop is never blocked."""

from __future__ import annotations

import array
import fcntl
import os
import termios
from collections.abc import Awaitable, Callable
from errno import EBADF, EINVAL, ESPIPE
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import ArgumentRangeError, BpfProgInfo, FDClosedError, O, Task
from tests.support.census import nothing_left

Use = Callable[[], Awaitable[object]]
LARGE = 300_000  # more than any pipe takes at once


async def test_what_was_written_is_read(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    with nothing_left(task):
        assert await writer.write(b"hello") == 5
        assert await reader.read(2) == b"he"
        assert await reader.read() == b"llo"
        assert await writer.write(b"") == 0
    await writer.close()
    assert await reader.read(16) == b""


async def test_a_number_is_no_text(task: Task) -> None:
    wrong: Any = 5  # of which bytes() would make five zeros
    async with await task.fs.open("/dev/null", O.RDWR) as null:
        for write in (null.write, null.write_all):
            with pytest.raises(TypeError):
                await write(wrong)
    with pytest.raises(TypeError):
        await task.ptr(wrong)
    with pytest.raises(TypeError):
        BpfProgInfo(tag=wrong).pack()


async def test_a_large_text_goes_through_a_pipe_while_somebody_reads(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    data = os.urandom(LARGE)
    if task.parent_task is not None:
        # a child makes one call after the other: it can't read while it blocks in a write
        writer = await writer.pass_to(task.parent_task)

    async def write() -> None:
        await writer.write_all(data)
        await writer.close()

    parts: list[bytes] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        while len(b"".join(parts)) < LARGE:
            part = await reader.read()
            assert isinstance(part, bytes)
            assert part
            parts.append(part)
    assert b"".join(parts) == data


async def test_a_read_of_an_empty_pipe_waits_and_others_go_on(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    got: list[object] = []

    async def read() -> None:
        got.append(await reader.read(10))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        assert got == []
        await writer.write(b"now")
    assert got == [b"now"]


async def test_two_tasks_read_one_pipe_and_neither_blocks_the_loop(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    got: list[object] = []

    async def read() -> None:
        got.append(await reader.read(1))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        await writer.write(b"a")  # both are woken, one of them finds nothing
        await wait_all_tasks_blocked()
        assert got == [b"a"]
        await writer.write(b"b")
    assert got == [b"a", b"b"]


async def test_closing_an_fd_wakes_who_waits_for_it(local: Task) -> None:
    reader, writer = await local.fs.pipe2()

    async def read() -> None:
        with pytest.raises((FDClosedError, trio.ClosedResourceError)):
            await reader.read(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        await reader.close()
    await writer.close()


async def test_a_write_into_a_full_pipe_waits_until_there_is_room(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    size = fcntl.fcntl(writer.near.number, fcntl.F_GETPIPE_SZ)
    await writer.write_all(bytes(size))
    written = trio.Event()

    async def write() -> None:
        await writer.write_all(b"more")
        written.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        assert not written.is_set()
        await reader.read(size)
    assert await reader.read() == b"more"


async def test_reading_an_fd_that_was_opened_for_writing_is_an_error_at_once(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    uses: list[Use] = [lambda: writer.read(1), lambda: reader.write(b"x")]
    for use in uses:
        with trio.fail_after(5), pytest.raises(OSError, match="Bad file descriptor") as caught:
            await use()
        assert caught.value.errno == EBADF


async def test_a_write_to_a_broken_pipe_is_an_error_and_nobodys_death(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    await reader.close()

    with pytest.raises(BrokenPipeError):
        await writer.write(b"x")

    assert await task.cred.getuid() == os.getuid()


async def test_files_are_read_and_written_at_offsets(task: Task, tmp_path: Path) -> None:
    file = await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT, 0o600)
    with nothing_left(task):
        assert await file.write(b"0123456789") == 10
        assert await file.pread(3, 4) == b"456"
        assert await file.pwrite(b"AB", 8) == 2
        assert await file.lseek(-4, os.SEEK_END) == 6
        assert await file.read(10) == b"67AB"
        assert await file.lseek(0) == 0
        assert await file.read(3) == b"012"
        assert await file.lseek(0, os.SEEK_CUR) == 3
    await file.close()
    assert (tmp_path / "file").read_bytes() == b"01234567AB"


@pytest.fixture
def names(tmp_path: Path) -> set[str]:
    """Names in ``tmp_path``, more than one part of a directory takes; made outside the loop."""
    made = {f"file-{number:03}" for number in range(100)}
    for name in made:
        (tmp_path / name).touch()
    return made


async def test_directories_are_read_in_parts(task: Task, tmp_path: Path, names: set[str]) -> None:
    found: list[str] = []
    async with await task.fs.open(tmp_path, O.DIRECTORY) as directory:
        while part := await directory.getdents(1024):
            found += [entry.name for entry in part]
    assert sorted(found) == sorted(names | {".", ".."})


async def test_names_that_are_no_text_are_listed_too(task: Task, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe")
    (tmp_path / name).touch()

    assert await task.fs.listdir(tmp_path) == [name]


async def test_raw_fcntl_and_ioctl_take_ints_and_bytes(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    await writer.write(b"12345")

    assert await reader.fcntl(fcntl.F_GETFD) == fcntl.FD_CLOEXEC
    available = await reader.ioctl_bytes(termios.FIONREAD, bytes(4))
    assert array.array("i", available)[0] == 5
    assert await reader.ioctl(termios.FIOCLEX) == 0
    with pytest.raises(OSError, match="ioctl"):
        await reader.ioctl(0x7777)


@pytest.mark.parametrize("count", [-1, 2**40 + 1, 2**64])
async def test_a_count_that_does_not_fit_is_refused(task: Task, count: int) -> None:
    file = await task.fs.open("/dev/zero")
    with nothing_left(task):
        uses: list[Use] = [lambda: file.read(count), lambda: file.pread(count, 0)]
        for use in uses:
            with pytest.raises(ArgumentRangeError):
                await use()


@pytest.mark.parametrize("offset", [2**63, 2**64 + 5, -(2**63) - 1])
async def test_an_offset_that_does_not_fit_is_refused(task: Task, offset: int) -> None:
    file = await task.fs.open("/dev/zero")
    with nothing_left(task):
        uses: list[Use] = [
            lambda: file.pread(4, offset),
            lambda: file.pwrite(b"x", offset),
            lambda: file.lseek(offset),
        ]
        for use in uses:
            with pytest.raises(ArgumentRangeError):
                await use()


@pytest.mark.parametrize("number", [2**32, 2**32 + 1, 2**64])
async def test_an_operation_that_does_not_fit_is_refused(task: Task, number: int) -> None:
    file = await task.fs.open("/dev/zero")
    uses: list[Use] = [
        lambda: file.fcntl(number),
        lambda: file.ioctl(number),
        lambda: file.lseek(0, number),
    ]
    for use in uses:
        with pytest.raises(ArgumentRangeError):
            await use()


async def test_errors_of_the_kernel_keep_their_errno(task: Task) -> None:
    reader, _ = await task.fs.pipe2()
    with pytest.raises(OSError, match=r"lseek\(2\)") as caught:
        await reader.lseek(0)
    assert caught.value.errno == ESPIPE
    file = await task.fs.open("/dev/zero")
    with pytest.raises(OSError, match=r"pread64\(2\)") as caught:
        await file.pread(1, -1)
    assert caught.value.errno == EINVAL


async def test_a_file_of_another_name_space_is_used_as_an_async_context(task: Task) -> None:
    with nothing_left(task):
        async with await task.fs.open("/dev/zero") as file:
            assert await file.read(3) == bytes(3)
        assert not file.valid


async def test_replacing_an_fd_wakes_who_waits_for_it(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    null = await local.fs.open("/dev/null")

    async def read() -> None:
        with pytest.raises(FDClosedError):
            await reader.read(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        replaced = await null.dup3(reader)
    assert await replaced.read(1) == b""
    await writer.close()


async def test_closing_one_of_two_handles_wakes_who_waits_with_it(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    other = reader.for_task(local)

    async def read() -> None:
        with pytest.raises(FDClosedError):
            await reader.read(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        await reader.close()
    await writer.write(b"x")
    assert await other.read(1) == b"x"


async def test_what_is_written_whole_takes_little_memory_at_a_time(task: Task) -> None:
    data = bytes(range(256)) * (1 << 15)
    before = task.arena.mapped
    async with await task.fds.memfd_create("large") as file:
        await file.write_all(data)
        assert task.arena.mapped - before < len(data) // 2
        assert await file.lseek(0, os.SEEK_CUR) == len(data)
        assert await file.pread(256, len(data) - 256) == data[:256]


async def test_a_closed_fd_takes_not_even_nothing(task: Task) -> None:
    file = await task.fds.memfd_create("closed")
    await file.write_all(b"")
    await file.close()
    with pytest.raises(FDClosedError):
        await file.write_all(b"")
