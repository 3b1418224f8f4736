"""The fds of programs: which of them are made, closed and kept, however a program says so."""

from __future__ import annotations

from collections.abc import Callable
from errno import EBADF, EDQUOT, EINTR, EIO, EPERM
from typing import NoReturn

import pytest
import trio

from rsyscall_ns import (
    BYTES,
    SYS,
    FDClosedError,
    FDRef,
    FDTableMismatchError,
    FileDescriptor,
    Program,
    ProgramError,
    Ref,
    Results,
    Task,
    UseAfterFreeError,
)
from tests.handle.test_run_program import fds_of
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left

CLOEXEC = 1  # of memfd_create
F_DUPFD, F_GETFD, F_DUPFD_CLOEXEC = 0, 1, 1030


def behind_another(part: Program) -> Program:
    """Return a program of which another one is the second part."""
    whole = Program()
    whole.calls.getpid()
    whole.extend(part)
    return whole


async def test_handles_of_a_program_that_was_appended_are_checked(local: Task, child: Task) -> None:
    part = Program()
    async with await local.fs.open("/dev/null") as null:
        part.calls.fstat(null, part.room(144))
        whole = behind_another(part)
        await local.run(whole)
        with pytest.raises(FDTableMismatchError):
            await child.run(whole)

    with pytest.raises(FDClosedError):
        await local.run(whole)


async def test_pointers_of_a_program_that_was_appended_are_used(task: Task) -> None:
    part = Program()
    pointer = await task.ptr(b"bytes")
    got = part.calls.getrandom(pointer, 5, 0)
    whole = behind_another(part)

    assert (await task.run(whole))[Ref(1 + got.step)] == 5
    pointer.free()
    with pytest.raises(UseAfterFreeError):
        await task.run(whole)


async def test_fds_of_a_program_that_was_appended_are_handles_or_closed(task: Task) -> None:
    part = Program()
    made = part.calls.memfd_create("memory", CLOEXEC)
    whole = behind_another(part)
    with nothing_left(task):
        results = await task.run(whole)
        await results.fd(FDRef(1 + made.step, made.kind)).close()
        whole.calls.chdir("/nowhere")
        with pytest.raises(FileNotFoundError):
            await task.run(whole)


def dup_by_fcntl(program: Program) -> FDRef[FileDescriptor]:
    return program.calls.fcntl(0, F_DUPFD_CLOEXEC, 5)


def signals(program: Program) -> FDRef[FileDescriptor]:
    return program.calls.signalfd4(-1, bytes(8), 8, 0)


@pytest.mark.parametrize("make", [dup_by_fcntl, signals])
async def test_a_call_that_may_make_an_fd_did_so(
    task: Task, make: Callable[[Program], FDRef[FileDescriptor]]
) -> None:
    program = Program()
    made = make(program)
    before = await fds_of(task)

    await (await task.run(program)).fd(made).close()
    program.calls.chdir("/nowhere")
    with pytest.raises(FileNotFoundError):
        await task.run(program)

    assert await fds_of(task) == before


async def test_a_number_that_is_no_fd_is_not_taken_for_one(task: Task) -> None:
    program = Program()
    flags = program.calls.fcntl(0, F_GETFD)
    program.calls.landlock_create_ruleset(None, 0, 1, must_succeed=False)  # gives a version
    async with await task.fs.open("/dev/null") as null:
        program.calls.signalfd4(null, bytes(8), 8, 0, must_succeed=False)
        results = await task.run(program)

    assert not results.handles
    with pytest.raises(ProgramError, match="step 1 made no fd"):
        results.fd(flags)


async def test_an_fd_is_closed_whoever_names_its_number(task: Task) -> None:
    program = Program()
    do = program.calls
    first, second, third = (do.memfd_create("memory", CLOEXEC) for _ in range(3))
    do.close(do.dup3(first, second, 0))
    do.close_range(third, third, 4)  # marks it, and does not close it
    do.close_range(first, first, 0)
    kept = do.memfd_create("memory", CLOEXEC)

    with nothing_left(task):
        results = await task.run(program)
        assert set(results.handles) == {third.step, kept.step}
        for handle in results.handles.values():
            await handle.close()


@pytest.mark.parametrize(
    ("result", "is_open"),
    [(0, False), (-EIO, False), (-EDQUOT, False), (-EBADF, True), (-EPERM, True), (-EINTR, True)],
)
def test_an_fd_whose_close_failed_late_is_closed(result: int, *, is_open: bool) -> None:
    program = Program()
    program.calls.close(program.calls.dup(0), must_succeed=False)

    assert program.left_open(Results(program, (7, result))) == ({0: 7} if is_open else {})


async def test_a_range_of_fds_with_a_handle_in_it_can_not_be_closed(task: Task) -> None:
    async with await task.fs.open("/dev/null") as null:
        with pytest.raises(ProgramError, match=r"close_range.*handle\.close"):
            Program().calls.close_range(null, 9, 0)


async def test_a_cancel_that_is_shielded_before_it_arrives_leaves_no_fd(child: Task) -> None:
    program = Program()
    program.calls.memfd_create("memory", CLOEXEC)
    reading, writing = await child.fs.pipe2()
    program.calls.read(reading, program.room(8), 8, must_succeed=False)
    program.calls.getpid()
    before = await fds_of(child)
    inner = trio.CancelScope()

    async def run() -> None:
        with inner, pytest.raises(InterruptedError, match="after step 2 of 3"):
            await child.run(program)

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            await until_blocked(child)
            nursery.cancel_scope.cancel()
            inner.shield = True

    assert await fds_of(child) == before
    await reading.close()
    await writing.close()


async def test_results_say_that_a_step_was_appended_after_the_run(task: Task) -> None:
    program = Program()
    program.calls.getpid()
    results = await task.run(program)

    for later in (program.calls.getpid(), program.calls.dup(0)):
        with pytest.raises(ProgramError, match="had no step"):
            results.value(later)
        with pytest.raises(ProgramError, match="had no step"):
            _ = results[later]
    with pytest.raises(ProgramError, match="had no step 3"):
        results.fd(FDRef(2, FileDescriptor))


async def test_results_have_what_a_read_step_has_read(task: Task) -> None:
    pointer = await task.ptr(b"bytes")
    program = Program()
    read = program.read(pointer.near.value, 5)

    assert (await task.run(program)).load(read, BYTES) == b"bytes"
    pointer.free()


async def test_no_step_is_made_a_value_to_run_a_program(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(program: Program, index: int) -> NoReturn:
        raise AssertionError(program, index)  # looks through all memory: quadratic for a program

    program = Program()
    program.calls.close(program.calls.dup(0))
    program.call(SYS.getpid)
    monkeypatch.setattr("rsyscall_ns.near.program.Program.step", step)

    assert not (await task.run(program)).handles
