"""Programs whose calls are made by name: what arguments may be, and what they become."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rsyscall_ns import (
    AT_FDCWD,
    BYTES,
    SYS,
    ArgumentRangeError,
    FDClosedError,
    FDRef,
    FDTableMismatchError,
    O,
    PathError,
    PidFD,
    Program,
    ProgramError,
    SocketFD,
    Task,
    UnknownCallError,
    UseAfterFreeError,
)
from rsyscall_ns.handle import generate
from rsyscall_ns.handle.makes import MAKES, WHERE
from rsyscall_ns.near.nr.signatures import signature
from rsyscall_ns.near.program import Call

MISSING = "/nowhere"
PR_GET_NAME = 16


def only(program: Program) -> Call:
    """Return the last step of a program."""
    call = program.step(len(program) - 1)
    assert isinstance(call, Call)
    return call


def test_the_stub_is_what_the_generator_makes() -> None:
    assert generate.STUB.read_text(encoding="utf-8") == generate.render()


def test_a_call_becomes_its_number_and_words() -> None:
    program = Program()
    made = program.calls.openat(AT_FDCWD, "/etc/passwd", O.RDONLY)

    call = only(program)
    assert call.number == SYS.openat
    assert call.must_succeed
    assert call.args[0] == AT_FDCWD % 2**64
    assert list(program.regions.values()) == [b"/etc/passwd\0"]
    assert isinstance(made, FDRef)


def test_arguments_can_be_named_as_in_the_manual_page() -> None:
    program = Program()
    program.calls.kill(sig=0, pid=1, must_succeed=False)

    assert only(program).args[:2] == (1, 0)
    assert not only(program).must_succeed


@pytest.mark.parametrize("given", [b"/srv", "/srv", Path("/srv")])
def test_a_path_may_be_str_bytes_or_a_path(given: str | bytes | Path) -> None:
    program = Program()
    program.calls.chdir(given)

    assert list(program.regions.values()) == [b"/srv\0"]


def test_a_buffer_is_taken_as_it_is() -> None:
    program = Program()
    program.calls.write(1, b"a\0b", 3)

    assert list(program.regions.values()) == [b"a\0b"]


# the type checkers refuse them as well, and are told that this is what is tested
REFUSED: list[tuple[Callable[[Program], object], type[Exception], str]] = [
    (lambda p: p.calls.openat(AT_FDCWD), ProgramError, "openat takes .dfd, filename"),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - refused
    (lambda p: p.calls.getpid(1), ProgramError, "getpid takes"),  # type: ignore[call-arg,arg-type]  # pyright: ignore[reportCallIssue] - refused
    (lambda p: p.calls.kill(1, pid=1), ProgramError, "kill takes"),  # type: ignore[call-arg,misc]  # pyright: ignore[reportCallIssue] - refused
    (lambda p: p.calls.kill(1, who=1), ProgramError, "who=1"),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - refused
    (lambda p: p.calls.kill("1", 0), ProgramError, "pid of kill is pid_t"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda p: p.calls.kill(None, 0), ProgramError, "can't be None"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda p: p.calls.kill(2**32, 0), ArgumentRangeError, "pid of kill is 4294967296"),
    (lambda p: p.calls.kill(p.room(8), 0), ProgramError, "pid of kill is pid_t"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda p: p.calls.close(p.room(8)), ProgramError, "fd of close is unsigned int"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda p: p.calls.read(0, 0, -1), ArgumentRangeError, "count of read is -1"),
    (lambda p: p.calls.chdir("a\0b"), PathError, "NUL"),
    (lambda p: p.calls.chdir(b"a\0b"), PathError, "NUL"),
    (lambda p: p.calls.epoll_ctl(1, 1, 1, "text"), ProgramError, "struct epoll_event"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda p: p.calls.reticulate(), UnknownCallError, "not in Linux"),  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - refused
]


@pytest.mark.parametrize(("append", "error", "message"), REFUSED)
def test_what_can_not_be_is_refused_when_it_is_appended(
    append: Callable[[Program], object], error: type[Exception], message: str
) -> None:
    program = Program()

    with pytest.raises(error, match=message):
        append(program)
    assert len(program) == 0


async def test_a_number_as_long_as_an_address_may_be_one(task: Task) -> None:
    program = Program()
    name = program.room(16)
    pointer = await task.ptr(bytes(16))
    program.calls.prctl(PR_GET_NAME, name)
    program.calls.prctl(PR_GET_NAME, pointer)

    results = await task.run(program)

    assert results[name] == await pointer.read()
    assert results[name].rstrip(b"\0")
    pointer.free()


def test_constant_pointers_and_those_of_another_name_are_addresses() -> None:
    program = Program()
    program.calls.landlock_create_ruleset(None, 0, 1)
    program.calls.capget(b"header", None)

    assert list(program.regions.values()) == [b"header"]


@pytest.mark.parametrize("given", [(b"x" * 10**6,), (b"x" * 10**6, 1, 2)])
def test_a_message_does_not_show_all_of_a_buffer(given: tuple[object, ...]) -> None:
    with pytest.raises(ProgramError) as caught:
        getattr(Program().calls, "kill")(*given, 0)  # noqa: B009 - wrong types on purpose

    assert len(str(caught.value)) < 1000


def test_the_calls_of_this_machine_are_listed() -> None:
    names = dir(Program().calls)

    assert {"openat", "mount", "getpid"} <= set(names)
    assert all(hasattr(SYS, name) for name in names)


def test_all_that_make_an_fd_are_calls() -> None:
    assert all(signature(name) is not None for name in MAKES)
    assert MAKES.keys() >= WHERE.keys()


async def test_results_have_their_types(task: Task, tmp_path: Path) -> None:
    program = Program()
    do = program.calls
    file = do.openat(AT_FDCWD, tmp_path / "f", O.RDWR | O.CREAT | O.CLOEXEC, 0o600)
    written = do.write(file, b"hello", 5)
    room = program.room(8)
    got = do.pread64(file, room, 8, 1)
    socket = do.socket(1, 1 | O.CLOEXEC, 0)
    pid = do.getpid()
    this = do.pidfd_open(pid, 0)

    results = await task.run(program)

    assert (results[written], results[got]) == (5, 4)
    assert results[room] == b"ello\0\0\0\0"
    assert results.load(room, BYTES)[:4] == b"ello"
    assert isinstance(results.fd(socket), SocketFD)
    assert isinstance(results.fd(this), PidFD)
    assert await results.fd(file).pread(5, 0) == b"hello"
    assert results.fd(file).near.number == results[file]
    for handle in results.handles.values():
        await handle.close()


async def test_handles_and_pointers_of_the_task_are_used(task: Task, tmp_path: Path) -> None:
    async with await task.fs.open(tmp_path / "f", O.RDWR | O.CREAT) as file:
        pointer = await task.ptr(b"from a pointer")
        program = Program()
        program.calls.write(file, pointer, 6)
        program.calls.write(file, pointer, 14)

        await task.run(program)
        await task.run(program)

        assert await file.pread(100, 0) == b"from afrom a pointer" * 2
        pointer.free()


async def test_a_program_runs_on_one_task_after_the_other(local: Task, child: Task) -> None:
    program = Program()
    pid = program.calls.getpid()

    assert (await local.run(program))[pid] == os.getpid()
    assert (await child.run(program))[pid] == child.process.near.id


async def test_a_handle_of_another_task_is_refused_before_anything_is_done(
    local: Task, child: Task, tmp_path: Path
) -> None:
    async with await local.fs.open("/dev/null") as null:
        program = Program()
        program.calls.mkdir(tmp_path / "made", 0o700)
        program.calls.fstat(null, program.room(144))

        with pytest.raises(FDTableMismatchError):
            await child.run(program)
        assert not (tmp_path / "made").exists()


async def test_a_handle_that_was_closed_meanwhile_is_refused(task: Task) -> None:
    program = Program()
    async with await task.fs.open("/dev/null") as null:
        program.calls.fstat(null, program.room(144))

    with pytest.raises(FDClosedError):
        await task.run(program)
    with pytest.raises(FDClosedError):
        program.calls.fstat(null, program.room(144))


async def test_a_pointer_that_was_freed_meanwhile_is_refused(task: Task) -> None:
    pointer = await task.ptr(b"bytes")
    program = Program()
    program.calls.write(1, pointer, 5)
    pointer.free()

    with pytest.raises(UseAfterFreeError):
        await task.run(program)


async def test_a_handle_can_not_be_closed_behind_its_back(task: Task) -> None:
    async with await task.fs.open("/dev/null") as null:
        with pytest.raises(ProgramError, match=r"handle\.close"):
            Program().calls.close(null)


async def test_memory_can_be_used_from_an_offset_on(task: Task) -> None:
    program = Program()
    room = program.room(b"....end")
    program.calls.getcwd(room, 4, must_succeed=False)
    program.calls.getrandom(room + 4, 2, 0)

    results = await task.run(program)

    assert results[room][:4] == b"...."
    assert results[room][6:] == b"d"
    assert results[room + 6] == b"d"
    with pytest.raises(ArgumentRangeError):
        _ = room + 8


def test_memory_of_another_program_is_refused() -> None:
    room = Program().room(8)

    with pytest.raises(ProgramError, match="another program"):
        Program().calls.read(0, room, 8)


async def test_an_allowed_failure_raises_when_it_is_asked_for(task: Task) -> None:
    program = Program()
    missing = program.calls.openat(AT_FDCWD, MISSING, 0, must_succeed=False)
    pid = program.calls.getpid()

    results = await task.run(program)

    assert results[pid] > 0
    assert results.value(missing) < 0
    with pytest.raises(FileNotFoundError, match=r"step 1 of 2: openat.*nowhere"):
        _ = results[missing]
    with pytest.raises(FileNotFoundError):
        results.fd(missing)
