"""Ctrl-C at each single step of the main task: what a child makes for us is not lost."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from rsyscall_ns import CLONE, NamespaceNotAllowedError, O, Program, Task, open_local_task
from tests.support.census import Census
from tests.support.children import TRUE
from tests.support.steps import Steps


async def run(local: Task) -> None:
    """Run a program to its end, as a child of a child, with id maps."""
    async with local.spawn() as child:
        await child.launch(TRUE, CLONE.NEWUSER).run()


async def start_a_stub(local: Task) -> None:
    async with local.spawn() as child, child.spawn(stub=True) as stub:
        await stub.cred.getuid()


async def spawn(local: Task) -> None:
    async with local.spawn() as child, child.spawn(CLONE.NEWUSER) as other:
        await other.cred.getuid()


async def pass_fds(local: Task) -> None:
    """Pass an fd, and then another one, whatever has become of the first."""
    async with (
        local.spawn() as child,
        await local.fs.open("/dev/null") as null,
        await local.fs.open("/dev/zero") as zero,
    ):
        try:
            await null.pass_to(child)
        except KeyboardInterrupt:
            assert await (await zero.pass_to(child)).read(1) == b"\0"
            raise


async def make_a_directory(local: Task) -> None:
    """Make one for the time of a block, by a child and by ourselves."""
    folder = Path.cwd()
    async with local.spawn() as child, child.fs.mkdtemp(directory=folder) as made:
        await child.fs.write_bytes("file", b"", dir_fd=made.fd)
        async with local.fs.mkdtemp(directory=folder):
            pass


async def run_in_vain(local: Task) -> None:
    """Have a program open two files, and fail."""
    program = Program()
    for name in (b"/dev/null", b"/dev/zero", b"/no/such/file"):
        program.calls.open(program.room(name), O.RDONLY, 0)
    with suppress(FileNotFoundError):
        await local.run(program)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("way", [run, start_a_stub, spawn, pass_fds, make_a_directory, run_in_vain])
def test_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: Callable[[Task], Awaitable[None]]
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = Steps(monkeypatch)

    async def main() -> None:
        async with open_local_task() as local:
            await way(local)

    try:
        trio.run(main)  # what is made once is there
    except NamespaceNotAllowedError as error:
        pytest.skip(str(error))
    before = Census.take()
    for at in steps.moments(least=2):
        steps.arm(at, press)
        with suppress(KeyboardInterrupt):
            trio.run(main)
        steps.disarm()
        before.assert_same(Census.take())
        assert list(tmp_path.iterdir()) == []
