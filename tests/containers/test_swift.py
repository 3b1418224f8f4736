"""Commands that a stub starts in namespaces of others without being asked anything in between."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from rsyscall_ns import CLONE, CommandNotFoundError, Inject, NamespaceSet, Task, TaskLostError
from rsyscall_ns.containers import inject, swift
from rsyscall_ns.tasks import relay
from rsyscall_ns.transport.doorbell import message
from tests.support.census import nothing_left

FLAGS = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC
MANY = 5
ran: list[object] = []


@pytest.fixture(autouse=True)
def swiftly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take note of what came of the short way."""
    ran.clear()
    way = swift.run_swiftly

    async def noted(*args: object) -> object:
        result = await way(*args)  # type: ignore[arg-type] # whatever it was given
        ran.append(result)
        return result

    monkeypatch.setattr(inject, "run_swiftly", noted)


async def test_a_command_goes_the_short_way(local: Task) -> None:
    async with local.spawn(FLAGS) as box:
        await box.ns.sethostname("there")
        done = await Inject(box.process.near.id, ["uname", "-n"], all=True, task=local).run()
    assert (done.status, done.stdout) == (0, b"there\n")
    assert ran == [done]


async def test_it_reads_and_writes_what_it_is_given(local: Task) -> None:
    script = "cat; echo wrong >&2; exit 3"
    async with local.spawn(FLAGS) as box:
        command = ["/bin/sh", "-c", script]
        done = await Inject(box.process.near.id, command, all=True, task=local).run(stdin=b"in")
    assert (done.status, done.stdout, done.stderr) == (3, b"in", b"wrong\n")
    assert ran == [done]


async def test_it_has_no_other_fds(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as box:
        command = ["/bin/sh", "-c", "echo /proc/$$/fd/*"]
        done = await Inject(box.process.near.id, command, all=True, task=local).run()
    numbers = {Path(os.fsdecode(path)).name for path in done.stdout.split()}
    assert numbers == {"0", "1", "2", "3"}  # the last one is that of the listing
    assert ran == [done]


async def test_it_is_a_child_of_this_interpreter(local: Task) -> None:
    script = "while read name value; do test $name != PPid: || echo $value; done < /proc/$$/status"
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as box:
        command = ["/bin/sh", "-c", script]
        done = await Inject(box.process.near.id, command, all=True, task=local).run()
    assert int(done.stdout) == os.getpid()
    assert ran == [done]


async def test_several_at_once(local: Task) -> None:
    async with local.spawn(FLAGS) as box:
        every = [
            Inject(box.process.near.id, ["echo", str(number)], all=True, task=local)
            for number in range(MANY)
        ]
        await every[0].run()
        found: list[bytes] = []

        async def one(command: Inject) -> None:
            found.append((await command.run()).stdout)

        with nothing_left(local):
            async with trio.open_nursery() as nursery:
                for command in every:
                    nursery.start_soon(one, command)
    assert sorted(found) == [f"{number}\n".encode() for number in range(MANY)]
    assert None not in ran


async def test_what_can_not_be_found_is_told_by_the_long_way(local: Task) -> None:
    async with local.spawn(FLAGS) as box:
        command = Inject(box.process.near.id, ["no-such-program"], all=True, task=local)
        for _ in range(2):
            with pytest.raises(CommandNotFoundError):
                await command.run()
        with nothing_left(local), pytest.raises(CommandNotFoundError):
            await command.run()
    assert ran == [None] * 3


def telling_nobody(base: int, _: int) -> bytes:
    return message(base, -1)


async def test_a_program_that_nobody_told_of_is_ended_and_not_run_again(
    local: Task, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as box:
        command = ["/bin/sh", "-c", f"echo x >> {file}; read forever"]
        async with NamespaceSet(box.process.near.id, task=local) as found:
            await found.run(["/bin/true"])
            # a stub that is killed at this moment tells nobody of the program's process
            monkeypatch.setattr(relay, "message", telling_nobody)
            with nothing_left(local), pytest.raises(TaskLostError):
                await found.run(command)
    # it may be ended before it has opened the file, and before it has written
    assert (file.read_text() if file.exists() else "") in {"", "x\n"}
