"""The standard streams of a container: each thing that can be given for one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from rsyscall_ns import (
    DEVNULL,
    PIPE,
    STDOUT,
    Container,
    FDClosedError,
    FileDescriptor,
    Task,
)
from tests.support.census import nothing_left

SCRIPT = ["sh", "-c", "cat; echo out; echo err >&2"]


def test_the_constants_are_those_of_subprocess() -> None:
    assert (PIPE, STDOUT, DEVNULL) == (subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL)


async def test_paths(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("in\n")
    (tmp_path / "out").write_text("what was there before is gone\n")
    with nothing_left():
        await Container(
            SCRIPT,
            stdin=tmp_path / "in",
            stdout=str(tmp_path / "out"),
            stderr=os.fsencode(tmp_path / "err"),
        ).run()

    assert (tmp_path / "out").read_text() == "in\nout\n"
    assert (tmp_path / "err").read_text() == "err\n"


@pytest.mark.parametrize("hooks", [False, True])
async def test_numbers_files_and_handles(tmp_path: Path, local: Task, *, hooks: bool) -> None:
    class Hooked(Container):
        async def preexec(self, task: Task) -> None:
            await task.cred.getuid()

    kind = Hooked if hooks else Container
    with tempfile.TemporaryFile() as file:
        number = os.open(tmp_path / "out", os.O_RDWR | os.O_CREAT)
        async with await local.fs.open("/dev/null") as null:
            with nothing_left():
                done = await kind(SCRIPT, stdin=null, stdout=number, stderr=file).run()
            assert null.valid
        os.close(number)
        file.seek(0)
        assert (done.exitcode, file.read()) == (0, b"err\n")
    assert (tmp_path / "out").read_text() == "out\n"


async def test_the_handle_of_a_child_is_brought_over(local: Task) -> None:
    reading, writing = await local.fs.pipe2()
    async with local.spawn() as child:
        theirs = await writing.pass_to(child)
        await writing.close()
        await Container(["echo", "hello"], user=True, stdout=theirs).run()
        await theirs.close()
        assert await reading.read() == b"hello\n"
        assert await reading.read() == b""


async def test_stderr_goes_where_stdout_goes() -> None:
    done = await Container(["sh", "-c", "echo a; echo b >&2"], stdout=PIPE, stderr=STDOUT).run()

    assert done.stdout == b"a\nb\n"


async def test_standard_streams_of_ours_in_any_order() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"data")
    os.close(writing)
    done = await Container(["cat", "/dev/stdin"], stdin=reading, stdout=PIPE, stderr=1).run()
    os.close(reading)
    assert done.stdout == b"data"


async def test_devnull_is_empty_and_takes_everything() -> None:
    done = await Container(SCRIPT, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE).run()

    assert (done.stdout, done.stderr) == (None, b"err\n")


async def test_a_lot_goes_both_ways_at_once() -> None:
    data = os.urandom(1 << 20)
    done = await Container(["cat"], user=True, pid=True, stdin=PIPE, stdout=PIPE).run(data)

    assert done.stdout == data


async def test_input_that_nobody_reads_is_no_error() -> None:
    done = await Container(["true"], stdin=PIPE).run(bytes(1 << 20))

    assert done.exitcode == 0


async def test_pipes_can_be_read_after_the_end() -> None:
    async with Container(["echo", "late"], stdout=PIPE) as c:
        await c.wait()
        assert c.stdout is not None
        assert await c.stdout.receive_some() == b"late\n"


async def test_what_can_not_be_opened_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with nothing_left(), pytest.raises(FileNotFoundError) as caught:
        await Container(["true"], stdout=PIPE, stdin=missing).run()
    assert caught.value.filename == missing
    with nothing_left(), pytest.raises(OSError, match="Bad file descriptor"):
        await Container(["true"], stdin=PIPE, stdout=99999).run()


async def test_a_closed_handle_is_refused(local: Task) -> None:
    fd: FileDescriptor = await local.fs.open("/dev/null")
    await fd.close()
    with pytest.raises(FDClosedError):
        await Container(["true"], stdin=fd).run()


async def test_a_fifo_that_nobody_writes_does_not_hold_the_loop(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    done = await Container(["cat"], stdin=tmp_path / "fifo", stdout=PIPE).run()

    assert done.stdout == b""
