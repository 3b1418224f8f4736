"""Leaked fds and working directories (2024-21626): what is inside equals the allow-list."""

from __future__ import annotations

import os

import pytest

from rsyscall_ns import CLONE, Command, FileDescriptor, O, Task
from tests.support.children import FOREVER, PAUSES, paused, thread_of
from tests.support.procfs import fd_links, fd_numbers, link, working_directory

NAMESPACES = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS
FLAGS = [CLONE(0), NAMESPACES, CLONE.FILES]


def streams() -> set[int]:
    return {0, 1, 2} & fd_numbers("self")


async def listing(local: Task, child: Task, *passed: FileDescriptor) -> set[int]:
    """Exec a program in the child; returns its fds once it is past its loader."""
    wait, go = await local.fs.pipe2()
    read, write = await local.fs.pipe2()
    stdin, stdout = await wait.pass_to(child), await write.pass_to(child)
    command = Command("/bin/sh", ["sh", "-c", "echo; read line"])
    process = await child.exec(command, stdin=stdin, stdout=stdout, pass_fds=passed)
    assert await read.read(1) == b"\n"
    found = fd_numbers(process.near.id)
    for fd in (wait, go, read, write):
        await fd.close()
    return found


async def opened(task: Task, count: int = 8) -> list[FileDescriptor]:
    """Open some files, of which nothing must be seen anywhere."""
    return [await task.fs.open("/") for _ in range(count)]


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_program_has_its_streams_and_what_was_passed(local: Task, flags: CLONE) -> None:
    ours = await opened(local)
    os.set_inheritable(ours[0].near.number, True)
    careless = os.dup2(ours[0].near.number, ours[-1].near.number + 20)
    async with local.spawn(flags) as child:
        passed = await child.fs.open("/dev/null")
        number = passed.near.number
        assert await listing(local, child, passed) == {0, 1, 2, number}
    os.close(careless)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_program_of_a_grandchild_too(local: Task, flags: CLONE) -> None:
    await opened(local)
    async with local.spawn(CLONE.NEWUSER) as child:
        await opened(child)
        async with child.spawn(flags) as grandchild:
            assert await listing(local, grandchild) == {0, 1, 2}


async def inside(local: Task) -> set[int]:
    """Have a program list its own fds, without the one that it lists with."""
    read, write = await local.fs.pipe2()
    async with local.spawn(NAMESPACES) as child:
        out = await write.pass_to(child)
        await write.close()
        command = Command("/bin/sh", ["sh", "-c", "ls /proc/$$/fd"])
        await child.mount.mount("proc", "/proc", "proc")
        process = await child.exec(command, stdout=out)
        parts: list[bytes] = []
        while part := await read.read():
            assert isinstance(part, bytes)
            parts.append(part)
        assert (await process.wait()).clean()
    await read.close()
    return {int(word) for word in b"".join(parts).split()}


async def test_a_program_in_a_namespace_sees_its_streams_only(local: Task) -> None:
    await opened(local)

    assert await inside(local) == {0, 1, 2}


async def test_a_serving_child_has_no_fd_of_ours_but_what_it_inherits(local: Task) -> None:
    ours = await opened(local)
    async with local.spawn(NAMESPACES, inherit=[ours[3]]) as child:
        found = fd_numbers(child.process.near.id) - streams()
        assert ours[3].near.number in found
        others = found - {ours[3].near.number}
        links = [fd_links(child.process.near.id)[number] for number in others]
        assert len(links) == 1
        assert links[0].startswith("socket:")  # its end of the doorbell, close-on-exec


async def test_all_that_a_task_opens_is_close_on_exec(local: Task) -> None:
    async with local.spawn() as child:
        for task in (local, child):
            made: list[FileDescriptor] = [await task.fs.open("/"), *(await task.fs.pipe2())]
            made += await task.net.socketpair()
            made += [await task.ns.open("uts"), await made[0].dup(), await made[0].pass_to(local)]
            for fd in made:
                assert await fd.is_cloexec()


async def test_none_of_our_own_fds_is_inheritable(local: Task) -> None:
    before = {number for number in fd_numbers("self") if number > 2 and inheritable(number)}
    async with local.spawn() as child:
        await thread_of(child).kill(0)
        now = {number for number in fd_numbers("self") if number > 2 and inheritable(number)}
    assert now == before


def inheritable(number: int) -> bool:
    try:
        return os.get_inheritable(number)
    except OSError:
        return False  # the fd of the listing


async def test_the_working_directory_inside_is_reachable(local: Task) -> None:
    async with local.spawn(NAMESPACES) as child:
        assert not (await child.fs.getcwd()).startswith("(unreachable)")
        process = await child.exec(FOREVER)
        assert link(process.near.id, "cwd") == working_directory()


async def test_a_working_directory_that_was_an_fd_is_none_after_exec(local: Task) -> None:
    async with local.spawn() as child:
        directory = await child.fs.open("/usr", O.PATH | O.DIRECTORY)
        await child.fs.chdir(directory)
        process = await paused(await child.exec(PAUSES))
        assert fd_numbers(process.near.id) == streams()
        assert link(process.near.id, "cwd") == "/usr"
