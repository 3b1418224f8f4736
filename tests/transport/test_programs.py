"""Every transport carries out the same programs with the same results."""

from __future__ import annotations

import os
import struct
from errno import EBADF, EFAULT, ENOENT, ENOSYS
from pathlib import Path

import pytest
import trio

from rsyscall_ns import AT, MAP, PROT, SYS, O, Program, Ref, Task, TaskLostError, open_local_task
from tests.support.census import nothing_left

MASK = 2**64 - 1
AT_FDCWD = -100


async def test_a_call_gives_what_the_kernel_gives(task: Task) -> None:
    assert await task.sysif.call(SYS.getuid) == os.getuid()
    assert await task.sysif.call(SYS.getpid) == task.process.near.id


async def test_a_failed_call_gives_the_negative_errno(task: Task) -> None:
    assert await task.sysif.call(SYS.close, 2**31 - 1) == -EBADF


async def test_a_number_that_no_call_has_gives_enosys(task: Task) -> None:
    assert await task.sysif.call(9999) == -ENOSYS


async def test_negative_arguments_arrive_as_such(task: Task) -> None:
    with task.transient(b"/dev/null\0") as path:
        fd = await task.sysif.call(SYS.openat, AT_FDCWD & MASK, path.address.value, O.RDONLY)
    assert fd >= 0
    assert await task.sysif.call(SYS.fcntl, fd, -1 & MASK) < 0
    assert await task.sysif.call(SYS.close, fd) == 0


async def test_all_six_arguments_arrive(task: Task) -> None:
    size = 4096
    with nothing_left(task):
        address = await task.sysif.call(
            SYS.mmap,
            0,
            size,
            PROT.READ | PROT.WRITE,
            MAP.PRIVATE | MAP.ANONYMOUS,
            -1 & MASK,
            0,
        )
        assert address > 0
        # a wrong sixth argument (an offset that is no multiple of a page) is seen too
        wrong = await task.sysif.call(
            SYS.mmap, 0, size, PROT.READ, MAP.PRIVATE | MAP.ANONYMOUS, -1 & MASK, 1
        )
        assert wrong < 0
        assert await task.sysif.call(SYS.munmap, address, size) == 0


async def test_all_six_arguments_of_a_step_arrive(task: Task, tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(b"0123456789")
    source = await task.fs.open(tmp_path / "from")
    target = await task.fs.open(tmp_path / "to", O.RDWR | O.CREAT)
    with task.transient(struct.pack("<QQ", 2, 1)) as offsets:
        program = Program()
        program.call(SYS.ftruncate, target.near.number, 1)
        copied = program.call(
            SYS.copy_file_range,
            source.near.number,
            offsets.address.value,
            target.near.number,
            (offsets + 8).value,
            5,
            0,
        )
        results = (await task.sysif.execute(program)).check(task.sysif)
    assert results.value(copied) == 5
    assert (tmp_path / "to").read_bytes() == b"\x0023456"
    await source.close()
    await target.close()


async def test_a_step_uses_the_result_of_an_earlier_one(task: Task) -> None:
    with nothing_left(task), task.transient(b"/dev/zero\0") as path, task.transient(16) as buffer:
        program = Program()
        opened = program.call(SYS.openat, AT_FDCWD, path.address.value, O.RDONLY)
        program.write(buffer.address.value, b"x" * 16)
        got = program.call(SYS.read, opened, buffer.address.value, 4)
        seen = program.read(buffer.address.value, 16)
        program.call(SYS.close, opened)
        again = program.call(SYS.close, opened, must_succeed=False)

        results = await task.sysif.execute(program)

        assert results.complete
        assert results.value(got) == 4
        assert results.read(seen) == b"\0" * 4 + b"x" * 12
        assert results.value(again) == -EBADF


async def test_addresses_of_writes_and_reads_can_be_results(task: Task) -> None:
    program = Program()
    mapped = program.call(
        SYS.mmap, 0, 4096, PROT.READ | PROT.WRITE, MAP.PRIVATE | MAP.ANONYMOUS, -1, 0
    )
    program.write(mapped, b"written through a result")
    seen = program.read(mapped, 24)
    program.call(SYS.munmap, mapped, 4096)

    results = (await task.sysif.execute(program)).check(task.sysif)

    assert results.read(seen) == b"written through a result"


async def test_a_failure_ends_the_program_before_the_next_step(task: Task, tmp_path: Path) -> None:
    with task.transient(os.fsencode(tmp_path / "missing") + b"\0") as path:
        program = Program()
        opened = program.call(SYS.openat, AT_FDCWD, path.address.value, O.RDONLY)
        never = program.call(SYS.mkdirat, AT_FDCWD, path.address.value, 0o700)

        results = await task.sysif.execute(program)

    assert results.failure() == (opened.step, ENOENT)
    assert len(results.values) == never.step
    assert not (tmp_path / "missing").exists()
    with pytest.raises(FileNotFoundError, match=r"openat\(2\)") as caught:
        results.check(task.sysif, "missing")
    assert caught.value.filename == "missing"
    assert caught.value.__notes__[0].startswith("step 1 of 2: openat(dfd=-100, filename=")


async def test_a_failure_that_is_allowed_ends_nothing(task: Task) -> None:
    program = Program()
    failed = program.call(SYS.close, 2**31 - 1, must_succeed=False)
    last = program.call(SYS.getpid)

    results = await task.sysif.execute(program)

    assert results.complete
    assert results.value(failed) == -EBADF
    assert results.value(last) == task.process.near.id


async def test_a_bad_address_in_a_call_is_an_error_of_that_call(task: Task) -> None:
    assert await task.sysif.call(SYS.uname, 1) == -EFAULT


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 4095, 4096, 70_001])
async def test_any_number_of_bytes_is_written_and_read(task: Task, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    with nothing_left(task), task.transient(size + 16) as buffer:
        program = Program()
        program.write(buffer.address.value, data)
        seen = program.read(buffer.address.value, size)
        edge = program.read((buffer + size).value, 16)

        results = await task.sysif.execute(program)

        assert results.read(seen) == data
        assert results.read(edge) == bytes(16)


async def test_a_hundred_calls_go_in_one_program(task: Task) -> None:
    program = Program()
    refs = [program.call(SYS.getpid) for _ in range(100)]

    results = await task.sysif.execute(program)

    assert {results.value(ref) for ref in refs} == {task.process.near.id}


async def test_a_program_is_carried_out_as_often_as_one_likes(task: Task) -> None:
    program = Program()
    with task.transient(b"/dev/null\0") as path:
        opened = program.call(SYS.openat, AT_FDCWD, path.address.value, O.RDONLY)
        program.call(SYS.close, opened)
        with nothing_left(task):
            seen = {(await task.sysif.execute(program)).check("here").values for _ in range(20)}
    assert len(seen) == 1


async def test_a_program_without_steps_gives_nothing(task: Task) -> None:
    results = await task.sysif.execute(Program())

    assert results.values == ()
    assert results.complete


async def test_writes_need_no_alignment(task: Task) -> None:
    with task.transient(64) as buffer:
        program = Program()
        for offset in (1, 10, 23):
            program.write((buffer + offset).value, b"abcdefghi")
        await task.sysif.execute(program)
        content = buffer.read()
    expected = bytearray(64)
    for offset in (1, 10, 23):
        expected[offset : offset + 9] = b"abcdefghi"
    assert content == bytes(expected)


async def test_a_cancelled_scope_lets_no_call_begin(task: Task, tmp_path: Path) -> None:
    with (
        nothing_left(task),
        task.transient(os.fsencode(tmp_path / "made") + b"\0") as path,
        trio.CancelScope() as scope,
    ):
        scope.cancel()
        await task.sysif.call(SYS.mkdirat, AT_FDCWD & MASK, path.address.value, 0o700)
    assert scope.cancelled_caught
    assert not (tmp_path / "made").exists()


async def test_a_cancelled_scope_lets_no_program_begin(task: Task, tmp_path: Path) -> None:
    with (
        nothing_left(task),
        task.transient(os.fsencode(tmp_path / "made") + b"\0") as path,
        trio.CancelScope() as scope,
    ):
        scope.cancel()
        program = Program()
        program.call(SYS.mkdirat, AT_FDCWD, path.address.value, 0o700)
        await task.sysif.execute(program)
    assert scope.cancelled_caught
    assert not (tmp_path / "made").exists()


async def test_back_to_back_calls_let_other_tasks_run(task: Task) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(others)
        calls = 0
        while turns < 5:
            await task.sysif.call(SYS.getuid)
            calls += 1
            assert calls < 1_000_000, "the other task was starved"
        nursery.cancel_scope.cancel()


async def test_a_task_whose_scope_was_left_makes_no_call() -> None:
    async with open_local_task() as gone, gone.spawn() as child:
        pass
    program = Program()
    program.call(SYS.getpid)

    for left in (gone, child):
        with pytest.raises(TaskLostError):
            await left.sysif.call(SYS.getpid)
        with pytest.raises(TaskLostError):
            await left.sysif.execute(program)


async def test_flags_of_one_kind_keep_their_place(task: Task, tmp_path: Path) -> None:
    """A directory is removed only with the flag: arguments behind a path are not lost."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        await task.fs.unlink(tmp_path / "folder")
    await task.fs.unlink(tmp_path / "folder", AT.REMOVEDIR)
    assert not (tmp_path / "folder").exists()


def test_references_are_compared_by_step() -> None:
    assert Ref(1) == Ref(1) != Ref(2)
