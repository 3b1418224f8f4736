"""launch(...).run(): a program, from its start to its end, in one go."""

from __future__ import annotations

import os
import signal
import threading
from errno import EACCES, ENOENT

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    SIG,
    Command,
    IdMapNotAllowedError,
    PathError,
    Task,
    UncleanExitError,
    open_local_task,
)
from tests.support.census import children, nothing_left
from tests.support.children import FOREVER, IS_ROOT, TRUE, is_alive, shell

NAMESPACES = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS
SEVEN = NAMESPACES | CLONE.NEWNET | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWCGROUP
FLAGS = [CLONE(0), CLONE.NEWUSER, NAMESPACES, SEVEN]


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_it_is_run_and_reaped(local: Task, flags: CLONE) -> None:
    await local.launch(TRUE, flags).run()
    with nothing_left(local):
        state = await local.launch(TRUE, flags).run()
        assert state.clean()
        assert not is_alive(state.pid)


async def test_its_status_is_told(local: Task) -> None:
    with nothing_left(local):
        assert (await local.launch(shell("exit 9")).run(check=False)).exit_status == 9
        with pytest.raises(UncleanExitError, match="exited with status 9"):
            await local.launch(shell("exit 9")).run()
        killed = await local.launch(shell("kill -TERM $$")).run(check=False)
        assert killed.killed_with() == SIG.TERM


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_program_that_is_not_there_is_an_error(local: Task, flags: CLONE) -> None:
    await local.launch(TRUE).run()
    with nothing_left(local), pytest.raises(FileNotFoundError) as caught:
        await local.launch(Command("/missing", ["missing"]), flags).run(check=False)
    assert (caught.value.filename, caught.value.errno) == ("/missing", ENOENT)


async def test_a_file_that_is_no_program_is_an_error(local: Task) -> None:
    await local.launch(TRUE).run()
    command = Command("/etc/passwd", ["x"])
    for _ in range(3):  # what lay in memory for it is used again
        with nothing_left(local), pytest.raises(PermissionError) as caught:
            await local.launch(command).run()
        assert (caught.value.filename, caught.value.errno) == ("/etc/passwd", EACCES)


async def test_bad_input_is_refused_before_anything_is_started(local: Task) -> None:
    with nothing_left(local), pytest.raises(PathError, match="NUL"):
        await local.launch(Command("/bin/tr\0ue", ["true"])).run()


async def test_streams_and_steps_before_it_are_those_of_launch(local: Task) -> None:
    read, write = await local.fs.pipe2()
    await local.launch(shell("echo here"), stdout=write).run()
    await write.close()
    async with read:
        assert await read.read() == b"here\n"


async def test_its_streams_may_be_closed_while_it_runs(local: Task) -> None:
    read, write = await local.fs.pipe2()
    theirs, ours = await local.fs.pipe2()
    async with read, ours, trio.open_nursery() as nursery:
        command = shell("echo here; exec >&-; read line")
        nursery.start_soon(local.launch(command, stdin=theirs, stdout=write).run)
        assert await read.read() == b"here\n"
        await write.close()
        await theirs.close()
        assert await read.read() == b""
        await ours.write_all(b"go on\n")


async def test_id_maps_are_written_before_it(local: Task) -> None:
    command = shell("test $(id -u) = 0 && test $(id -g) = 0")
    await local.launch(command, CLONE.NEWUSER, uid_map=True, gid_map=True).run()


@pytest.mark.skipif(IS_ROOT, reason="root may write any id map")
async def test_a_map_that_this_user_may_not_have_is_refused(local: Task) -> None:
    with nothing_left(local), pytest.raises(IdMapNotAllowedError):
        await local.launch(TRUE, CLONE.NEWUSER, uid_map="0 0 10").run()


@pytest.mark.parametrize("flags", [CLONE(0), NAMESPACES], ids=str)
async def test_a_cancel_kills_and_reaps(local: Task, flags: CLONE) -> None:
    await local.launch(TRUE, flags).run()
    before = children()
    with nothing_left(local), trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(local.launch(FOREVER, flags).run)
            while children() == before:
                await trio.lowlevel.checkpoint()
            scope.cancel()
    assert children() == before


async def test_it_is_killed_when_the_scope_of_its_task_ends() -> None:
    """The memory that its child starts in goes with that scope."""
    found: list[UncleanExitError] = []
    before = children()

    async def run(task: Task) -> None:
        with pytest.raises(UncleanExitError) as caught:
            await task.launch(FOREVER).run()
        found.append(caught.value)

    async with trio.open_nursery() as nursery:
        async with open_local_task() as task:
            nursery.start_soon(run, task)
            while children() == before:
                await trio.lowlevel.checkpoint()
        assert children() == before
    assert [error.state.killed_with() for error in found] == [SIG.KILL]
    assert str(found[0]) == f"{FOREVER} was killed by SIGKILL"


async def test_a_command_of_many_places_is_run_from_the_first_that_has_it(local: Task) -> None:
    """It takes more steps than there is room for beside a ring."""
    nowhere = [f"/nowhere/{number}" for number in range(2000)]
    command = Command(nowhere[0], ["true"], elsewhere=[*nowhere[1:], "/bin/true"])
    with nothing_left(local):
        await local.launch(command).run()
    missing = Command(nowhere[0], ["true"], elsewhere=nowhere[1:])
    with pytest.raises(FileNotFoundError):
        await local.launch(missing).run()


async def test_a_child_runs_programs_too(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        with nothing_left(local):
            assert (await child.launch(TRUE).run()).clean()
            with pytest.raises(FileNotFoundError):
                await child.launch(Command("/missing", ["missing"])).run()


async def test_a_status_that_somebody_else_has_taken_is_known_all_the_same(local: Task) -> None:
    """A thread that waits for any child may be faster than we are."""
    stop = threading.Event()

    def wait_for_any() -> None:
        while not stop.is_set():
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                os.sched_yield()

    thread = threading.Thread(target=wait_for_any)
    thread.start()
    try:
        for status in range(1, 20):
            found = await local.launch(shell(f"exit {status}")).run(check=False)
            assert found.exit_status == status
    finally:
        stop.set()
        thread.join()


async def test_its_status_is_known_where_children_are_not_waited_for(local: Task) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert (await local.launch(shell("exit 3")).run(check=False)).exit_status == 3
    finally:
        signal.signal(signal.SIGCHLD, before)


async def test_many_at_once(local: Task) -> None:
    found: list[int | None] = []

    async def one(status: int) -> None:
        state = await local.launch(shell(f"exit {status}")).run(check=False)
        found.append(state.exit_status)

    async def all_of_them() -> None:
        async with trio.open_nursery() as nursery:
            for status in range(40):
                nursery.start_soon(one, status)

    await all_of_them()
    found.clear()
    with nothing_left(local):
        await all_of_them()
    assert sorted(filter(None, found)) == list(range(1, 40))
