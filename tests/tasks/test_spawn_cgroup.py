"""A child starts in the cgroup that it was made for, and never is in another."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from errno import EBADF, EOPNOTSUPP
from pathlib import Path

import pytest
from attrs import frozen

from rsyscall_ns import (
    AT,
    CLONE,
    UMOUNT,
    CloneFlagsError,
    Command,
    FDClosedError,
    FileDescriptor,
    O,
    Task,
)
from tests.support.census import nothing_left
from tests.support.children import TRUE
from tests.support.stacks import make_stack

CAT = Command("/bin/cat", ["cat", "/proc/self/cgroup"])
NAME = "made-by-a-test"


@frozen
class Made:
    """A cgroup, its directory in each of the two tasks, and who may mount and remove it."""

    keeper: Task
    path: Path
    theirs: FileDescriptor
    ours: FileDescriptor


@pytest.fixture
async def made(local: Task, tmp_path: Path) -> AsyncGenerator[Made, None]:
    flags = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWCGROUP
    async with local.spawn(flags, uid_map=True, gid_map=True) as keeper:
        await keeper.mount.mount("none", tmp_path, "cgroup2")
        path = tmp_path / NAME
        try:
            await keeper.fs.mkdir(path)
        except OSError as error:
            pytest.skip(f"no cgroup can be made here: {error.strerror}")
        async with await keeper.fs.open(path, O.PATH) as theirs:
            ours = await theirs.pass_to(local)
            yield Made(keeper, path, theirs, ours)
            await ours.close()
        await keeper.fs.unlink(path, AT.REMOVEDIR)
        await keeper.mount.umount2(tmp_path, UMOUNT.DETACH)


async def cgroup_of(task: Task) -> str:
    """Return its path on cgroup2."""
    text = (await task.fs.read_bytes("/proc/self/cgroup")).decode()
    (found,) = [line[3:] for line in text.splitlines() if line.startswith("0::")]
    return found


async def test_a_child_of_the_interpreter_is_in_it(local: Task, made: Made) -> None:
    async with local.spawn(cgroup=made.ours) as child:
        assert (await cgroup_of(child)).endswith(f"/{NAME}")
        pids = await made.keeper.fs.read_bytes(made.path / "cgroup.procs")
        assert pids == f"{child.process.near.id}\n".encode()
    assert not (await cgroup_of(local)).endswith(NAME)


async def test_a_child_of_a_child_is_in_it_with_namespaces(made: Made) -> None:
    flags = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNET
    async with made.keeper.spawn(flags, cgroup=made.theirs) as child:
        assert await cgroup_of(child) == f"/{NAME}"


async def test_a_program_is_in_it(made: Made) -> None:
    reader, writer = await made.keeper.fs.pipe2()
    async with made.keeper.launch(CAT, stdout=writer, cgroup=made.theirs) as process:
        await process.check()
    assert f"0::/{NAME}\n" in (await reader.read()).decode()


async def test_a_program_of_the_interpreter_is_in_it(local: Task, made: Made) -> None:
    reader, writer = await local.fs.pipe2()
    async with local.launch(CAT, stdout=writer, cgroup=made.ours) as process:
        await process.check()
    assert f"/{NAME}\n" in (await reader.read()).decode()


async def test_a_bare_clone_is_in_it(local: Task, made: Made) -> None:
    allocation, data = await make_stack(local)
    flags = CLONE.VM | CLONE.CLEAR_SIGHAND | CLONE.INTO_CGROUP
    process = await local.clone(flags, (allocation, data), cgroup=made.ours)
    await process.wait()
    assert process.used_stack is not None


async def test_a_cgroup_that_may_have_no_processes_is_an_error(local: Task, made: Made) -> None:
    async with await made.keeper.fs.open(made.path / "cgroup.type", O.WRONLY) as kind:
        await kind.write_all(b"threaded")
    below = made.path / "neither a domain nor threaded"
    await made.keeper.fs.mkdir(below)
    async with await made.keeper.fs.open(below, O.PATH) as theirs:
        with nothing_left(local), pytest.raises(OSError, match=r"clone3\(2\)") as caught:
            async with made.keeper.spawn(cgroup=theirs):
                raise AssertionError
    assert caught.value.errno == EOPNOTSUPP
    await made.keeper.fs.unlink(below, AT.REMOVEDIR)


async def test_a_directory_that_is_no_cgroup_is_an_error(task: Task) -> None:
    async with await task.fs.open("/") as root:
        for scope in (task.spawn(cgroup=root), task.launch(TRUE, cgroup=root)):
            with nothing_left(task), pytest.raises(OSError, match=r"clone3\(2\)") as caught:
                async with scope:
                    raise AssertionError
            assert caught.value.errno == EBADF


async def test_the_flag_alone_and_a_closed_fd_are_refused(task: Task) -> None:
    with pytest.raises(CloneFlagsError, match="cgroup="):
        task.spawn(CLONE.INTO_CGROUP)
    root = await task.fs.open("/")
    await root.close()
    with nothing_left(task), pytest.raises(FDClosedError):
        async with task.spawn(cgroup=root):
            raise AssertionError


async def test_a_bare_clone_wants_both_or_none(task: Task) -> None:
    allocation, data = await make_stack(task)
    async with await task.fs.open("/") as root:
        with nothing_left(task), pytest.raises(CloneFlagsError, match="together"):
            await task.clone(CLONE.VM, (allocation, data), cgroup=root)
        with nothing_left(task), pytest.raises(CloneFlagsError, match="together"):
            await task.clone(CLONE.VM | CLONE.INTO_CGROUP, (allocation, data))
    allocation.merge(data).free()
