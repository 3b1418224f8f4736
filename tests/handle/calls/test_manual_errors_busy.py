"""Errors of what is busy: programs that run, sockets that wait, memory that is gone."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from rsyscall_ns import (
    AF,
    SHUT,
    SOCK,
    Command,
    O,
    SockaddrIn,
    SockaddrUn,
    Task,
)
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

NOWHERE = SockaddrIn("127.0.0.1", 0)


@final
@frozen
class Busy(Scene):
    """A folder with a program in it."""

    @property
    def program(self) -> Path:
        return self.folder / "program"

    @property
    def name(self) -> SockaddrUn:
        return SockaddrUn(bytes(self.folder / "name"))

    @asynccontextmanager
    async def runs(self) -> AsyncGenerator[None, None]:
        """Have the program run."""
        async with self.task.launch(Command(self.program, ["program", "1000000"])):
            yield


async def connected(p: Busy, address: SockaddrUn | SockaddrIn, times: int = 1) -> None:
    """Connect, without waiting, to a socket that has no room."""
    net = p.task.net
    domain = AF.UNIX if isinstance(address, SockaddrUn) else AF.INET
    async with (
        await net.socket(domain, SOCK.STREAM) as server,
        await net.socket(domain, SOCK.STREAM) as first,
        p.task.spawn() as child,
        await child.net.socket(domain, SOCK.STREAM | SOCK.NONBLOCK) as second,
    ):
        await server.bind(address)
        await server.listen(0)
        name = await server.getsockname()
        assert name is not None
        await first.connect(name)
        for _ in range(times - 1):
            with pytest.raises(BlockingIOError):
                await second.connect(name)
        await second.connect(name)


async def unix_connected(p: Busy) -> None:
    """Connect, without waiting, to a socket of a path that has no room."""
    try:
        await connected(p, p.name)
    finally:
        (p.folder / "name").unlink()


async def accepted(p: Busy) -> None:
    """Accept, without waiting, where nobody has connected."""
    async with (
        p.task.spawn() as child,
        await child.net.socket(AF.INET, SOCK.STREAM | SOCK.NONBLOCK) as server,
    ):
        await server.listen()
        await server.accept()


async def written(p: Busy) -> None:
    """Open a program that runs to be written."""
    async with p.runs():
        await p.task.fs.open(p.program, O.WRONLY)


async def cut(p: Busy) -> None:
    """Cut off a program that runs."""
    async with p.runs():
        await p.task.fs.truncate(p.program, 0)


async def executed(p: Busy) -> None:
    """Run a program that is open to be written."""
    async with await p.task.fs.open(p.program, O.WRONLY), p.runs():
        pass


async def shut(p: Busy) -> None:
    """Shut down a datagram socket that is not connected."""
    async with await p.task.net.socket(AF.INET, SOCK.DGRAM) as socket:
        await socket.shutdown(SHUT.RD)


PROVOKED: Provoked[Busy] = {
    "open": [("ETXTBSY", written)],
    "truncate": [("ETXTBSY", cut)],
    "execve": [("ETXTBSY", executed)],
    "connect": [
        ("EAGAIN", unix_connected),
        ("EINPROGRESS", lambda p: connected(p, NOWHERE)),
        ("EALREADY", lambda p: connected(p, NOWHERE, 2)),
    ],
    "accept": [("EAGAIN", accepted)],
    "shutdown": [("ENOTCONN", shut)],
}


@pytest.fixture
def busy(task: Task, tmp_path: Path) -> Busy:
    made = Busy(task, tmp_path)
    shutil.copy("/bin/sleep", made.program)
    return made


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(busy: Busy, case: Case[Busy]) -> None:
    await provoke(busy.task, case, busy)
