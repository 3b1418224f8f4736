"""Running programs: what an error names, and that nothing is lost by one."""

from __future__ import annotations

import os
from errno import EBADF, ENOENT
from pathlib import Path

import pytest
import trio

from rsyscall_ns import AT_FDCWD, CLONE, SYS, O, Program, ProgramError, Task, TaskLostError
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left

OPEN = O.RDWR | O.CREAT | O.CLOEXEC


async def fds_of(task: Task) -> list[str]:
    """Return the numbers of a task's open fds."""
    return await task.fs.listdir("/proc/thread-self/fd")


async def test_the_error_names_step_call_arguments_and_errno(task: Task, tmp_path: Path) -> None:
    program = Program()
    program.calls.mkdir(tmp_path / "made", 0o700)
    program.calls.openat(AT_FDCWD, tmp_path / "missing", O.RDONLY)
    program.calls.mkdir(tmp_path / "never", 0o700)

    with pytest.raises(FileNotFoundError) as caught:
        await task.run(program)

    assert caught.value.errno == ENOENT
    text = str(caught.value)
    assert "step 2 of 3: openat(dfd=-100, filename=" in text
    assert f"{tmp_path}/missing" in text
    assert "flags=0, mode=0)" in text
    assert (tmp_path / "made").exists()
    assert not (tmp_path / "never").exists()


async def test_the_result_of_a_step_is_named_as_such(task: Task) -> None:
    program = Program()
    made = program.calls.dup(0)
    program.calls.close(made)
    program.calls.close(made)

    with pytest.raises(OSError, match=r"step 3 of 3: close\(fd=result of step 1\)") as caught:
        await task.run(program)
    assert caught.value.errno == EBADF


async def test_a_program_that_fails_leaves_no_fd(task: Task, tmp_path: Path) -> None:
    program = Program()
    do = program.calls
    do.openat(AT_FDCWD, tmp_path / "one", OPEN, 0o600)
    closed = do.openat(AT_FDCWD, tmp_path / "two", OPEN, 0o600)
    do.openat(AT_FDCWD, tmp_path / "three", O.RDONLY, must_succeed=False)
    do.close(closed)
    do.memfd_create("memory", 1)
    do.openat(AT_FDCWD, "/nowhere", O.RDONLY)
    before = await fds_of(task)

    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            await task.run(program)

    assert await fds_of(task) == before


async def test_fds_that_nobody_takes_are_closed_with_the_results(
    task: Task, tmp_path: Path
) -> None:
    program = Program()
    file = program.calls.openat(AT_FDCWD, tmp_path / "one", OPEN, 0o600)
    before = await fds_of(task)

    results = await task.run(program)
    taken = results.fd(file)
    del results
    assert len(await fds_of(task)) == len(before) + 1
    await taken.close()
    await task.run(program)
    await task.sweep()

    assert await fds_of(task) == before


async def test_an_fd_that_the_program_closed_has_no_handle(task: Task) -> None:
    program = Program()
    made = program.calls.dup(0)
    program.calls.close(made)

    results = await task.run(program)

    assert not results.handles
    with pytest.raises(ProgramError, match="the program has closed fd"):
        results.fd(made)


async def test_a_cancelled_program_ends_where_it_is_and_leaves_no_fd(child: Task) -> None:
    program = Program()
    do = program.calls
    do.memfd_create("memory", 1)
    async with await child.fs.open("/dev/null") as null:
        reading, writing = await child.fs.pipe2()
        do.read(reading, program.room(8), 8)
        do.ftruncate(null, 0)
        before = await fds_of(child)
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child.run, program)
                await until_blocked(child)
                nursery.cancel_scope.cancel()

        assert await fds_of(child) == before
        await reading.close()
        await writing.close()


async def test_a_program_in_a_child_that_dies_of_it_is_a_lost_task(local: Task) -> None:
    program = Program()
    program.calls.exit_group(3)

    async with local.spawn() as child:
        with pytest.raises(TaskLostError):
            await child.run(program)
        state = await child.process.wait()
        assert state.exit_status == 3


@pytest.mark.parametrize("name", ["unshare", "setns", "execve", "execveat", "clone", "clone3"])
async def test_calls_after_which_the_task_is_another_are_refused(task: Task, name: str) -> None:
    program = Program()
    program.call(SYS.getpid)
    program.call(getattr(SYS, name), int(CLONE.FILES))

    with nothing_left(), pytest.raises(ProgramError, match=f"{name} can't be run.*use"):
        await task.run(program)


async def test_a_large_program_with_much_memory(task: Task, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    program = Program()
    do = program.calls
    file = do.openat(AT_FDCWD, tmp_path / "large", OPEN, 0o600)
    do.write(file, content, len(content))
    room = program.room(len(content))
    do.pread64(file, room, len(content), 0)
    for _ in range(300):
        do.getpid()

    with nothing_left(task):
        results = await task.run(program)
        assert results[room] == content
        await results.fd(file).close()
