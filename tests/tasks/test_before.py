"""``before=``: what a child does in the same round trip as its exec."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from errno import ENOENT
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    AT_FDCWD,
    CLONE,
    SYS,
    ChildProcess,
    Command,
    FDClosedError,
    FDTableMismatchError,
    O,
    PointerInUseError,
    Program,
    ProgramError,
    Task,
    UseAfterFreeError,
)
from tests.support.census import nothing_left
from tests.support.children import TRUE, shell
from tests.support.steps import Steps

NAMESPACES = CLONE.NEWUSER | CLONE.NEWNS
WAYS = ["exec", "launch"]
PLACES = [CLONE(0), CLONE.NEWUTS, NAMESPACES, NAMESPACES | CLONE.NEWPID]
OPEN = O.RDWR | O.CREAT | O.CLOEXEC
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="a namespace without NEWUSER needs root")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Return how the program is started."""
    assert request.param in WAYS
    return str(request.param)


async def start(
    scope: AsyncExitStack, local: Task, way: str, command: Command, flags: CLONE, before: Program
) -> ChildProcess:
    """Start a command in a new child; the scope ends it."""
    if way == "launch":
        return await scope.enter_async_context(local.launch(command, flags, before=before))
    child = await scope.enter_async_context(local.spawn(flags))
    return await child.exec(command, before=before)


@pytest.fixture
async def scope() -> AsyncIterator[AsyncExitStack]:
    """Open a scope for children."""
    async with AsyncExitStack() as stack:
        yield stack


def logging_to(path: Path | str) -> Program:
    """Return a program that opens a file and puts it onto the standard output."""
    program = Program()
    log = program.calls.openat(AT_FDCWD, path, OPEN, 0o600)
    program.calls.dup3(log, 1, 0)
    return program


async def test_it_mounts_opens_duplicates_and_execs_in_one_round_trip(
    scope: AsyncExitStack, local: Task, way: str, tmp_path: Path
) -> None:
    reading, writing = await local.fs.pipe2()
    program = Program()
    do = program.calls
    do.mount("tmpfs", tmp_path, "tmpfs", 0, "mode=700")
    log = do.openat(AT_FDCWD, tmp_path / "log", OPEN, 0o600)
    do.dup3(log, 1, 0)
    command = shell(f"echo hello; cat {tmp_path}/log >&2; ls /proc/self/fd >&2")

    async with AsyncExitStack() as pipes:
        await pipes.enter_async_context(reading)
        if way == "launch":
            process = await scope.enter_async_context(
                local.launch(command, NAMESPACES, stderr=writing, before=program)
            )
        else:
            child = await scope.enter_async_context(local.spawn(NAMESPACES, inherit=[writing]))
            theirs = writing.inherit(child)
            process = await child.exec(command, stderr=theirs, before=program)
        await writing.close()
        await process.check()

        assert (await reading.read(100)).split() == [b"hello", b"0", b"1", b"2", b"3"]
    assert await local.fs.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "flags", [PLACES[0], pytest.param(PLACES[1], marks=ROOT_ONLY), *PLACES[2:]], ids=str
)
async def test_it_comes_after_the_namespaces_and_before_the_exec(
    scope: AsyncExitStack, local: Task, way: str, flags: CLONE, tmp_path: Path
) -> None:
    command = shell("echo $0 to the log")

    process = await start(scope, local, way, command, flags, logging_to(tmp_path / "log"))
    await process.check()

    assert (tmp_path / "log").read_text(encoding="ascii").endswith("to the log\n")


async def test_calls_that_would_change_a_task_may_come_before_an_exec(
    scope: AsyncExitStack, local: Task, way: str, tmp_path: Path
) -> None:
    program = Program()
    program.calls.unshare(int(CLONE.NEWUSER | CLONE.NEWUTS))
    program.calls.sethostname("inside", 6)
    program.extend(logging_to(tmp_path / "log"))

    process = await start(scope, local, way, shell("uname -n"), CLONE(0), program)
    await process.check()

    assert (tmp_path / "log").read_text(encoding="ascii") == "inside\n"


async def test_handles_of_the_task_can_be_used(
    scope: AsyncExitStack, local: Task, tmp_path: Path
) -> None:
    async with await local.fs.open(tmp_path / "log", OPEN) as log:
        program = Program()
        program.calls.dup3(log, 1, 0)
        process = await start(scope, local, "launch", shell("echo hello"), CLONE(0), program)
        await process.check()

    assert (tmp_path / "log").read_text(encoding="ascii") == "hello\n"


async def test_a_handle_of_another_task_is_refused(
    scope: AsyncExitStack, local: Task, child: Task
) -> None:
    async with await child.fs.open("/dev/null") as null:
        program = Program()
        program.calls.dup3(null, 1, 0)
        with nothing_left(local), pytest.raises(FDTableMismatchError):
            await start(scope, local, "launch", TRUE, CLONE(0), program)


async def test_a_handle_that_is_closed_before_the_start_is_refused(local: Task) -> None:
    program = Program()
    async with await local.fs.open("/dev/null") as null:
        program.calls.dup3(null, 1, 0)
        launched = local.launch(TRUE, before=program)

    with nothing_left(local), pytest.raises(FDClosedError):
        async with launched:
            pass


async def test_a_pointer_is_used_until_the_exec(
    scope: AsyncExitStack, local: Task, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(monkeypatch)
    pointer = await local.ptr(b"/usr\0")
    program = Program()
    program.calls.chdir(pointer)

    def free() -> None:
        with pytest.raises(PointerInUseError):
            pointer.free()

    for at in steps.moments(0):
        async with local.spawn() as child, AsyncExitStack() as launched:
            steps.arm(at, free)
            if way == "launch":
                scope_of_it = local.launch(TRUE, before=program)
                process = await launched.enter_async_context(scope_of_it)
            else:
                process = await child.exec(TRUE, before=program)
            steps.disarm()
            await process.check()
    pointer.free()
    with pytest.raises(UseAfterFreeError):
        await start(scope, local, way, TRUE, CLONE(0), program)


@pytest.mark.parametrize("name", ["execve", "clone3"])
async def test_what_would_come_before_the_exec_instead_of_it_is_refused(
    scope: AsyncExitStack, local: Task, way: str, name: str
) -> None:
    program = Program()
    program.call(getattr(SYS, name))

    with pytest.raises(ProgramError, match=name):
        await start(scope, local, way, TRUE, CLONE(0), program)


@pytest.mark.parametrize("flags", [CLONE(0), NAMESPACES], ids=str)
async def test_a_failure_names_the_step_of_the_program_and_leaves_nothing(
    local: Task, way: str, flags: CLONE, tmp_path: Path
) -> None:
    program = logging_to(tmp_path / "log")
    program.calls.chdir("/nowhere")

    with nothing_left(local):
        async with AsyncExitStack() as scope:
            with pytest.raises(FileNotFoundError) as caught:
                await start(scope, local, way, TRUE, flags, program)

    assert caught.value.errno == ENOENT
    assert "step 3 of 3: chdir(filename=b'/nowhere')" in str(caught.value)


@pytest.mark.parametrize("command", [TRUE, Command("/nowhere", ["nowhere"])], ids=str)
async def test_a_child_whose_exec_failed_goes_on_without_the_fds_of_the_program(
    local: Task, command: Command, tmp_path: Path
) -> None:
    program = Program()
    kept = program.calls.openat(AT_FDCWD, tmp_path / "log", OPEN, 0o600)
    closed = program.calls.dup(kept)
    program.calls.close(closed)
    if command is TRUE:
        program.calls.chdir("/nowhere")
    async with local.spawn() as child:
        before = await child.fs.listdir("/proc/thread-self/fd")
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                await child.exec(command, before=program)

        assert await child.fs.listdir("/proc/thread-self/fd") == before
        await (await child.exec(TRUE)).check()


@pytest.mark.parametrize("flags", [CLONE(0), NAMESPACES], ids=str)
async def test_a_cancel_at_any_step_leaves_nothing(
    local: Task, way: str, flags: CLONE, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(monkeypatch)
    program = logging_to(tmp_path / "log")
    for at in steps.moments(3):
        with nothing_left(local), trio.CancelScope() as cancelled:
            steps.arm(at, cancelled.cancel)
            async with AsyncExitStack() as scope:
                process = await start(scope, local, way, TRUE, flags, program)
                await process.check()


async def test_one_program_comes_before_many(local: Task, tmp_path: Path) -> None:
    program = logging_to(tmp_path / "log")

    async def one() -> None:
        async with local.launch(TRUE, before=program) as process:
            await process.check()

    with nothing_left(local):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(one)
