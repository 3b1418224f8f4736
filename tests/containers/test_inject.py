"""Inject: a command in namespaces of others, all of them that were asked for."""

from __future__ import annotations

import os
from typing import Final

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    SIG,
    Inject,
    NamespaceNotAllowedError,
    Task,
)
from tests.support.census import nothing_left
from tests.support.procfs import link

KINDS: Final = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
SCRIPT: Final = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in KINDS)


def pid_of(task: Task) -> int:
    return task.process.near.id


async def test_a_command_runs_in_all_that_were_asked_for(local: Task, box: Task) -> None:
    with nothing_left(local):
        done = await Inject(pid_of(box), ["sh", "-c", SCRIPT], all=True, task=local).run()

    there = [link(pid_of(box), f"ns/{kind}") for kind in KINDS]
    assert done.check().stdout.decode().split() == there


async def test_what_is_false_is_taken_out_of_all(local: Task, box: Task) -> None:
    command = ["sh", "-c", SCRIPT]
    done = await Inject(pid_of(box), command, all=True, net=False, pid=False, task=local).run()

    found = dict(zip(KINDS, done.check().stdout.decode().split(), strict=True))
    ours = {kind: link("self", f"ns/{kind}") for kind in KINDS}
    assert found["net"] == ours["net"]
    assert found["pid"] == ours["pid"]
    assert found["uts"] != ours["uts"]


async def test_a_kind_can_be_a_path(box: Task) -> None:
    path = f"/proc/{pid_of(box)}/ns/uts"
    done = await Inject(os.getpid(), ["hostname"], uts=path, user=f"{path[:-3]}user").run()

    assert done.check().stdout == b"box\n"


async def test_streams_and_statuses_are_told(local: Task, box: Task) -> None:
    inject = Inject(
        pid_of(box), ["sh", "-c", "cat; echo no >&2; exit 9"], user=True, net=True, task=local
    )
    done = await inject.run(stdin=b"in")
    assert (done.stdout, done.stderr, done.status) == (b"in", b"no\n", 9)

    inject = Inject(pid_of(box), ["sh", "-c", "kill -KILL $$"], all=True, task=local)
    assert (await inject.run()).status == 128 + SIG.KILL


async def test_much_goes_through_at_once(local: Task, box: Task) -> None:
    content = os.urandom(1 << 20)
    done = await Inject(pid_of(box), ["cat"], user=True, uts=True, task=local).run(stdin=content)
    assert done.stdout == content


async def test_who_does_not_read_all_that_it_is_given_is_no_error(local: Task, box: Task) -> None:
    inject = Inject(pid_of(box), ["true"], user=True, uts=True, task=local)
    with nothing_left(local):
        assert (await inject.run(stdin=bytes(1 << 20))).check().stdout == b""


async def test_many_at_once(local: Task, box: Task) -> None:
    done: list[bytes] = []

    async def one(number: int) -> None:
        command = ["sh", "-c", f"hostname; echo {number}"]
        done.append((await Inject(pid_of(box), command, all=True, task=local).run()).stdout)

    with nothing_left(local):
        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(one, number)

    assert set(done) == {f"box\n{number}\n".encode() for number in range(6)}


async def test_nothing_runs_when_one_of_them_cant_be_joined(local: Task, box: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as stranger:
        path = f"/proc/{pid_of(box)}/ns/uts"
        fd = await local.fs.open(path)
        theirs = await fd.pass_to(stranger)
        mine = f"/proc/thread-self/fd/{theirs.near.number}"
        # it is never made
        inject = Inject(os.getpid(), ["touch", "/tmp/never"], uts=mine, task=stranger)  # noqa: S108
        with nothing_left(local), pytest.raises(NamespaceNotAllowedError):
            await inject.run()
        await fd.close()
    # it is never made
    assert not await local.fs.exists("/tmp/never")  # noqa: S108


async def test_a_file_of_another_kind_is_refused(local: Task, box: Task) -> None:
    with nothing_left(local), pytest.raises(TypeError, match="uts"):
        await Inject(os.getpid(), ["true"], net=f"/proc/{pid_of(box)}/ns/uts", task=local).run()


def test_no_namespace_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="all=True"):
        Inject(os.getpid(), ["true"])
    with pytest.raises(TypeError, match="all=True"):
        Inject(os.getpid(), ["true"], net=False)
    assert "net" in repr(Inject(os.getpid(), ["true"], net=True))
