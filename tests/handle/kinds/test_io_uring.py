"""Rings of io_uring, in the interpreter and in children."""

from __future__ import annotations

import os
import select
from collections.abc import AsyncIterator
from errno import EBADF, EBADFD, ECANCELED, ENOENT, ETIME
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    AF,
    BYTES,
    CLONE,
    IORING_ENTER,
    IORING_FEAT,
    IORING_OP,
    IORING_SETUP,
    IOSQE,
    SOCK,
    SYS,
    FDKindError,
    FileDescriptor,
    FileFD,
    IoUringBlocksError,
    IoUringFD,
    IoUringParams,
    O,
    Operation,
    PointerInUseError,
    Ring,
    RingClosedError,
    RingFlagsError,
    RingFullError,
    RingNumberError,
    SockaddrIn,
    SocketFD,
    Statx,
    Task,
    Timespec,
)
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.io_uring_structs import IoUringProbeOp

HOUR = Timespec(3600)


@pytest.fixture
async def ring(task: Task) -> AsyncIterator[Ring]:
    try:
        made = await task.io_uring.ring(8)
    except PermissionError as error:
        pytest.skip(f"io_uring is forbidden here: {error}")
    async with made:
        yield made


async def test_nothing_is_done(ring: Ring) -> None:
    done = await ring.do(Operation.nop())
    assert (done.res, done.flags, done.made) == (0, 0, None)
    assert ring.params.features & IORING_FEAT.SINGLE_MMAP
    assert ring.in_flight == 0


async def test_a_file_is_written_and_read(ring: Ring, task: Task, tmp_path: Path) -> None:
    async with await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT) as file:
        assert await ring.write(file, b"hello, world") == 12
        assert await ring.read(file, 100, 7) == b"world"
        assert await ring.read(file, 5, 0) == b"hello"
        assert (await ring.do(Operation.fsync(file, datasync=True))).res == 0


async def test_more_operations_than_entries_come_round(ring: Ring) -> None:
    for _ in range(3):
        numbers = await ring.submit(*[Operation.nop()] * 8)
        done = await ring.completions(8)
        assert [one.user_data for one in done] == numbers
    with pytest.raises(RingFullError, match="9"):
        await ring.submit(*[Operation.nop()] * 9)


async def test_completions_are_given_to_who_waits_for_them(ring: Ring, task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    slow, quick = await ring.submit(Operation.read(reader, memory), Operation.nop())
    order: list[int] = []

    async def wait(number: int) -> None:
        order.append((await ring.wait(number)).user_data)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, slow)
        nursery.start_soon(wait, quick)
        while not order:
            await trio.lowlevel.checkpoint()
        await writer.write(b"late")
    assert order == [quick, slow]
    assert memory.peek() == b"late"
    memory.free()
    with pytest.raises(RingNumberError):
        await ring.wait(slow)


async def test_memory_is_held_while_an_operation_uses_it(ring: Ring, task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    (number,) = await ring.submit(Operation.read(reader, memory))
    with pytest.raises(PointerInUseError):
        memory.free()
    await writer.write(b"late")
    await ring.wait(number)
    memory.free()


async def test_leaving_the_ring_ends_what_is_in_flight(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    async with await task.io_uring.ring(4) as ring:
        await ring.submit(Operation.read(reader, memory))
        assert ring.in_flight == 1
    memory.free()
    with pytest.raises(RingClosedError):
        await ring.submit(Operation.nop())
    await ring.close()


async def test_a_cancel_ends_the_operation(ring: Ring, task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ring.read, reader, 4)
        while not ring.in_flight:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert ring.in_flight == 0
    await writer.write(b"kept")
    assert await ring.read(reader, 4) == b"kept"


async def test_an_operation_is_cancelled_by_its_number(ring: Ring, task: Task) -> None:
    after = await task.ptr(HOUR)
    (number,) = await ring.submit(Operation.timeout(after))
    assert (await ring.do(Operation.cancel(number))).res == 0
    assert (await ring.wait(number)).res == -ECANCELED
    with pytest.raises(FileNotFoundError) as caught:
        await ring.do(Operation.cancel(number))
    assert caught.value.errno == ENOENT
    after.free()


async def test_a_timeout_ends(ring: Ring, task: Task) -> None:
    after = await task.ptr(Timespec(0, 1))
    with pytest.raises(OSError, match="io_uring timeout") as caught:
        await ring.do(Operation.timeout(after))
    assert caught.value.errno == ETIME
    after.free()


async def test_a_linked_timeout_cancels(ring: Ring, task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    after, memory = await task.ptr(Timespec(0, 1)), await task.malloc(BYTES, 1)
    read = Operation.read(reader, memory).with_flags(IOSQE.IO_LINK)
    first, second = await ring.submit(read, Operation.link_timeout(after))
    assert (await ring.wait(first)).res == -ECANCELED
    assert (await ring.wait(second)).res == -ETIME
    after.free()
    memory.free()


async def test_sockets_are_accepted_connected_and_used(ring: Ring, task: Task) -> None:
    async with (
        await task.net.socket(AF.INET, SOCK.STREAM) as server,
        await task.net.socket(AF.INET, SOCK.STREAM) as end,
    ):
        await server.bind(SockaddrIn("127.0.0.1", 0))
        await server.listen()
        address = await server.getsockname()
        assert address is not None
        where = await task.ptr(address.pack())
        accepting, connecting = await ring.submit(
            Operation.accept(server), Operation.connect(end, where)
        )
        assert (await ring.wait(connecting)).res == 0
        other = (await ring.wait(accepting)).made
        assert isinstance(other, SocketFD)
        assert await other.is_cloexec()
        text, room = await task.ptr(b"text"), await task.malloc(BYTES, 4)
        assert (await ring.do(Operation.send(end, text))).res == 4
        ready = await ring.do(Operation.poll_add(other, select.POLLIN))
        assert ready.res & select.POLLIN
        assert (await ring.do(Operation.recv(other, room))).res == 4
        assert room.peek() == b"text"
        assert (await ring.do(Operation.shutdown(end, 2))).res == 0
        await other.close()
        for pointer in (where, text, room):
            pointer.free()


async def test_files_are_opened_and_asked_about(ring: Ring, task: Task, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("four", encoding="ascii")
    path = await task.ptr(os.fsencode(tmp_path / "file") + b"\0")
    name, there = await task.ptr(b"file\0"), await task.malloc(struct_of(Statx))
    file = (await ring.do(Operation.openat(path))).made
    assert isinstance(file, FileFD)
    assert await file.is_cloexec()
    assert await file.read() == b"four"
    async with await task.fs.open(tmp_path, O.PATH) as directory:
        await ring.do(Operation.statx(name, there, directory=directory))
    assert there.peek().size == 4
    await file.close()
    for pointer in (path, name, there):
        pointer.free()


async def test_bytes_are_spliced(ring: Ring, task: Task) -> None:
    source, into = await task.fs.pipe2()
    result, to = await task.fs.pipe2()
    await into.write(b"moved")
    assert (await ring.do(Operation.splice(source, to, 5))).res == 5
    assert await result.read() == b"moved"


async def test_pieces_are_written_and_read(ring: Ring, task: Task, tmp_path: Path) -> None:
    pieces = [await task.ptr(b"one"), await task.ptr(b"two")]
    lengths = [one.near.value.to_bytes(8, "little") + b"\3" + bytes(7) for one in pieces]
    iovec = await task.ptr(b"".join(lengths))
    async with await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT) as file:
        assert (await ring.do(Operation.writev(file, iovec, pieces, 0))).res == 6
        assert await ring.read(file, 6, 0) == b"onetwo"
        assert (await ring.do(Operation.readv(file, iovec, pieces, 1))).res == 5
    assert [one.peek() for one in pieces] == [b"net", b"woo"]
    for pointer in (iovec, *pieces):
        pointer.free()


async def test_registered_buffers_and_files_are_used(ring: Ring, task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    memory = await task.ptr(b"fixed")
    await ring.fd.register_buffers([memory])
    await ring.fd.register_files([None, writer])
    with pytest.raises(PointerInUseError):
        memory.free()
    assert (await ring.do(Operation.write_fixed(1, memory, 0))).res == 5
    assert await ring.fd.register_files_update(0, [reader, None]) == 2
    assert (await ring.do(Operation.read_fixed(0, memory, 0))).res == 5
    with pytest.raises(OSError, match="io_uring write") as caught:
        await ring.do(Operation.write(1, memory))
    assert caught.value.errno == EBADF
    await ring.fd.unregister_files()
    await ring.fd.unregister_buffers()
    memory.free()


async def test_an_eventfd_counts_completions(ring: Ring, task: Task) -> None:
    number = await task.sysif.call(SYS.eventfd2, 0, O.CLOEXEC | O.NONBLOCK)
    async with FileDescriptor(task, ids.FileDescriptor(number)) as counter:
        await ring.fd.register_eventfd(counter)
        await ring.do(Operation.nop())
        await ring.do(Operation.nop())
        assert int.from_bytes(await counter.read(8), "little") == 2
        await ring.fd.unregister_eventfd()


async def test_the_kernel_tells_what_it_has(ring: Ring) -> None:
    found = await ring.fd.register_probe()
    assert found[IORING_OP.READ] == IoUringProbeOp(IORING_OP.READ, 1)
    assert found[IORING_OP.READ].supported


@pytest.mark.parametrize(
    "flags",
    [
        IORING_SETUP.COOP_TASKRUN | IORING_SETUP.TASKRUN_FLAG,
        IORING_SETUP.SINGLE_ISSUER,
        IORING_SETUP.SUBMIT_ALL,
        IORING_SETUP.CLAMP,
    ],
)
async def test_rings_of_other_kinds_wait_too(task: Task, flags: IORING_SETUP) -> None:
    async with await task.io_uring.ring(4, flags) as ring:
        reader, writer = await task.fs.pipe2()
        async with trio.open_nursery() as nursery:

            async def read() -> None:
                assert await ring.read(reader, 4) == b"late"

            nursery.start_soon(read)
            while not ring.in_flight:
                await trio.lowlevel.checkpoint()
            await writer.write(b"late")


async def test_a_ring_begins_when_it_is_told_to(task: Task) -> None:
    async with await task.io_uring.ring(4, IORING_SETUP.R_DISABLED) as ring:
        with pytest.raises(OSError, match="io_uring_enter") as caught:
            await ring.submit(Operation.nop())
        assert caught.value.errno == EBADFD
        assert ring.in_flight == 0
    flags = IORING_SETUP.R_DISABLED | IORING_SETUP.CQSIZE
    async with await task.io_uring.ring(4, flags, cq_entries=32) as ring:
        assert ring.params.cq_entries == 32
        await ring.fd.register_enable_rings()


async def test_flags_by_which_an_end_could_not_be_known_are_refused(task: Task) -> None:
    for flag in (IORING_SETUP.SQPOLL, IORING_SETUP.CQE32, IORING_SETUP.DEFER_TASKRUN):
        with pytest.raises(RingFlagsError, match=flag.name):
            await task.io_uring.ring(4, flag)
    with pytest.raises(RingFlagsError, match="REGISTERED_FD_ONLY"):
        await task.io_uring.setup(4, IoUringParams(flags=IORING_SETUP.REGISTERED_FD_ONLY))
    async with await task.io_uring.ring(4) as ring:
        with pytest.raises(RingFlagsError, match="SKIP"):
            await ring.submit(Operation.nop().with_flags(IOSQE.CQE_SKIP_SUCCESS))
        assert ring.in_flight == 0


async def test_the_fd_alone_is_made_by_setup(task: Task) -> None:
    fd, params = await task.io_uring.setup(3)
    assert (params.sq_entries, params.cq_entries) == (4, 8)
    assert await fd.is_cloexec()
    assert await fd.enter() == 0
    await fd.close()
    there = await task.ptr(IoUringParams(flags=IORING_SETUP.CQSIZE, cq_entries=64))
    fd, filled = await task.io_uring.setup(4, there)
    assert filled.peek().cq_entries == 64
    await fd.close()
    there.free()


async def test_the_interpreter_never_blocks_in_enter(local: Task) -> None:
    async with await local.io_uring.ring(4) as ring:
        with pytest.raises(IoUringBlocksError):
            await ring.fd.enter(0, 1, IORING_ENTER.GETEVENTS)
        with pytest.raises(IoUringBlocksError):
            await ring.fd.enter(0, 0, IORING_ENTER.SQ_WAIT)


async def test_a_ring_of_a_dead_child_lets_go(local: Task) -> None:
    async with local.spawn() as child:
        ring = await child.io_uring.ring(4)
        reader, _writer = await child.fs.pipe2()
        memory = await child.malloc(BYTES, 4)
        await ring.submit(Operation.read(reader, memory))
        await child.process.kill()
        await child.process.wait()
        await ring.close()
        memory.free()


async def test_an_io_uring_is_known_for_what_it_is(ring: Ring, task: Task) -> None:
    copy = await ring.fd.dup()
    plain = FileDescriptor(task, copy.near)
    async with await plain.as_kind(IoUringFD):
        await copy.close()
    reader, _writer = await task.fs.pipe2()
    with pytest.raises(FDKindError, match="IoUringFD: it is"):
        await reader.as_kind(IoUringFD)


async def test_registered_memory_is_let_go_with_the_ring(task: Task) -> None:
    memory = await task.ptr(b"fixed")
    async with await task.io_uring.ring(4) as ring:
        await ring.fd.register_buffers([memory])
        with pytest.raises(PointerInUseError):
            memory.free()
    memory.free()


async def test_pieces_of_memory_are_held_too(ring: Ring, task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    piece = await task.malloc(BYTES, 4)
    iovec = await task.ptr(piece.near.value.to_bytes(8, "little") + b"\4" + bytes(7))
    (number,) = await ring.submit(Operation.readv(reader, iovec, [piece]))
    for pointer in (iovec, piece):
        with pytest.raises(PointerInUseError):
            pointer.free()
    await writer.write(b"late")
    await ring.wait(number)
    for pointer in (iovec, piece):
        pointer.free()


async def test_a_child_in_other_namespaces_has_rings(local: Task) -> None:
    flags = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS
    async with local.spawn(flags) as child, await child.io_uring.ring(4) as ring:
        assert (await ring.do(Operation.nop())).res == 0
