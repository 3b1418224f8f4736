"""What rings do with memory and with those who use them at the same time."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from errno import ECANCELED
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    BYTES,
    IORING_OP,
    IORING_SETUP,
    IOSQE,
    IoUringSqe,
    O,
    Operation,
    Pointer,
    PointerInUseError,
    Ring,
    RingClosedError,
    SerializerError,
    Task,
    UseAfterFreeError,
    open_local_task,
)


@pytest.fixture
async def ring(task: Task) -> AsyncIterator[Ring]:
    try:
        made = await task.io_uring.ring(8)
    except PermissionError as error:
        pytest.skip(f"io_uring is forbidden here: {error}")
    async with made:
        yield made


async def test_memory_that_two_rings_use_is_kept_until_both_have_ended(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    full, writer = await task.fs.pipe2()
    await writer.write(b"full")
    memory = await task.malloc(BYTES, 4)
    async with await task.io_uring.ring(4) as first, await task.io_uring.ring(4) as second:
        await first.submit(Operation.read(reader, memory))
        await second.do(Operation.read(full, memory))
        with pytest.raises(PointerInUseError):
            memory.free()
    memory.free()


async def test_no_bytes_are_written_for_none(ring: Ring, task: Task, tmp_path: Path) -> None:
    async with await task.fs.open(tmp_path / "file", O.RDWR | O.CREAT) as file:
        assert await ring.write(file, b"") == 0
        assert (await file.fstat()).size == 0


async def test_completions_are_not_taken_from_who_waits_for_one(ring: Ring, task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    got: list[bytes] = []

    async def read() -> None:
        got.append(await ring.read(reader, 4))

    async def take_all() -> None:
        while True:
            await ring.completions()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(take_all)
            nursery.start_soon(read)
            while not ring.in_flight:
                await trio.lowlevel.checkpoint()
            await writer.write(b"mine")
            while not got:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    assert got == [b"mine"]


async def test_what_another_one_has_reaped_is_given_at_once(ring: Ring, task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    (slow,) = await ring.submit(Operation.read(reader, memory))
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ring.wait, slow)
            await wait_all_tasks_blocked()
            nursery.start_soon(ring.completions)
            await wait_all_tasks_blocked()
            data = await task.ptr(b"late")
            await ring.submit(Operation.write(writer, data))  # it and the read end at once
    data.free()
    memory.free()


async def test_two_may_close_a_ring_at_once(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    ring = await task.io_uring.ring(4)
    await ring.submit(Operation.read(reader, memory))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ring.close)
        nursery.start_soon(ring.close)
    memory.free()


async def test_nothing_begins_once_the_ring_closes(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    ring = await task.io_uring.ring(4)
    await ring.submit(Operation.read(reader, memory))
    began = 0

    async def submit_on_and_on() -> None:
        nonlocal began
        while True:
            await ring.submit(Operation.read(reader, memory))
            began += 1

    async def close() -> None:
        while not began:
            await trio.lowlevel.checkpoint()
        await ring.close()

    with trio.fail_after(10), pytest.RaisesGroup(RingClosedError):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit_on_and_on)
            nursery.start_soon(close)
    memory.free()


async def test_who_closes_the_fd_does_not_take_memory_from_the_kernel(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    async with await task.io_uring.ring(4) as ring:
        (number,) = await ring.submit(Operation.read(reader, memory))
        await ring.fd.close()
        assert (await ring.do(Operation.cancel(number))).res == 0
        assert (await ring.wait(number)).res == -ECANCELED
        memory.free()


async def test_what_a_ring_that_began_late_carries_out_is_ended_too(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 4)
    ring = await task.io_uring.ring(4, IORING_SETUP.R_DISABLED)
    await ring.fd.register_enable_rings()
    (number,) = await ring.submit(Operation.read(reader, memory))
    await ring.close()
    assert (await ring.wait(number)).res == -ECANCELED
    memory.free()


async def test_memory_that_is_gone_is_refused_before_anything_begins(task: Task) -> None:
    reader, _writer = await task.fs.pipe2()
    with trio.fail_after(10):
        async with await task.io_uring.ring(4) as ring:
            piece, iovec = await task.malloc(BYTES, 4), await task.malloc(BYTES, 16)
            operation = Operation.readv(reader, iovec, [piece])
            piece.free()
            with pytest.raises(UseAfterFreeError):
                await ring.submit(Operation.nop(), operation)
            assert ring.in_flight == 0
            iovec.free()


async def test_memory_that_is_too_small_is_refused(task: Task) -> None:
    small: Pointer[Any] = await task.malloc(BYTES, 15)
    path = await task.ptr(b"/\0")
    makers: list[Callable[[], Operation]] = [
        lambda: Operation.statx(path, small),
        lambda: Operation.timeout(small),
        lambda: Operation.link_timeout(small),
        lambda: Operation.readv(0, small, [path]),
        lambda: Operation.writev(0, small, [path]),
    ]
    for make in makers:
        with pytest.raises(SerializerError, match="at least"):
            make()
    small.free()
    path.free()


async def test_buffers_that_were_provided_are_held_until_the_end(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    memory = await task.malloc(BYTES, 8)
    async with await task.io_uring.ring(4) as ring:
        sqe = IoUringSqe(IORING_OP.PROVIDE_BUFFERS, fd=1, len=8)
        await ring.do(Operation(sqe, (("addr", memory),)))
        with pytest.raises(PointerInUseError):
            memory.free()
        await writer.write(b"provided")
        chosen = IoUringSqe(IORING_OP.READ, IOSQE.BUFFER_SELECT, len=8)
        done = await ring.do(Operation(chosen, (("fd", reader),)))
        assert (done.res, done.flags.buffer) == (8, 0)
        assert memory.peek() == b"provided"
    memory.free()


async def test_a_place_among_registered_files_is_no_fd(ring: Ring, task: Task) -> None:
    path = await task.ptr(b"/\0")
    await ring.fd.register_files([None])
    opening = Operation.openat(path, O.PATH)
    sqe = attrs.evolve(opening.sqe, file_index=1, op_flags=O.PATH)
    done = await ring.do(attrs.evolve(opening, sqe=sqe))
    assert (done.res, done.made) == (0, None)
    path.free()


async def test_the_end_of_a_task_ends_what_its_rings_do() -> None:
    async with open_local_task() as task:
        reader, _writer = await task.fs.pipe2()
        ring = await task.io_uring.ring(4)
        memory = await task.malloc(BYTES, 4)
        (number,) = await ring.submit(Operation.read(reader, memory))
    assert (await ring.wait(number)).res == -ECANCELED
    assert not memory.held


async def test_the_end_of_a_child_lets_go_of_what_its_rings_used(local: Task) -> None:
    async with local.spawn() as child:
        reader, _writer = await child.fs.pipe2()
        ring = await child.io_uring.ring(4)
        memory = await child.malloc(BYTES, 4)
        await ring.submit(Operation.read(reader, memory))
    memory.free()


async def test_a_forgotten_ring_is_ended_with_its_task() -> None:
    async with open_local_task() as task:
        reader, writer = await task.fs.pipe2()
        copy = await reader.dup()
        memory = await task.malloc(BYTES, 4)
        await (await task.io_uring.ring(4)).submit(Operation.read(reader, memory))
        gc.collect()
        assert memory.held
        await writer.write(b"used")
        await copy.close()
    assert not memory.held
