"""Who writes id maps: the child, where they are of our own ids alone; else we do, from outside."""

from __future__ import annotations

import os
from typing import Any

import pytest
import trio

from rsyscall_ns import AT_FDCWD, CLONE, Task, TaskLostError
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.tasks import spawn, steps
from rsyscall_ns.tasks.idwrite import write_maps
from rsyscall_ns.tasks.readiness import ChildReadiness
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT, TRUE, shell, thread_of
from tests.support.procfs import content, fd_links

NAMESPACES = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS
OWN: list[dict[str, Any]] = [
    {},
    {"uid_map": True, "gid_map": True},
    {"uid_map": f"7 {os.getuid()} 1", "gid_map": f"8 {os.getgid()} 1"},
]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what is appended to whenever maps are written from outside."""
    written: list[object] = []

    async def write(*args: Any) -> None:  # noqa: ANN401 - handed on as it is
        written.append(args)
        await write_maps(*args)

    monkeypatch.setattr(spawn, "write_maps", write)
    return written


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernel refuse what a child writes itself, as a security module may."""

    def append(program: Program, *_: object) -> None:
        program.call(SYS.openat, AT_FDCWD, program.room(b"/proc/self/no_such_file"), 0, 0)

    monkeypatch.setattr(steps, "append_maps", append)


def maps(pid: int) -> tuple[list[str], list[str], str]:
    """Return the maps of a process, and whether it may set groups."""
    uids, gids = content(pid, "uid_map").split(), content(pid, "gid_map").split()
    return uids, gids, content(pid, "setgroups").strip()


def wanted(**given: Any) -> tuple[list[str], list[str], str]:  # noqa: ANN401 - as spawn takes them
    """Return the maps that these arguments mean."""

    def words(given: Any, own: int) -> list[str]:  # noqa: ANN401 - as spawn takes them
        if isinstance(given, str):
            return given.split()
        return ["0" if given is True else str(own), str(own), "1"]

    uids = words(given.get("uid_map"), os.getuid())
    return uids, words(given.get("gid_map"), os.getgid()), "deny"


@pytest.mark.parametrize("given", OWN)
@pytest.mark.parametrize("nested", [False, True], ids=["here", "in a child"])
async def test_own_ids_are_mapped_by_the_child(
    local: Task, child: Task, outside: list[object], given: dict[str, Any], *, nested: bool
) -> None:
    parent = child if nested else local
    with nothing_left(local):
        async with parent.spawn(NAMESPACES, **given) as made:
            assert maps(pid_of(made)) == wanted(**given)
        async with parent.launch(TRUE, NAMESPACES, **given) as process:
            await process.check()
    assert not outside


def pid_of(task: Task) -> int:
    """Return the id by which the interpreter knows a task's process."""
    readiness = thread_of(task).readiness
    assert isinstance(readiness, ChildReadiness)
    (line,) = [
        line
        for line in content("self", f"fdinfo/{readiness.poll_fd}").splitlines()
        if line.startswith("Pid:")
    ]
    return int(line.split()[1])


@pytest.mark.parametrize("nested", [False, True], ids=["here", "in a child"])
async def test_where_that_is_refused_they_are_written_from_outside(
    local: Task, child: Task, outside: list[object], *, nested: bool, refusing: None
) -> None:
    del refusing
    parent = child if nested else local
    with nothing_left(local):
        async with parent.spawn(NAMESPACES) as made:
            assert maps(pid_of(made)) == wanted()
        async with parent.launch(shell("exit 3"), NAMESPACES) as process:
            assert (await process.wait()).exit_status == 3
    assert len(outside) == 2


async def test_in_a_common_fd_table_they_are_written_from_outside(
    local: Task, outside: list[object]
) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.NEWUSER | CLONE.FILES) as made:
            assert maps(pid_of(made)) == wanted()
    assert len(outside) == 1


@pytest.mark.skipif(not IS_ROOT, reason="only root may map other ids")
async def test_other_ids_are_mapped_from_outside(local: Task, outside: list[object]) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map="0 1000 10", gid_map="0 1000 10") as made:
        assert maps(pid_of(made))[0] == ["0", "1000", "10"]
    assert len(outside) == 1


async def test_what_it_inherits_besides_is_there(local: Task, outside: list[object]) -> None:
    async with await local.fs.open("/dev/null") as null:
        async with local.spawn(NAMESPACES, inherit=[null]) as made:
            fds = await made.fs.listdir("/proc/thread-self/fd")
            assert str(null.near.number) in fds
        async with local.launch(shell("test -e /dev/stdin"), NAMESPACES, stdin=null) as process:
            await process.check()
    assert not outside


async def test_the_child_keeps_no_fd_of_proc(local: Task) -> None:
    async with local.spawn(NAMESPACES) as made, local.spawn() as plain:
        assert len(await made.fs.listdir("/proc/thread-self/fd")) == len(
            await plain.fs.listdir("/proc/thread-self/fd")
        )


async def test_one_that_dies_of_it_is_lost_and_not_tried_again(
    local: Task, outside: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(program: Program, *_: object) -> None:
        program.call(SYS.exit_group, 9)

    monkeypatch.setattr(steps, "append_maps", append)
    with nothing_left(local):
        with pytest.raises(TaskLostError):
            async with local.spawn(NAMESPACES):
                pass
        async with local.launch(TRUE, NAMESPACES) as process:
            assert (await process.wait()).exit_status == 9
    assert not outside


async def test_many_at_once_keep_one_fd_of_proc(local: Task) -> None:
    with nothing_left(local):
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(run_in_namespaces, local)
        assert [name for name in fd_links("self").values() if name == "/proc"] == ["/proc"]


async def run_in_namespaces(local: Task) -> None:
    """Run one program."""
    async with local.launch(TRUE, NAMESPACES) as process:
        await process.check()
