"""Bytes that go from one fd to another within the kernel."""

from __future__ import annotations

from errno import EINVAL, ESPIPE
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    AF,
    SOCK,
    SPLICE_F,
    SYS,
    ArgumentRangeError,
    FDKindError,
    O,
    PipeFD,
    Task,
)
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left


async def test_a_file_is_sent_from_its_offset_or_another(task: Task, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    file = await task.fs.open(tmp_path / "file")
    reader, writer = await task.fs.pipe2()
    with nothing_left(task):
        assert await writer.sendfile(file, 4) == 4
        assert await writer.sendfile(file, 4, offset=8) == 2
        assert await writer.sendfile(file, 2) == 2
        assert await reader.read() == b"01238945"
    place = await task.ptr((1).to_bytes(8, "little"))
    assert await writer.sendfile(file, 3, offset=place) == 3
    assert int.from_bytes(await place.read(), "little") == 4
    place.free()
    with pytest.raises(OSError, match="Invalid argument"):
        await writer.sendfile(reader, 1)
    with pytest.raises(ArgumentRangeError):
        await writer.sendfile(file, -1)
    with pytest.raises(ArgumentRangeError):
        await writer.sendfile(file, 1, offset=-1)


async def test_bytes_are_spliced_through_a_pipe(task: Task, tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(b"0123456789")
    source = await task.fs.open(tmp_path / "from")
    sink = await task.fs.open(tmp_path / "to", O.WRONLY | O.CREAT)
    reader, writer = await task.fs.pipe2()
    with nothing_left(task):
        assert await source.splice(writer, 5) == 5
        assert await source.splice(writer, 2, offset=8) == 2
        assert await reader.splice(sink, 100, sink_offset=1) == 7
        with pytest.raises(OSError, match="Invalid argument") as caught:
            await source.splice(sink, 1)
        assert caught.value.errno == EINVAL
        with pytest.raises(OSError, match="seek") as caught:
            await reader.splice(sink, 1, offset=0)
        assert caught.value.errno == ESPIPE
    assert (tmp_path / "to").read_bytes() == b"\x000123489"
    await writer.close()
    assert await reader.splice(sink, 1) == 0


async def test_tee_leaves_the_bytes_where_they_are(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    copy, other = await task.fs.pipe2()
    with nothing_left(task):
        await writer.write(b"hello")
        assert await reader.tee(other, 100) == 5
        assert await copy.read() == b"hello"
        assert await reader.read() == b"hello"
        with pytest.raises(BlockingIOError):
            await reader.tee(other, 1, SPLICE_F.NONBLOCK)
        with pytest.raises(BlockingIOError):
            await reader.splice(other, 1, flags=SPLICE_F.NONBLOCK)


async def test_memory_is_put_into_a_pipe_and_filled_from_it(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    memory, more = await task.ptr(b"abc"), await task.ptr(b"defg")
    assert await writer.vmsplice([memory, more]) == 7
    assert await reader.read(4) == b"abcd"
    room = await task.ptr(b"...")
    assert await reader.vmsplice([room]) == 3
    assert await room.read() == b"efg"
    with pytest.raises(BlockingIOError):
        await reader.vmsplice([room], SPLICE_F.NONBLOCK)
    for pointer in (memory, more, room):
        pointer.free()


async def test_moving_waits_for_both_ends_and_others_go_on(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    near, far = await local.net.socketpair(AF.UNIX, SOCK.STREAM)
    moved: list[int] = []

    async def move() -> None:
        moved.append(await reader.splice(near, 100))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(move)
        await wait_all_tasks_blocked()
        assert moved == []
        await writer.write(b"through")
    assert moved == [7]
    assert await far.recv() == b"through"
    assert not await reader.getfl() & O.NONBLOCK
    assert not await near.getfl() & O.NONBLOCK


async def test_moving_into_a_full_pipe_waits_and_others_go_on(local: Task) -> None:
    source, writer = await local.fs.pipe2()
    reader, full = await local.fs.pipe2()
    await full.write(bytes(await full.getpipe_sz()))
    await writer.write(b"x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.tee, full, 1)
        await wait_all_tasks_blocked()
        await reader.read(await full.getpipe_sz())
    assert await reader.read() == b"x"


async def test_a_move_that_waits_in_a_child_can_be_cancelled(child: Task) -> None:
    reader, _writer = await child.fs.pipe2()
    _other, sink = await child.fs.pipe2()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader.splice, sink, 1)
        await until_blocked(child, SYS.splice)
        nursery.cancel_scope.cancel()
    assert await child.cred.getuid() >= 0


async def test_a_pipe_tells_and_changes_its_size(task: Task, tmp_path: Path) -> None:
    reader, writer = await task.fs.pipe2()
    with nothing_left(task):
        assert await reader.setpipe_sz(8192) == 8192
        assert await writer.getpipe_sz() == 8192
        assert await reader.setpipe_sz(1) == 4096
        await writer.write(bytes(4096))
        with pytest.raises(ArgumentRangeError):
            await reader.setpipe_sz(-1)
    await task.fs.mkfifo(tmp_path / "fifo", 0o600)
    fifo = await task.fs.open(tmp_path / "fifo", O.RDWR | O.NONBLOCK)
    assert await (await fifo.as_kind(PipeFD)).getpipe_sz() >= 4096


async def test_a_pipe_that_is_none_is_refused(task: Task) -> None:
    for path in ("/dev/null", "/"):
        file = await task.fs.open(path)
        with pytest.raises(FDKindError, match="PipeFD"):
            await file.as_kind(PipeFD)
        assert file.valid


async def test_much_is_moved_in_parts_in_the_loops_own_thread(local: Task) -> None:
    length = 20 << 20
    async with (
        await local.fds.memfd_create("source") as source,
        await local.fds.memfd_create("sink") as sink,
    ):
        await source.ftruncate(length)
        first = await source.copy_file_range(sink, 2**62)
        assert 0 < first < length
        assert await source.copy_file_range(sink, 2**62) == length - first
        assert 0 < await sink.sendfile(source, 2**62, 0) < length
