"""Ctrl-C behaves as in any trio program, and leaves nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, final

import pytest
import trio

from rsyscall_ns import SIG, SYS, Task, TaskLostError
from tests.meta.tree import ROOT
from tests.support.blocking import until_blocked
from tests.support.children import is_alive, thread_of
from tests.support.interrupted import WAYS
from tests.support.procview import descendants

COMMAND: Final = [sys.executable, "-W", "error", "-m", "tests.support.interrupted"]
ROUNDS: Final = 60
SPINS: Final = 40_000  # some milliseconds
LATE: Final = {"TaskLostError", "UncleanExitError"}  # of children that the signal has killed
INTERRUPT: Final = signal.SIGINT
Send = Callable[[int], None]


def to_the_process(pid: int) -> None:
    os.kill(pid, INTERRUPT)


def to_the_group(pid: int) -> None:
    """Do what a terminal does."""
    os.killpg(pid, INTERRUPT)


SENDS: Final = [to_the_process, to_the_group]


@final
class Program:
    """A program that tells us line by line what it does."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._read = b""

    async def line(self) -> Any:  # noqa: ANN401 - whatever it tells
        assert self.process.stdout is not None
        while b"\n" not in self._read:
            part = await self.process.stdout.receive_some()
            assert part, "it has ended"
            self._read += part
        line, self._read = self._read.split(b"\n", 1)
        return json.loads(line)


@asynccontextmanager
async def program(*args: str) -> AsyncGenerator[Program, None]:
    """Start one that leads a session and so a process group of its own."""
    process = await trio.lowlevel.open_process(
        [*COMMAND, *args],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Program(process)
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()
            assert process.stdout is not None
            await process.stdout.aclose()


@contextmanager
def pidfds(pids: set[int]) -> Generator[dict[int, int], None, None]:
    """Refer to processes so that none can be mistaken for a later one."""
    opened = {pid: os.pidfd_open(pid) for pid in pids}
    try:
        yield opened
    finally:
        for number in opened.values():
            os.close(number)


async def interrupted(name: str, send: Send) -> tuple[int, list[str]]:
    """Interrupt a program; returns its status, and the errors that came out of ``trio.run``."""
    async with program("until-interrupted", name) as running:
        assert await running.line() == "ready"
        pid = running.process.pid
        with pidfds(descendants(pid)) as made:
            send(pid)
            told = await running.line()
            assert told["left"] == []
            status = await running.process.wait()
            for number in made.values():
                await trio.lowlevel.wait_readable(number)  # dead
            assert not any(is_alive(one) for one in made)
        return status, told["errors"]


@pytest.mark.parametrize("send", SENDS)
async def test_a_program_that_waits_for_one_child_ends_as_any_does(send: Send) -> None:
    status, errors = await interrupted("alone", send)

    assert errors == ["KeyboardInterrupt"]
    assert status == -INTERRUPT
    assert (status, errors) == await interrupted("plain_alone", send)


async def test_a_program_with_several_children_ends_as_any_does() -> None:
    status, errors = await interrupted("several", to_the_process)

    assert errors == ["KeyboardInterrupt"]
    assert (status, errors) == await interrupted("plain_several", to_the_process)


async def test_several_children_that_get_the_signal_too_hide_nothing() -> None:
    status, errors = await interrupted("several", to_the_group)
    plain, _ = await interrupted("plain_several", to_the_group)

    assert errors.count("KeyboardInterrupt") == 1
    assert set(errors) - LATE == {"KeyboardInterrupt"}
    # 1 is that of a group of errors; there is none when trio comes to the key only after them
    assert {status, plain} <= {1, -INTERRUPT}


async def test_a_child_that_gets_the_signal_dies_and_its_call_says_so(local: Task) -> None:
    lost = trio.Event()

    async def read(child: Task) -> None:
        reader, _ = await child.fs.pipe2()
        with pytest.raises(TaskLostError):
            await reader.read(1)
        lost.set()

    async with local.spawn() as child, trio.open_nursery() as nursery:
        nursery.start_soon(read, child)
        await until_blocked(child, SYS.read)
        os.kill(child.process.near.id, INTERRUPT)
        await lost.wait()
        state = await thread_of(child).wait()
        assert state.killed_with() == SIG.INT


async def test_a_child_can_ignore_the_signal(local: Task) -> None:
    async with local.spawn() as child:
        await child.signals.ignore(SIG.INT)
        os.kill(child.process.near.id, INTERRUPT)

        assert await child.cred.getuid() == os.getuid()


async def skip_unless_allowed(running: Program) -> None:
    refused = await running.line()
    if refused:
        pytest.skip(f"namespaces are not allowed here: {refused}")


@pytest.mark.parametrize("send", SENDS)
@pytest.mark.parametrize("way", ["spawn", "spawn_in_namespaces", "launch"])
async def test_a_program_that_makes_children_is_interrupted_at_any_moment(
    way: str, send: Send
) -> None:
    chance = random.Random(20261124)  # noqa: S311 - no secret
    async with program("at-any-moment", way, str(ROUNDS)) as running:
        await skip_unless_allowed(running)
        for _ in range(ROUNDS):
            after = chance.randrange(4)
            while await running.line() != after:
                pass
            for _ in range(chance.randrange(SPINS)):
                pass
            send(running.process.pid)
            told: object = 0
            while isinstance(told, int):
                told = await running.line()
            assert told == {"wrong": ""}
        assert await running.process.wait() == 0


@pytest.mark.parametrize("way", [way for way in WAYS if way != "spawn"])  # one is nested
async def test_a_child_is_interrupted_at_each_moment(way: str) -> None:
    async with program("at-each-moment", way) as running:
        await skip_unless_allowed(running)
        told = await running.line()
        assert told["wrong"] == {}
        assert told["places"] > 100
        assert await running.process.wait() == 0
