"""Hooks: what may come between the steps of a container, and when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsyscall_ns import (
    PIPE,
    SYS,
    ChildTask,
    CommandNotFoundError,
    Container,
    MountError,
    TmpfsMount,
)
from tests.support.census import nothing_left
from tests.support.roots import ROOT


class Telling(Container):
    """Writes down which hook ran, and what the child saw then."""

    seen: list[str]

    async def _tell(self, name: str, task: ChildTask) -> None:
        root = sorted(await task.fs.listdir("/"))
        files = "host" if "etc" in root else "root"
        session = await task.sysif.call(SYS.getsid, 0)
        self.seen.append(f"{name} uid={await task.cred.getuid()} {files} {session > 0}")

    async def preup(self, task: ChildTask) -> None:
        self.seen = []
        await self._tell("preup", task)

    async def postup(self, task: ChildTask) -> None:
        await self._tell("postup", task)

    async def exceptup(self, task: ChildTask, error: BaseException) -> None:
        await self._tell(f"exceptup {type(error).__name__}", task)

    async def preexec(self, task: ChildTask) -> None:
        await self._tell("preexec", task)

    async def exceptexec(self, error: BaseException) -> None:
        self.seen.append(f"exceptexec {type(error).__name__}")

    async def postexec(self) -> None:
        self.seen.append("postexec")


def names(c: Telling) -> list[str]:
    return [line.rsplit(" uid=", 1)[0] for line in c.seen]


async def test_they_come_in_their_order() -> None:
    c = Telling(["true"], user=True, mnt=True, map_zero=True, mounts=ROOT)
    with nothing_left():
        assert (await c.run()).exitcode == 0

    assert names(c) == ["preup", "postup", "preexec", "postexec"]
    assert [line.split()[1:3] for line in c.seen[:3]] == [
        ["uid=0", "host"],
        ["uid=0", "root"],
        ["uid=0", "root"],
    ]


async def test_a_mount_that_fails_is_told_before_postup() -> None:
    c = Telling(["true"], user=True, mnt=True, mounts=[TmpfsMount("/no/such/place")])
    with nothing_left(), pytest.raises(MountError):
        await c.run()

    assert names(c) == ["preup", "exceptup MountError", "postup"]


async def test_a_command_that_can_not_be_started_is_told() -> None:
    c = Telling(["no-such-command"], user=True)
    with nothing_left(), pytest.raises(CommandNotFoundError):
        await c.run()

    assert names(c) == ["preup", "postup", "preexec", "exceptexec FileNotFoundError", "postexec"]


class Writing(Container):
    """Makes any system call in the child before the command."""

    async def preexec(self, task: ChildTask) -> None:
        await task.fs.write_bytes("/made", b"by a hook\n")


async def test_what_a_hook_does_in_the_child_is_there_for_the_command() -> None:
    c = Writing(["cat", "/made"], user=True, mnt=True, mounts=ROOT, stdout=PIPE)

    assert (await c.run()).stdout == b"by a hook\n"
    assert "made" not in os.listdir("/")  # noqa: PTH208 - of the host


class Failing(Container):
    """Has a hook that raises."""

    async def preup(self, task: ChildTask) -> None:
        raise LookupError(repr(task))


async def test_a_hook_that_raises_ends_the_start(tmp_path: Path) -> None:
    c = Failing(["touch", str(tmp_path / "file")], user=True)
    with nothing_left(), pytest.raises(LookupError):
        await c.run()
    assert not (tmp_path / "file").exists()


async def test_streams_and_fds_are_the_same_with_hooks() -> None:
    command = ["sh", "-c", "cat; ls /proc/self/fd; echo e >&2"]
    c = Writing(command, user=True, mnt=True, mounts=ROOT, proc="/proc", pid=True)
    del c
    given = Telling(command, user=True, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    done = await given.run(b"in\n")

    assert done.stdout == b"in\n0\n1\n2\n3\n"
    assert done.stderr == b"e\n"


async def test_only_postexec_needs_no_steps() -> None:
    ended: list[str] = []

    class After(Container):
        async def postexec(self) -> None:
            ended.append("ended")

    async with After(["true"], user=True) as c:
        await c.wait()
        assert ended == ["ended"]
    assert ended == ["ended"]
