"""exec that fails: the error names path and errno, and the child is as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import E2BIG, EACCES, ENOENT, ENOEXEC, ENOTDIR
from pathlib import Path

import pytest

from rsyscall_ns import CLONE, SIG, Command, O, Task
from tests.support.census import nothing_left
from tests.support.children import PAUSES, TRUE, paused, shell, status_field, thread_of
from tests.support.procfs import content, fd_links


def missing(folder: Path) -> Path:
    return folder / "missing"


def not_executable(folder: Path) -> Path:
    (folder / "file").write_text("#!/bin/sh\n", encoding="ascii")
    return folder / "file"


def directory(folder: Path) -> Path:
    return folder


def no_program(folder: Path) -> Path:
    (folder / "garbage").write_bytes(b"\x01\x02garbage")
    (folder / "garbage").chmod(0o755)
    return folder / "garbage"


def missing_interpreter(folder: Path) -> Path:
    (folder / "script").write_text("#!/no/such/interpreter\n", encoding="ascii")
    (folder / "script").chmod(0o755)
    return folder / "script"


def below_a_file(folder: Path) -> Path:
    (folder / "plain").write_text("", encoding="ascii")
    return folder / "plain" / "x"


FAILURES = [
    (missing, ENOENT),
    (not_executable, EACCES),
    (directory, EACCES),
    (no_program, ENOEXEC),
    (missing_interpreter, ENOENT),
    (below_a_file, ENOTDIR),
]


def fds_of(pid: int) -> dict[int, tuple[str, str]]:
    """Return number -> (what it is open on, flags with cloexec) of every fd."""
    found: dict[int, tuple[str, str]] = {}
    for number, target in fd_links(pid).items():
        info = content(pid, f"fdinfo/{number}")
        flags = next(line for line in info.splitlines() if line.startswith("flags"))
        found[number] = (target, flags)
    return found


@pytest.mark.parametrize(("make", "errno"), FAILURES)
async def test_the_error_names_path_and_errno(
    local: Task, tmp_path: Path, make: Callable[[Path], Path], errno: int
) -> None:
    path = make(tmp_path)
    async with local.spawn() as child:
        with pytest.raises(OSError, match="execve") as caught:
            await child.exec(Command(path, ["x"]))
    assert caught.value.errno == errno
    assert caught.value.filename == str(path)


async def test_arguments_that_are_too_long_are_an_error(local: Task) -> None:
    async with local.spawn() as child:
        with pytest.raises(OSError, match="execve") as caught:
            await child.exec(TRUE.with_args("x" * 200_000))
        assert caught.value.errno == E2BIG
        assert await child.cred.getuid() == os.getuid()


@pytest.mark.parametrize("files", [CLONE(0), CLONE.FILES])
async def test_streams_and_flags_of_all_fds_are_as_before(local: Task, files: CLONE) -> None:
    async with local.spawn(files) as child:
        null, zero = await child.fs.open("/dev/null", O.RDWR), await child.fs.open("/dev/zero")
        full = await child.fs.open("/dev/full", O.RDWR)
        await full.disable_cloexec()
        if files:  # exec leaves the shared table first, which is not taken back
            with pytest.raises(FileNotFoundError):
                await child.exec(Command("/missing", ["x"]))
        before = fds_of(child.process.near.id)
        signals = [status_field(child.process.near.id, f"Sig{n}") for n in ("Ign", "Cgt", "Blk")]
        for _ in range(3):
            with nothing_left(local), pytest.raises(FileNotFoundError):
                await child.exec(
                    Command("/missing", ["x"]),
                    stdin=zero,
                    stdout=null,
                    stderr=null,
                    pass_fds=[zero, null],
                )
        assert fds_of(child.process.near.id) == before
        assert signals == [
            status_field(child.process.near.id, f"Sig{n}") for n in ("Ign", "Cgt", "Blk")
        ]
        assert [await fd.is_cloexec() for fd in (null, zero, full)] == [True, True, False]


async def test_a_stream_that_was_closed_is_closed_again(local: Task) -> None:
    async with local.spawn() as child:
        null = await child.fs.open("/dev/null", O.RDWR)
        target = type(null)(child, type(null.near)(0))
        await target.close()
        before = fds_of(child.process.near.id)
        assert 0 not in before
        with pytest.raises(FileNotFoundError):
            await child.exec(Command("/missing", ["x"]), stdin=null, stdout=null)
        assert fds_of(child.process.near.id) == before


async def test_the_doorbell_is_still_close_on_exec(local: Task) -> None:
    async with local.spawn() as child:
        with pytest.raises(FileNotFoundError):
            await child.exec(Command("/missing", ["x"]))
        process = await paused(await child.exec(PAUSES))
        assert set(fds_of(process.near.id)) <= {0, 1, 2}


async def test_the_child_goes_on_and_may_try_again(local: Task) -> None:
    async with local.spawn() as child:
        for _ in range(3):
            with pytest.raises(FileNotFoundError):
                await child.exec(Command("/missing", ["x"]))
            assert await child.cred.getuid() == os.getuid()
            assert thread_of(child).command is None
            assert repr(child.process).startswith("ThreadProcess(")
        async with child.spawn() as grandchild:
            assert await grandchild.cred.getuid() == os.getuid()
        process = await child.exec(shell("exit 8"))
        assert (await process.wait()).exit_status == 8


async def test_a_broken_pipe_is_still_an_error_and_no_death(local: Task) -> None:
    async with local.spawn() as child:
        read, write = await child.fs.pipe2()
        with pytest.raises(FileNotFoundError):
            await child.exec(Command("/missing", ["x"]))
        await read.close()
        with pytest.raises(BrokenPipeError):
            await write.write(b"x")


async def test_the_beliefs_are_as_before(local: Task) -> None:
    async with local.spawn() as child:
        before = child.fd_table, child.address_space
        with pytest.raises(FileNotFoundError):
            await child.exec(Command("/missing", ["x"]))
        assert (child.fd_table, child.address_space) == before


async def test_a_signal_that_the_child_chose_to_ignore_is_still_ignored(local: Task) -> None:
    async with local.spawn() as child:
        await child.signals.ignore(SIG.XFSZ)
        with pytest.raises(FileNotFoundError):
            await child.exec(Command("/missing", ["x"]))
        ignored = int(status_field(child.process.near.id, "SigIgn"), 16)
        assert ignored & 1 << SIG.XFSZ - 1


async def test_a_command_is_looked_for_in_several_places(local: Task, tmp_path: Path) -> None:
    missing, closed = str(tmp_path / "missing"), tmp_path / "closed"
    closed.write_text("no program\n")
    there = Command(missing, ["sh", "-c", "exit 9"], elsewhere=[missing, str(closed), "/bin/sh"])
    async with local.launch(there) as process:
        assert (await process.wait()).exit_status == 9
    async with local.spawn() as child:
        process = await child.exec(there)
        assert (await process.wait()).exit_status == 9


async def test_of_several_places_the_one_that_is_there_is_told(local: Task, tmp_path: Path) -> None:
    missing, closed = str(tmp_path / "missing"), tmp_path / "closed"
    closed.write_text("no program\n")
    with nothing_left(local), pytest.raises(PermissionError) as caught:
        async with local.launch(Command(missing, ["x"], elsewhere=[str(closed), missing])):
            pass
    assert caught.value.filename == missing
    with nothing_left(local), pytest.raises(FileNotFoundError):
        async with local.launch(Command(missing, ["x"], elsewhere=[missing, missing])):
            pass
