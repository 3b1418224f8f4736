"""exec of a program by an fd: what is run, and what is refused."""

from __future__ import annotations

from errno import EACCES, ENOENT
from pathlib import Path

import pytest

from rsyscall_ns import (
    F_SEAL,
    MFD,
    Command,
    ExecFDError,
    FDClosedError,
    FDTableMismatchError,
    FileDescriptor,
    O,
    Program,
    Task,
)
from rsyscall_ns.near import ids
from tests.support.census import nothing_left
from tests.support.children import PAUSES, paused
from tests.support.procfs import fd_links

FALSE = "/bin/false"


async def program_of(task: Task, path: str = FALSE, flags: O = O.RDONLY) -> FileDescriptor:
    """Open a program."""
    return await task.fs.open(path, flags)


async def sealed(task: Task, content: bytes) -> FileDescriptor:
    """Return a file in memory that nobody can change any more."""
    fd = await task.fds.memfd_create("program", MFD.ALLOW_SEALING)
    await fd.write(content)
    await fd.add_seals(F_SEAL.SHRINK | F_SEAL.GROW | F_SEAL.WRITE | F_SEAL.SEAL)
    return fd


async def script_of(task: Task, folder: Path) -> FileDescriptor:
    """Return a script that exits with 5."""
    (folder / "script").write_text("#!/bin/sh\nexit 5\n", encoding="ascii")
    (folder / "script").chmod(0o755)
    return await program_of(task, str(folder / "script"))


async def test_a_child_becomes_what_an_fd_is_open_on(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn() as child:
            fd = await program_of(child)
            process = await child.exec(Command(fd, ["false"]))
            assert (await process.wait()).exit_status == 1


@pytest.mark.parametrize("flags", [O.RDONLY, O.PATH])
async def test_a_program_is_launched_by_an_fd(task: Task, flags: O) -> None:
    with nothing_left(task):
        async with await program_of(task, FALSE, flags) as fd:
            async with task.launch(Command(fd, ["false"])) as program:
                assert (await program.wait()).exit_status == 1
            assert fd.valid


async def test_a_sealed_program_in_memory_is_run(task: Task) -> None:
    async with await program_of(task) as file:
        content = bytes(await file.read(1 << 20))
    async with await sealed(task, content) as fd, task.launch(Command(fd, ["false"])) as program:
        assert (await program.wait()).exit_status == 1


async def test_the_program_does_not_have_the_fd(local: Task) -> None:
    async with local.spawn() as child:
        pause = await program_of(child, "/bin/sh")
        process = await paused(await child.exec(Command(pause, list(PAUSES.args))))
        assert set(fd_links(process.near.id)) == {0, 1, 2}


async def test_first_steps_and_streams_go_with_it(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    before = Program()
    before.calls.chdir("/proc")
    async with (
        await program_of(task, "/bin/pwd") as fd,
        task.launch(Command(fd, ["pwd"]), stdout=writer, before=before) as program,
    ):
        await writer.close()
        assert await reader.read() == b"/proc\n"
        assert (await program.wait()).exit_status == 0
    await reader.close()


async def test_a_script_is_run_if_its_fd_is_passed(task: Task, tmp_path: Path) -> None:
    async with (
        await script_of(task, tmp_path) as fd,
        task.launch(Command(fd, ["script"]), pass_fds=[fd]) as program,
    ):
        assert (await program.wait()).exit_status == 5


async def test_a_script_that_its_interpreter_would_not_find_is_refused(
    local: Task, tmp_path: Path
) -> None:
    async with local.spawn() as child:
        fd = await script_of(child, tmp_path)
        with pytest.raises(ExecFDError, match="pass_fds"):
            await child.exec(Command(fd, ["script"]))
        process = await child.exec(Command(fd, ["script"]), pass_fds=[fd])
        assert (await process.wait()).exit_status == 5


async def test_a_script_that_can_not_be_read_is_an_error_that_says_why(
    task: Task, tmp_path: Path
) -> None:
    await (await script_of(task, tmp_path)).close()
    async with await program_of(task, str(tmp_path / "script"), O.PATH) as fd:
        with pytest.raises(FileNotFoundError, match="execveat") as caught:
            async with task.launch(Command(fd, ["script"])):
                pass
        assert caught.value.errno == ENOENT
        assert caught.value.filename == str(fd)
        assert "pass_fds" in caught.value.__notes__[0]


async def test_the_error_names_the_fd_and_the_child_is_as_it_was(
    local: Task, tmp_path: Path
) -> None:
    (tmp_path / "plain").write_bytes(b"garbage")
    async with local.spawn() as child:
        async with await program_of(child, str(tmp_path / "plain")) as fd:
            with pytest.raises(PermissionError, match="execveat") as caught:
                await child.exec(Command(fd, ["x"]), pass_fds=[fd])
            assert caught.value.errno == EACCES
            assert caught.value.filename == str(fd)
            assert await fd.is_cloexec()
        assert await child.proc.gettid() == child.process.near


async def test_fds_that_can_not_be_used_are_refused(local: Task) -> None:
    fd = await program_of(local)
    async with local.spawn() as child:
        with pytest.raises(FDTableMismatchError):
            await child.exec(Command(fd, ["false"]))
    with pytest.raises(ExecFDError, match="elsewhere"):
        local.launch(Command(fd, ["false"], elsewhere=(FALSE,)))
    await fd.close()
    with pytest.raises(FDClosedError):
        local.launch(Command(fd, ["false"]))


async def test_a_program_on_a_stream_that_is_replaced_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        fd = await program_of(child)
        low = await fd.dup2(FileDescriptor(child, ids.FileDescriptor(0)))
        with pytest.raises(ExecFDError, match="duplicate"):
            await child.exec(Command(low, ["false"]), stdin=fd)
        process = await child.exec(Command(low, ["false"]))
        assert (await process.wait()).exit_status == 1
